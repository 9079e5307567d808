/**
 * The chart values that a configuration means: typed attributes, `kubernetes_version`, and the texts of `values` over them.
 *
 * Invariant: nothing overrides anything silently. Whoever writes the same key twice writes the same value, or is told both places;
 * only among the texts of `values` the later one counts, as with Helm. Pure.
 */
import { failure, pathText, warning } from '../framework/diagnostics.ts';
import type { Diagnostic, Path } from '../framework/diagnostics.ts';
import { isRecord, isUnknown, isWhollyKnown } from '../framework/values.ts';
import type { Value, ValueRecord } from '../framework/values.ts';
import { attributePath, chartValues } from '../options.ts';
import { secretLooks } from './secret-words.ts';
import { readValuesText } from './values-text.ts';

/** Where kubernetes_version goes. */
export const versionKeys: readonly string[] = ['controlPlane', 'distro', 'k8s', 'version'];
/** Where labels go: operations/release.ts puts them there. */
export const labelKeys: readonly string[] = ['controlPlane', 'statefulSet', 'labels'];

export interface WantedValues {
  /** Chart values without the labels; `UNKNOWN` stands where something is not known yet. */
  readonly values: ValueRecord;
  /** False when a part is not known yet, or cannot be used. */
  readonly isComplete: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

/** One place that chart values come from. */
interface Source {
  readonly values: ValueRecord;
  /** The attribute that says the value of a key. */
  pathOf(keys: readonly string[]): Path;
  /** The same for people. */
  placeOf(keys: readonly string[]): string;
}

/** The chart values of a configuration or a state of the resource. */
export function wantedValues(config: ValueRecord): WantedValues {
  const texts = textSources(config['values'] ?? null);
  const typed = [...optionSource(config), ...singleSource(config, 'kubernetes_version', versionKeys)];
  const labels = singleSource(config, 'labels', labelKeys);
  const values = [...typed, ...texts.sources].map((source) => source.values).reduce(overlaid, {});
  return {
    values,
    isComplete: texts.isComplete && isWhollyKnown(values),
    diagnostics: [
      ...texts.diagnostics,
      ...conflicts([...typed, ...labels, ...lastOf(texts.sources)]),
      ...secretLooks(values).map(({ keys, what }) => secretWarning(keys, what)),
    ],
  };
}

function optionSource(config: ValueRecord): readonly Source[] {
  const values = chartValues(config);
  if (values === undefined) return [];
  return [{ values, pathOf: attributePath, placeOf: (keys) => pathText(attributePath(keys)) }];
}

/** An attribute of the resource that is a short way to write one option. */
function singleSource(config: ValueRecord, attribute: string, keys: readonly string[]): readonly Source[] {
  const value = config[attribute] ?? null;
  if (value === null) return [];
  const pathOf = (key: readonly string[]): Path => [attribute, ...key.slice(keys.length)];
  return [{ values: nestedAt(keys, value), pathOf, placeOf: (key) => pathText(pathOf(key)) }];
}

interface Texts {
  readonly sources: readonly Source[];
  readonly isComplete: boolean;
  readonly diagnostics: readonly Diagnostic[];
}

function textSources(texts: Value): Texts {
  if (isUnknown(texts)) return { sources: [], isComplete: false, diagnostics: [] };
  const list = Array.isArray(texts) ? (texts as readonly Value[]) : [];
  const read = list.flatMap((text, index) => {
    const path = ['values', index];
    // No text: `[var.more ? file("more.yaml") : null]`.
    if (text === null) return [];
    if (typeof text !== 'string') return [undefined];
    const { values, diagnostics, lineOf } = readValuesText(text, path);
    const placeOf = (keys: readonly string[]): string => `${pathText(path)} line ${String(lineOf(keys) ?? 1)}`;
    return [{ source: { values: (values ?? {}) as ValueRecord, pathOf: () => path, placeOf }, values, diagnostics }];
  });
  return {
    sources: read.flatMap((each) => (each === undefined ? [] : [each.source])),
    isComplete: read.every((each) => each?.values !== undefined),
    diagnostics: read.flatMap((each) => each?.diagnostics ?? []),
  };
}

/** Equal for two lists of texts that mean the same, whatever their form; undefined when that cannot be told. */
export function meaningOfTexts(texts: Value): string | undefined {
  const { sources, isComplete } = textSources(texts);
  return isComplete ? canonicalText(sources.map(({ values }) => values).reduce(overlaid, {})) : undefined;
}

/** The texts as one source: of two that say the same key, the place of the later one. */
function lastOf(sources: readonly Source[]): readonly Source[] {
  if (sources.length === 0) return [];
  const sourceOf = (keys: readonly string[]): Source | undefined =>
    sources.findLast(({ values }) => valueAt(values, keys) !== undefined);
  return [
    {
      values: sources.map(({ values }) => values).reduce(overlaid, {}),
      pathOf: (keys) => sourceOf(keys)?.pathOf(keys) ?? ['values'],
      placeOf: (keys) => sourceOf(keys)?.placeOf(keys) ?? 'values',
    },
  ];
}

function conflicts(sources: readonly Source[]): readonly Diagnostic[] {
  return sources.flatMap((one, index) =>
    sources
      .slice(index + 1)
      .flatMap((other) =>
        differences(one.values, other.values, []).map((keys) =>
          failure(
            'Two values for one option',
            `${one.placeOf(keys)} is ${valueText(one.values, keys)}, and ${other.placeOf(keys)} is ` +
              `${valueText(other.values, keys)}. Both are the option ${keys.join('.')}; remove one of them.`,
            other.pathOf(keys),
          ),
        ),
      ),
  );
}

function valueText(values: ValueRecord, keys: readonly string[]): string {
  return JSON.stringify(valueAt(values, keys));
}

/** Keys that both have, with different values. Lists are compared whole; text and number of the same look are the same. */
function differences(one: Value, other: Value, keys: readonly string[]): readonly (readonly string[])[] {
  if (isUnknown(one) || isUnknown(other)) return [];
  if (isRecord(one) && isRecord(other)) {
    const both = Object.keys(one).filter((key) => Object.hasOwn(other, key));
    return both.flatMap((key) => differences(one[key] ?? null, other[key] ?? null, [...keys, key]));
  }
  return canonicalText(one) === canonicalText(other) ? [] : [keys];
}

/** A text that is equal for values that mean the same to the chart. */
export function canonicalText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(',')}]`;
  if (!isRecord(value)) return JSON.stringify(String(value));
  const keys = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonicalText(value[key])}`).join(',')}}`;
}

/** `over` on top of `under`: branches and maps are merged, lists and plain values replaced, as Helm does it. */
export function overlaid(under: ValueRecord, over: ValueRecord): ValueRecord {
  const merged = new Map<string, Value>(Object.entries(under));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isRecord(below) && isRecord(value) ? overlaid(below, value) : value);
  }
  return Object.fromEntries(merged);
}

/** The value of a path of keys; undefined when there is none. */
export function valueAt(values: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>(
    (value, key) => (isRecord(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    values,
  );
}

function nestedAt(keys: readonly string[], value: Value): ValueRecord {
  const [first = '', ...rest] = keys;
  return { [first]: rest.length === 0 ? value : nestedAt(rest, value) };
}

function secretWarning(keys: readonly string[], what: string): Diagnostic {
  return warning(
    'A value looks like a secret',
    `${keys.join('.')} looks like ${what}. Values stand in clear in the state, in the plan and in the release on the host. ` +
      'Put it into a Secret of the host namespace, and name that Secret here.',
  );
}
