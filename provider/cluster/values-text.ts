/**
 * One text of `values`: YAML as Helm reads it, checked against the options of config/ with the line of what is wrong. Pure.
 */
import { LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { locatedProblems } from '../../config/parse.ts';
import { failure } from '../framework/diagnostics.ts';
import type { Diagnostic, Path } from '../framework/diagnostics.ts';

/** Chart values of one text. */
export interface ValuesText {
  /** Undefined when the text cannot be used: see `diagnostics`. */
  readonly values: Readonly<Record<string, unknown>> | undefined;
  readonly diagnostics: readonly Diagnostic[];
  /** The line of a key, counted from 1. */
  readonly lineOf: (keys: readonly string[]) => number | undefined;
}

/** Reads one text; `path` is the attribute that holds it. */
export function readValuesText(text: string, path: Path): ValuesText {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true });
  const lineOf = (keys: readonly string[]): number | undefined => lineIn(document, lines, keys);
  const refused = (detail: string): ValuesText => ({
    values: undefined,
    diagnostics: [failure('Invalid values', detail, path)],
    lineOf,
  });
  const [broken] = document.errors;
  // The parser's own words quote the text, which might hold anything; its code and place say enough.
  if (broken) {
    return refused(`Line ${String(lines.linePos(broken.pos[0]).line)}: this is not YAML (${wordsOf(broken.code)}).`);
  }
  const values = plainValues(document);
  if (values === undefined)
    return refused('An alias (*name) has no anchor (&name) before it, or they unfold without end.');
  const problems = locatedProblems(values);
  const diagnostics = problems.map(({ path: keys, text: problem }) =>
    failure('Invalid values', `${placeText(lineOf(keys))}${problem}`, path),
  );
  return { values: problems.length === 0 ? (values as ValuesText['values']) : undefined, diagnostics, lineOf };
}

function plainValues(document: Document): unknown {
  try {
    return document.toJS() ?? {};
  } catch {
    return undefined;
  }
}

function wordsOf(code: string): string {
  return code.toLowerCase().replaceAll('_', ' ');
}

function placeText(line: number | undefined): string {
  return line === undefined ? '' : `Line ${String(line)}: `;
}

/** The line of the deepest of the keys that is there: a key's own line, not that of what it holds. */
function lineIn(document: Document, lines: LineCounter, keys: readonly string[]): number | undefined {
  for (let length = keys.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(keys.slice(0, length - 1), true);
    const offset = keyOffset(parent, keys[length - 1] ?? '');
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return undefined;
}

interface MapNode {
  readonly items?: readonly {
    readonly key?: { readonly value?: unknown; readonly range?: readonly number[] | null };
  }[];
}

function keyOffset(parent: unknown, key: string): number | undefined {
  const pair = (parent as MapNode | undefined)?.items?.find((item) => item.key?.value === key);
  return pair?.key?.range?.[0];
}
