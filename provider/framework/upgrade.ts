/**
 * States that an earlier release has written, made into those of today.
 */
import { ProviderError } from './diagnostics.ts';
import type { Attributes, Type } from './attributes.ts';
import type { ResourceDefinition } from './resource.ts';
import { caseOf, nestedOf } from './schema.ts';
import { Dynamic, type Json, type JsonRecord, type Value, type ValueRecord } from './values.ts';

/**
 * Makes a state of today's version. What today's declaration does not know is left out, what it has new is null.
 * @throws ProviderError when the state is newer than this provider, or is none
 */
export function upgraded(
  definition: Pick<ResourceDefinition<Attributes, unknown>, 'name' | 'version' | 'upgrades' | 'attributes'>,
  version: number,
  json: Uint8Array,
): ValueRecord {
  const { name } = definition;
  if (version > definition.version) {
    throw new ProviderError(
      `State of ${name} is newer than this provider`,
      `It was written by a later release (layout ${String(version)}; this one knows ${String(definition.version)}). ` +
        'Update the provider to at least the version that wrote it.',
    );
  }
  let state = parse(json, name);
  for (let from = version; from < definition.version; from += 1) {
    const step = definition.upgrades?.[from];
    if (step === undefined) throw new Error(`${name} has no upgrade from version ${String(from)}.`);
    state = step(state);
  }
  return objectOf(definition.attributes, state, name);
}

function parse(json: Uint8Array, name: string): JsonRecord {
  const broken = (cause?: unknown): ProviderError =>
    new ProviderError(
      `State of ${name} cannot be read`,
      'It is no JSON object. Restore the state from its backup, or remove the resource from it (terraform state rm) and ' +
        'import it again.',
      { cause },
    );
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(json));
  } catch (error) {
    throw broken(error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw broken();
  return value as JsonRecord;
}

function objectOf(attributes: Attributes, json: JsonRecord, where: string): ValueRecord {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, { type }]) => [name, valueOf(type, json[name] ?? null, `${where}.${name}`)]),
  );
}

function valueOf(type: Type, json: Json, where: string): Value {
  if (json === null) return null;
  const kind = caseOf(type);
  switch (kind.is) {
    case 'primitive':
      return primitive(kind.type, json, where);
    case 'dynamic':
      return dynamic(json, where);
    case 'collection':
      return many(kind.type.collection, json, where, (item, at) => valueOf(kind.type.of, item, at));
    case 'object': {
      const members = record(json, where);
      return Object.fromEntries(
        Object.entries(kind.type.object).map(([key, of]) => [
          key,
          valueOf(of, members[key] ?? null, `${where}.${key}`),
        ]),
      );
    }
    case 'nested': {
      const inner = nestedOf(type)?.attributes ?? {};
      const one = (item: Json, at: string): Value => (item === null ? null : objectOf(inner, record(item, at), at));
      return kind.type.nested === 'single' ? one(json, where) : many(kind.type.nested, json, where, one);
    }
    default:
      return kind satisfies never;
  }
}

/** Terraform itself takes "true" for true and "5" for 5, so an attribute may have changed its type without an upgrade. */
function primitive(type: 'string' | 'bool' | 'number', json: Json, where: string): Value {
  const value = typeof json === 'object' ? undefined : primitives[type](json);
  if (value === undefined) throw misfit(where, `a ${type}`);
  return value;
}

const truths: Readonly<Record<string, boolean>> = { true: true, false: false };
const primitives: Readonly<
  Record<'string' | 'bool' | 'number', (json: string | number | boolean) => string | number | boolean | undefined>
> = {
  string: String,
  bool: (json) => truths[String(json)],
  number: (json) =>
    typeof json === 'boolean' || json === '' || !Number.isFinite(Number(json)) ? undefined : Number(json),
};

function dynamic(json: Json, where: string): Value {
  const { type, value } = record(json, where);
  if (type === undefined || value === undefined) throw misfit(where, 'a type and a value');
  return new Dynamic(type, value);
}

function many(
  shape: 'list' | 'set' | 'map',
  json: Json,
  where: string,
  of: (item: Json, where: string) => Value,
): Value {
  if (shape !== 'map') {
    if (!Array.isArray(json)) throw misfit(where, `a ${shape}`);
    return json.map((item: Json, index) => of(item, `${where}[${String(index)}]`));
  }
  const entries = Object.entries(record(json, where));
  return Object.fromEntries(entries.map(([key, item]) => [key, of(item, `${where}[${JSON.stringify(key)}]`)]));
}

function record(json: Json, where: string): JsonRecord {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonRecord;
  throw misfit(where, 'an object');
}

function misfit(where: string, wanted: string): ProviderError {
  return new ProviderError(
    'State cannot be read',
    `${where} should be ${wanted} and is something else. Restore the state from its backup, or remove the resource from ` +
      'it (terraform state rm) and import it again.',
  );
}
