/**
 * What the declarations say against a configuration: checks of single attributes, words about deprecated ones, and what the
 * handler's own `validate` finds. That required attributes are there, and types right, is core's work.
 *
 * Unknown values are passed over here and met again at apply, when everything is known.
 */
import type { Attribute, Attributes, NestedType } from './attributes.ts';
import { type Diagnostic, type Path, warning } from './diagnostics.ts';
import { nestedOf } from './schema.ts';
import { isRecord, isWhollyKnown, UNKNOWN, type Value, type ValueRecord } from './values.ts';

/** Everything that is wrong with a configuration, in the order of the declarations. Pure. */
export function validate(
  attributes: Attributes,
  config: ValueRecord,
  own?: (config: never) => readonly Diagnostic[],
): readonly Diagnostic[] {
  const found = validateObject(attributes, config, []);
  // The handler's own checks may rely on what the attributes' checks have made sure.
  const broken = found.some((diagnostic) => diagnostic.severity === 'error');
  return broken || own === undefined ? found : [...found, ...own(config as never)];
}

function validateObject(attributes: Attributes, values: ValueRecord, path: Path): Diagnostic[] {
  return Object.entries(attributes).flatMap(([name, attribute]) =>
    validateAttribute(attribute, values[name] ?? null, [...path, name]),
  );
}

function validateAttribute(attribute: Attribute, value: Value, path: Path): readonly Diagnostic[] {
  if (value === null) return [];
  const found = attribute.deprecated === undefined ? [] : [warning('Deprecated attribute', attribute.deprecated, path)];
  if (value === UNKNOWN) return found;
  const inner = nestedOf(attribute.type);
  const below = inner === undefined ? [] : validateNested(inner, value, path);
  const own = attribute.check !== undefined && isWhollyKnown(value) ? attribute.check(value, path) : [];
  return [...found, ...own, ...below];
}

function validateNested({ nested, attributes }: NestedType, value: Value, path: Path): readonly Diagnostic[] {
  const one = (item: Value, step: Path): Diagnostic[] =>
    isRecord(item) ? validateObject(attributes, item, [...path, ...step]) : [];
  if (Array.isArray(value)) return value.flatMap((item, index) => one(item, [index]));
  if (!isRecord(value) || nested === 'single') return one(value, []);
  return Object.entries(value).flatMap(([key, item]) => one(item, [key]));
}
