/**
 * Whether what a handler made is what was planned. Terraform's core makes the same comparison (`AssertObjectCompatible`) and
 * would say "Provider produced inconsistent result after apply"; we look first, name the attribute, and can say more.
 */
import type { Attribute, Attributes, NestedType, Type } from './attributes.ts';
import { failure, pathText, type Diagnostic, type Path } from './diagnostics.ts';
import { canonical } from './equality.ts';
import { nestedOf } from './schema.ts';
import { isRecord, isWhollyKnown, UNKNOWN, type Value, type ValueRecord } from './values.ts';

/** How a result differs from its plan, as diagnostics about a bug. Values of sensitive attributes are not shown. */
export function differences(attributes: Attributes, planned: ValueRecord, result: ValueRecord): Diagnostic[] {
  return objectDifferences(attributes, planned, result, []).map(({ path, text }) =>
    failure(
      'The provider made something else than planned',
      `This is a bug of the provider, please report it. ${pathText(path)}: ${text} ` +
        'What was made is recorded; apply again to see what is left to change.',
      path,
    ),
  );
}

/** Attributes of which a handler did not say the value, as diagnostics about a bug. */
export function leftUnknown(result: ValueRecord): Diagnostic[] {
  return Object.entries(result)
    .filter(([, value]) => !isWhollyKnown(value))
    .map(([name]) =>
      failure(
        'The provider left a value unknown',
        `This is a bug of the provider, please report it. It did not say what ${name} is after the operation.`,
        [name],
      ),
    );
}

type Pairs = readonly (readonly [Path, Value, Value])[];

interface Difference {
  readonly path: Path;
  readonly text: string;
}

function objectDifferences(
  attributes: Attributes,
  planned: ValueRecord,
  result: ValueRecord,
  path: Path,
): Difference[] {
  return Object.entries(attributes).flatMap(([name, attribute]) =>
    attributeDifferences(attribute, planned[name] ?? null, result[name] ?? null, [...path, name]),
  );
}

function attributeDifferences(attribute: Attribute, planned: Value, result: Value, path: Path): readonly Difference[] {
  if (planned === UNKNOWN || canonical(attribute.type, planned) === canonical(attribute.type, result)) return [];
  const hidden = [{ path, text: 'it is not the planned value.' }];
  const inner = nestedOf(attribute.type);
  if (inner !== undefined && planned !== null && result !== null) {
    const found = nestedDifferences(inner, planned, result, path);
    return attribute.sensitive && found.length > 0 ? hidden : found;
  }
  if (compatible(attribute.type, planned, result)) return [];
  return attribute.sensitive ? hidden : [{ path, text: shown(planned, result) }];
}

function nestedDifferences(nested: NestedType, planned: Value, result: Value, path: Path): readonly Difference[] {
  const pairs = pairsOf(nested, planned, result);
  if (pairs === undefined) return [{ path, text: 'it has other elements than planned.' }];
  return pairs.flatMap(([step, before, after]) => {
    if (before === UNKNOWN) return [];
    const here = [...path, ...step];
    if (!isRecord(before) || !isRecord(after))
      return before === after ? [] : [{ path: here, text: shown(before, after) }];
    return objectDifferences(nested.attributes, before, after, here);
  });
}

/** Elements side by side; undefined when there are more, less or others. */
function pairsOf(nested: NestedType, planned: Value, result: Value): Pairs | undefined {
  if (nested.nested === 'single') return [[[], planned, result]];
  if (Array.isArray(planned) && Array.isArray(result)) return elementPairs(nested, planned, result);
  return isRecord(planned) && isRecord(result) ? memberPairs(planned, result) : undefined;
}

/** Elements of a set may come in any order. */
function elementPairs(nested: NestedType, planned: readonly Value[], result: readonly Value[]): Pairs | undefined {
  if (planned.length !== result.length) return undefined;
  if (nested.nested === 'list') return planned.map((item, index) => [[index], item, result[index] ?? null]);
  const isThere = (item: Value): boolean => result.some((other) => fits(nested.attributes, item, other));
  return planned.every(isThere) ? [] : undefined;
}

function memberPairs(planned: ValueRecord, result: ValueRecord): Pairs | undefined {
  const keys = Object.keys(planned);
  if (keys.length !== Object.keys(result).length || keys.some((key) => !Object.hasOwn(result, key))) return undefined;
  return keys.map((key) => [[key], planned[key] ?? null, result[key] ?? null]);
}

function fits(attributes: Attributes, planned: Value, result: Value): boolean {
  if (planned === UNKNOWN) return true;
  return isRecord(planned) && isRecord(result) && objectDifferences(attributes, planned, result, []).length === 0;
}

/** For values without attributes: equal wherever the plan knew. */
function compatible(type: Type, planned: Value, result: Value): boolean {
  if (planned === UNKNOWN) return true;
  if (Array.isArray(planned) && Array.isArray(result)) {
    if (planned.length !== result.length) return isUnknownSet(type, planned, result);
    return (
      planned.every((item, index) => compatible('dynamic', item, result[index] ?? null)) ||
      isUnknownSet(type, planned, result)
    );
  }
  if (isRecord(planned) && isRecord(result)) {
    const keys = Object.keys(planned);
    return (
      keys.length === Object.keys(result).length &&
      keys.every((key) => compatible('dynamic', planned[key] ?? null, result[key] ?? null))
    );
  }
  return canonical('dynamic', planned) === canonical('dynamic', result);
}

/** A set with unknown elements may become any set that has the known ones and not more elements. */
function isUnknownSet(type: Type, planned: readonly Value[], result: readonly Value[]): boolean {
  const isSet = typeof type === 'object' && 'collection' in type && type.collection === 'set';
  const known = planned.filter((item) => item !== UNKNOWN);
  return (
    isSet &&
    known.length < planned.length &&
    result.length <= planned.length &&
    known.every((item) => result.includes(item))
  );
}

function shown(planned: Value, result: Value): string {
  if (isRecord(planned) || isRecord(result)) return 'it is not as planned.';
  return `it was planned as ${canonical('dynamic', planned)} and became ${canonical('dynamic', result)}.`;
}
