/**
 * Checks values that a user wrote against the declared options, with the path of what is wrong.
 *
 * Helm's schema refuses the same mistakes at installation; this finds them earlier (at synthesis, or in the CLI) and can
 * guess what was meant. It never changes or completes the values: defaults are the chart's. Pure.
 */
import { isOption, optionsOf } from './option.ts';
import type { Option, OptionTree } from './option.ts';
import { options } from './options.ts';
import { resolveKubernetesVersion } from './kubernetes-versions.ts';

/** One mistake: where it is, key by key, and a line about it that names the place as well. */
export interface ValuesProblem {
  readonly path: readonly string[];
  readonly text: string;
}

/** Everything wrong with the values, one line each; empty when they can be used. */
export function valuesProblems(values: unknown, tree: OptionTree = options): readonly string[] {
  return locatedProblems(values, tree).map(({ text }) => text);
}

/** The same, each with its place, for who can point at it. */
export function locatedProblems(values: unknown, tree: OptionTree = options): readonly ValuesProblem[] {
  return [...branchProblems(values, tree, [])];
}

function* branchProblems(value: unknown, tree: OptionTree, path: readonly string[]): Generator<ValuesProblem> {
  if (!isRecord(value)) {
    yield { path, text: `${path.join('.') || 'The values'} must be an object, not ${kindOf(value)}.` };
    return;
  }
  for (const [key, child] of Object.entries(value)) {
    const here = [...path, key];
    const node = Object.hasOwn(tree, key) ? tree[key] : undefined;
    if (child === undefined || (path.length === 0 && key === 'global')) continue;
    yield* nodeProblems(child, node, here, tree);
  }
}

function* nodeProblems(
  value: unknown,
  node: Option | OptionTree | undefined,
  path: readonly string[],
  siblings: OptionTree,
): Generator<ValuesProblem> {
  if (node === undefined) yield { path, text: unknownKey(path, siblings) };
  else if (!isOption(node)) yield* branchProblems(value, node, path);
  else for (const text of optionProblems(value, node, path.join('.'))) yield { path, text };
}

/** What is wrong with the value of one option; `path` is how it is called in the text. */
export function* optionProblems(value: unknown, option: Option, path: string): Generator<string> {
  const wanted = expectation[option.type];
  if (!wanted.holds(value)) {
    yield `${path} must be ${wanted.words}, not ${kindOf(value)}.`;
  } else if (option.type === 'version') {
    const resolved = resolveKubernetesVersion(String(value));
    if ('problem' in resolved) yield resolved.problem;
  } else if (option.values && !option.values.includes(String(value))) {
    yield `${path} must be one of ${option.values.join(', ')}, not ${JSON.stringify(value)}.`;
  } else if (option.pattern !== undefined) {
    const form = new RegExp(option.pattern);
    for (const text of Array.isArray(value) ? value : [value]) {
      if (!form.test(String(text))) {
        yield `${path}: ${JSON.stringify(text)} does not have the form of this option (${option.pattern}).`;
      }
    }
  }
}

interface Expectation {
  readonly words: string;
  holds(value: unknown): boolean;
}

const isString = (value: unknown): value is string => typeof value === 'string';
const isQuantity = (value: unknown): boolean =>
  typeof value === 'number' || (isString(value) && /^\d+(\.\d+)?([mkKMGTPE]i?|e\d+)?$/.test(value));
const isMapOf = (value: unknown, holds: (entry: unknown) => boolean): boolean =>
  isRecord(value) && Object.values(value).every(holds);

const expectation: Readonly<Record<Option['type'], Expectation>> = {
  string: { words: 'a string', holds: isString },
  version: { words: 'a string such as "1.36" (in quotes)', holds: isString },
  boolean: { words: 'true or false', holds: (value) => typeof value === 'boolean' },
  quantity: { words: 'a quantity such as 500m or 5Gi', holds: isQuantity },
  strings: { words: 'a list of strings', holds: (value) => Array.isArray(value) && value.every(isString) },
  stringMap: { words: 'a map of strings', holds: (value) => isMapOf(value, isString) },
  resources: {
    words: 'an object with requests and limits, each a map of quantities',
    holds: (value) =>
      isMapOf(value, (part) => isMapOf(part, isQuantity)) &&
      Object.keys(value as object).every((key) => ['requests', 'limits'].includes(key)),
  },
  tolerations: {
    words: 'a list of tolerations',
    holds: (value) => Array.isArray(value) && value.every((entry) => isRecord(entry)),
  },
  references: {
    words: 'a list of objects with a name',
    holds: (value) => Array.isArray(value) && value.every((entry) => isRecord(entry) && isString(entry['name'])),
  },
};

function unknownKey(path: readonly string[], tree: OptionTree): string {
  const key = path.at(-1) ?? '';
  const written = path.join('.');
  const sibling = nearest(key, Object.keys(tree));
  if (sibling !== undefined) {
    return `${written} is not an option. Did you mean ${[...path.slice(0, -1), sibling].join('.')}?`;
  }
  const elsewhere = [...optionsOf(options)].map(([known]) => known).find((known) => known.split('.').at(-1) === key);
  const hint = elsewhere === undefined ? `Known here: ${Object.keys(tree).join(', ')}.` : `Did you mean ${elsewhere}?`;
  return `${written} is not an option. ${hint}`;
}

/** The word that differs least, when it differs little: at most a third of its letters. */
function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map((candidate) => ({ candidate, distance: editDistance(word.toLowerCase(), candidate.toLowerCase()) }))
    .toSorted((left, right) => left.distance - right.distance);
  const best = ranked[0];
  return best && best.distance * 3 <= Math.max(word.length, best.candidate.length) ? best.candidate : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [index, letter] of left.split('').entries()) {
    const next = [index + 1];
    for (const [column, other] of right.split('').entries()) {
      const substitution = (row[column] ?? 0) + (letter === other ? 0 : 1);
      next.push(Math.min((row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1, substitution));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `${typeof value} ${JSON.stringify(value)}`;
}
