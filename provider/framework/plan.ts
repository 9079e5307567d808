/**
 * What Terraform's core would accept as a plan: the rules, once, for every resource.
 *
 *   given by the user          → that value (also when it is unknown); inside nested attributes, the same rules again
 *   not given, has a default   → the default
 *   not given, computed        → what it was; unknown when there was nothing before
 *   not given, else            → null
 *   write-only                 → null, always
 *
 * Pure. Core compares what we plan with configuration and prior state (`AssertPlanValid`); by these rules it never finds
 * a difference. Proposals of core are not needed: they follow from the same two values.
 */
import type { Attribute, Attributes, NestedType } from './attributes.ts';
import type { Path } from './diagnostics.ts';
import { isSame } from './equality.ts';
import type { Replacement } from './resource.ts';
import { isComputed, nestedOf } from './schema.ts';
import { isRecord, UNKNOWN, type Value, type ValueRecord } from './values.ts';

/** The planned object; `prior` undefined when it is to be created. */
export function plannedObject(
  attributes: Attributes,
  config: ValueRecord,
  prior: ValueRecord | undefined,
): ValueRecord {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [
      name,
      plannedValue(attribute, config[name] ?? null, prior && { value: prior[name] ?? null }),
    ]),
  );
}

/** Says which attributes have changed that cannot change in place, with the reason each declares. */
export function replacements(attributes: Attributes, prior: ValueRecord, planned: ValueRecord): Replacement[] {
  return Object.entries(attributes).flatMap(([name, attribute]) =>
    replacementsOf(attribute, prior[name] ?? null, planned[name] ?? null).map(({ path, why }) => ({
      path: [name, ...path],
      why,
    })),
  );
}

/** The configuration with defaults and write-only values in place: what data sources and ephemerals work with. */
export function withDefaults(attributes: Attributes, config: ValueRecord): ValueRecord {
  return mapAttributes(attributes, config, (attribute, value) =>
    value === null ? (attribute.default ?? null) : undefined,
  );
}

/** The object as it may be stored: nothing that is write-only. */
export function withoutWriteOnly(attributes: Attributes, values: ValueRecord): ValueRecord {
  return mapAttributes(attributes, values, (attribute) => (attribute.writeOnly ? null : undefined));
}

/** The object with null for everything that is still unknown: what can be kept of a failed operation. */
export function withoutUnknown(value: Value): Value {
  if (value === UNKNOWN) return null;
  if (Array.isArray(value)) return value.map(withoutUnknown);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutUnknown(item)]));
}

function plannedValue(attribute: Attribute, config: Value, prior: { readonly value: Value } | undefined): Value {
  if (attribute.writeOnly) return null;
  if (config === null) return notGiven(attribute, prior);
  const inner = nestedOf(attribute.type);
  return inner === undefined || config === UNKNOWN ? config : plannedNested(inner, config, prior?.value ?? null);
}

function notGiven(attribute: Attribute, prior: { readonly value: Value } | undefined): Value {
  if (attribute.default !== undefined) return attribute.default;
  if (!isComputed(attribute)) return null;
  return prior === undefined ? UNKNOWN : prior.value;
}

/** Elements are the same element when they have the same key or index. Those of a set have nothing computed (mistakes.ts). */
function plannedNested({ nested, attributes }: NestedType, config: Value, prior: Value): Value {
  const one = (item: Value, before: Value): Value =>
    isRecord(item) ? plannedObject(attributes, item, isRecord(before) ? before : undefined) : item;
  switch (nested) {
    case 'single':
      return one(config, prior);
    case 'map':
      return isRecord(config)
        ? Object.fromEntries(
            Object.entries(config).map(([key, item]) => [
              key,
              one(item, isRecord(prior) ? (prior[key] ?? null) : null),
            ]),
          )
        : config;
    case 'list':
      return arrayOf(config).map((item, index) => one(item, arrayOf(prior)[index] ?? null));
    case 'set':
      return arrayOf(config).map((item) => one(item, null));
    default:
      return nested satisfies never;
  }
}

function replacementsOf(attribute: Attribute, prior: Value, planned: Value): Replacement[] {
  if (isSame(attribute.type, prior, planned)) return [];
  if (attribute.replace !== undefined) return [{ path: [], why: attribute.replace }];
  const inner = nestedOf(attribute.type);
  if (inner === undefined) return [];
  return pairs(inner, prior, planned).flatMap(([path, before, after]) =>
    replacements(inner.attributes, isRecord(before) ? before : {}, isRecord(after) ? after : {}).map((found) => ({
      path: [...path, ...found.path],
      why: found.why,
    })),
  );
}

/** Nested objects before and after, by their place. Elements of a set have no place: such an attribute has to say it itself. */
function pairs({ nested }: NestedType, prior: Value, planned: Value): readonly (readonly [Path, Value, Value])[] {
  if (nested === 'single') return [[[], prior, planned]];
  if (nested === 'set') return [];
  if (nested === 'map') {
    const [before, after] = [isRecord(prior) ? prior : {}, isRecord(planned) ? planned : {}];
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.map((key) => [[key], before[key] ?? null, after[key] ?? null]);
  }
  const [before, after] = [arrayOf(prior), arrayOf(planned)];
  const length = Math.max(before.length, after.length);
  return Array.from({ length }, (_, index) => [[index], before[index] ?? null, after[index] ?? null]);
}

type Change = (attribute: Attribute, value: Value) => Value | undefined;

function mapAttributes(attributes: Attributes, values: ValueRecord, change: Change): ValueRecord {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, attribute]) => [name, changed(attribute, values[name] ?? null, change)]),
  );
}

function changed(attribute: Attribute, value: Value, change: Change): Value {
  const other = change(attribute, value);
  if (other !== undefined) return other;
  const inner = nestedOf(attribute.type);
  if (inner === undefined) return value;
  const one = (item: Value): Value => (isRecord(item) ? mapAttributes(inner.attributes, item, change) : item);
  if (Array.isArray(value)) return value.map(one);
  if (!isRecord(value)) return value;
  if (inner.nested === 'single') return one(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, one(item)]));
}

function arrayOf(value: Value): readonly Value[] {
  return Array.isArray(value) ? value : [];
}
