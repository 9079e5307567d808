/**
 * Chart values as one string. The Helm provider compares values as text, so the same values must give the same bytes on every
 * machine and in every run: keys are sorted, there is no white space and nothing depends on the order of insertion.
 * Values that Terraform only learns while applying are written by Terraform itself (jsonencode, which sorts keys as well);
 * JSON made here would put them into quotes unescaped. Pure, and never holds a secret: values stand in clear in the state.
 */
import { Fn, Token } from './terraform.ts';

/** A tree of chart values; what the keys mean is the chart's business. */
export type ValuesTree = Readonly<Record<string, unknown>>;

/** One string for `helm_release.values`, equal for equal values. */
export function valuesText(values: ValuesTree): string {
  const sorted = sortKeys(values);
  return holdsToken(sorted) ? Fn.jsonencode(sorted) : JSON.stringify(sorted);
}

/** Both trees in one; where both have a plain value or a list, `over` wins. Neither argument is changed. */
export function mergeValues(under: ValuesTree, over: ValuesTree): ValuesTree {
  const merged: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const below = merged[key];
    merged[key] = isTree(below) && isTree(value) ? mergeValues(below, value) : value;
  }
  return merged;
}

/** An option that two trees give different values. */
export interface Disagreement {
  readonly path: string;
  readonly got: readonly [unknown, unknown];
}

/** Every option that both trees have, with different values. What only Terraform knows differs from everything but itself. */
export function disagreements(
  left: ValuesTree,
  right: ValuesTree,
  path: readonly string[] = [],
): readonly Disagreement[] {
  return Object.entries(left).flatMap(([key, value]) => {
    const other = right[key];
    const here = [...path, key];
    if (value === undefined || other === undefined) return [];
    if (isTree(value) && isTree(other)) return disagreements(value, other, here);
    const same = JSON.stringify(sortKeys(value)) === JSON.stringify(sortKeys(other));
    return same ? [] : [{ path: here.join('.'), got: [value, other] as const }];
  });
}

/** The values as far as they are known now: what only Terraform will know is left out. */
export function withoutTokens(values: ValuesTree): ValuesTree {
  const known = Object.entries(values).filter(([, child]) => isTree(child) || !holdsToken(child));
  return Object.fromEntries(known.map(([key, child]) => [key, isTree(child) ? withoutTokens(child) : child]));
}

/** True for a plain object, the only thing whose keys are options; lists, tokens and plain values are leaves. */
function isTree(value: unknown): value is ValuesTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Token.isUnresolved(value);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value) && !Token.isUnresolved(value)) return value.map(sortKeys);
  if (!isTree(value)) return value;
  const known = Object.entries(value).filter(([, child]) => child !== undefined);
  const sorted = known.toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, child]) => [key, sortKeys(child)]));
}

function holdsToken(value: unknown): boolean {
  if (Token.isUnresolved(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsToken);
}
