/**
 * Chart values as one string. The Helm provider compares values as text, so the same values must give the same bytes on every
 * machine and in every run: keys are sorted, there is no white space and nothing depends on the order of insertion.
 *
 * Two languages meet in that string. What stands in the values is data: `${HOME}` of a shell script is never a template to Terraform.
 * What Terraform only learns while applying is written by Terraform itself (jsonencode); JSON made here would put it into quotes
 * unescaped. Pure, and never holds a secret: values stand in clear in the state.
 */
import { Fn, Token } from './terraform.ts';

/** A tree of chart values; what the keys mean is the chart's business. */
export type ValuesTree = Readonly<Record<string, unknown>>;

/** One string for `helm_release.values`, equal for equal values. */
export function valuesText(values: ValuesTree): string {
  return textOf(sortKeys(values));
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

/** Labels or annotations in one; later ones win. */
export function mergeMaps(...maps: readonly (Readonly<Record<string, string>> | undefined)[]): Record<string, string> {
  const given = maps.filter((map) => map !== undefined && Object.keys(map).length > 0);
  // A map that only Terraform knows has one key, which stands for all of it.
  const isKnown = given.length < 2 || given.every((map) => !Token.isUnresolved(map));
  return isKnown ? Object.assign({}, ...given) : Token.asStringMap(Fn.merge(given));
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

/** A text of the user as an attribute: nothing of it but its tokens is a template to Terraform. */
export function verbatimText(text: string): string {
  const isTemplate = /[$%]\{(?!TfToken\[)|[$%]\$\{TfToken\[/.test(text);
  return isTemplate ? Fn.join('', [quotable(text)]) : text;
}

/** True for a plain object, the only thing whose keys are options; lists, tokens and plain values are leaves. */
export function isTree(value: unknown): value is ValuesTree {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !Token.isUnresolved(value);
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value) && !Token.isUnresolved(value)) return value.map(sortKeys);
  if (!isTree(value)) return value;
  const known = Object.entries(value).filter(([, child]) => child !== undefined);
  const sorted = known.toSorted(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, child]) => [key, sortKeys(child)]));
}

function textOf(value: unknown): string {
  if (Token.isUnresolved(value)) return Fn.jsonencode(typeof value === 'string' ? quotable(value) : value);
  if (Array.isArray(value)) return `[${value.map(textOf).join(',')}]`;
  if (!isTree(value)) return literal(value);
  const members = Object.entries(value).map(([key, child]) => `${literal(key)}:${textOf(child)}`);
  return `{${members.join(',')}}`;
}

/** JSON in which nothing begins a template of Terraform. Not by doubling: how `$$${` is read nobody remembers. */
function literal(value: unknown): string {
  return (JSON.stringify(value) ?? 'null').replaceAll(/[$%](?=\{)/g, codePoint);
}

const token = /(\$\{TfToken\[[\w:.-]+\]\})/;

/** A text around a token, for an expression: CDKTF puts such text between quotes without escaping quotes and backslashes. */
function quotable(text: string): string {
  const parts = text.split(token);
  return parts.map((part) => (token.test(part) ? part : part.replaceAll(/[\p{Cc}"\\$%]/gu, codePoint))).join('');
}

/** In the form that JSON, YAML and Terraform's language share. */
function codePoint(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

function holdsToken(value: unknown): boolean {
  if (Token.isUnresolved(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(holdsToken);
}
