/**
 * Refusals at synthesis, where a mistake costs a second and not a half-made release. Values that Terraform only learns while
 * applying are let through; chart and provider look at them again. Pure.
 */
import { Token } from './terraform.ts';

/** "must be …, got: …", the form of every refusal of a single value. */
export function mustBe(where: string, what: string, got: unknown): Error {
  return new Error(`${where} must be ${what}, got: ${JSON.stringify(got)}`);
}

/** A namespace's name, as Kubernetes has it. */
export function checkNamespaceName(where: string, namespace: string | undefined): void {
  if (namespace === undefined || Token.isUnresolved(namespace)) return;
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(namespace) || namespace.length > 63) {
    throw mustBe(where, 'lower-case letters, digits and "-" in between, at most 63 characters', namespace);
  }
}

const labelValue = /^([a-zA-Z0-9]([\w.-]{0,61}[a-zA-Z0-9])?)?$/;
const labelKey =
  /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?[a-zA-Z0-9]([\w.-]{0,61}[a-zA-Z0-9])?$/;

/** Labels, as Kubernetes has them. */
export function checkLabels(where: string, labels: Readonly<Record<string, string>> | undefined): void {
  if (labels === undefined || Token.isUnresolved(labels)) return;
  for (const [key, value] of Object.entries(labels)) {
    if (!Token.isUnresolved(key) && !labelKey.test(key)) {
      throw mustBe(`${where}: the key of a label`, 'of the form `example.org/key` or `key`', key);
    }
    if (!Token.isUnresolved(value) && (typeof value !== 'string' || !labelValue.test(value))) {
      const what = 'at most 63 letters, digits, "-", "_" and ".", with a letter or digit at both ends';
      throw mustBe(`${where}.${key}`, what, value);
    }
  }
}

const duration = /^(?:(?<hours>\d+)h)?(?:(?<minutes>\d+)m)?(?:(?<seconds>\d+)s)?$/;

/** Seconds in a duration such as `5m` or `1h30m`; undefined when it is none or nothing. */
export function tryDurationSeconds(text: string): number | undefined {
  const parts = duration.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const seconds =
    Number(parts['hours'] ?? 0) * 3600 + Number(parts['minutes'] ?? 0) * 60 + Number(parts['seconds'] ?? 0);
  return seconds > 0 ? seconds : undefined;
}

/** A duration such as `5m`. */
export function checkDuration(where: string, value: string | undefined): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (tryDurationSeconds(value) === undefined) throw mustBe(where, 'a duration such as "90s", "5m" or "1h30m"', value);
}

/** A time in whole seconds. */
export function checkSeconds(where: string, value: number | undefined): void {
  if (value === undefined || Token.isUnresolved(value)) return;
  if (!Number.isInteger(value) || value < 1) throw mustBe(where, 'a whole number, 1 or more', value);
}
