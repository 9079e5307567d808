/**
 * Objects of declared attributes, to and from the wire.
 *
 * Invariant: what is handed to a handler has every attribute; what a handler hands back may leave attributes of nested
 * objects out (they are null) but cannot bring any that are not declared.
 */
import { typeFromJson, type CtyType } from '../wire/cty.ts';
import { DecodeError, EncodeError } from '../wire/errors.ts';
import { decodeValue, encodeValue } from '../wire/msgpack.ts';
import type { Draft } from '../wire/tables.ts';
import type { DynamicValue } from '../wire/tfplugin6.ts';
import type { Attributes, NestedType, Type } from './attributes.ts';
import { ProviderError } from './diagnostics.ts';
import { ctyOf, nestedOf } from './schema.ts';
import { isRecord, type JsonRecord, type Value, type ValueRecord } from './values.ts';

const typesByAttributes = new WeakMap<Attributes, CtyType>();

/** The type of the object that these attributes make. */
export function objectType(attributes: Attributes): CtyType {
  const known = typesByAttributes.get(attributes);
  if (known !== undefined) return known;
  const type = ctyTypeOf({ nested: 'single', attributes });
  typesByAttributes.set(attributes, type);
  return type;
}

/** A declared type as the codec of the wire wants it. */
export function ctyTypeOf(type: Type): CtyType {
  return typeFromJson(ctyOf(type), 'declaration');
}

/** Decodes an object; null when Terraform sent none. @throws ProviderError for a value that cannot be held */
export function decodeObject(attributes: Attributes, wire: DynamicValue | undefined, what: string): ValueRecord | null {
  if (wire === undefined || wire.msgpack.length === 0) return null;
  const value = decoded(() => decodeValue(wire.msgpack, objectType(attributes), what));
  if (value === null) return null;
  if (!isRecord(value)) throw new Error(`${what} is no object.`);
  return value;
}

/** Decodes one argument of a function. @throws ProviderError for a value that cannot be held */
export function decodeOne(type: Type, wire: DynamicValue, what: string): Value {
  // OpenTofu sends no bytes at all for the word `null`.
  if (wire.msgpack.length === 0) return null;
  return decoded(() => decodeValue(wire.msgpack, ctyTypeOf(type), what));
}

/** Encodes an object. @throws EncodeError when a handler made a value that its attribute cannot hold */
export function encodeObject(attributes: Attributes, values: ValueRecord | null, what: string): Draft<DynamicValue> {
  return { msgpack: encodeValue(values && complete(attributes, values), objectType(attributes), what) };
}

/** Encodes the result of a function. @throws EncodeError */
export function encodeOne(type: Type, value: Value, what: string): Draft<DynamicValue> {
  return { msgpack: encodeValue(value, ctyTypeOf(type), what) };
}

/** True for the error that a handler's impossible value causes. */
export function isImpossible(error: unknown): error is EncodeError {
  return error instanceof EncodeError;
}

/** The object with null for every attribute that was left out, at every depth. */
export function complete(attributes: Attributes, values: ValueRecord): ValueRecord {
  const result: Record<string, Value> = { ...values };
  for (const [name, { type }] of Object.entries(attributes)) {
    const inner = nestedOf(type);
    const value = values[name] ?? null;
    result[name] = inner === undefined ? value : completeNested(inner, value);
  }
  return result;
}

/** Private data from the bytes that Terraform kept. */
export function decodePrivate(bytes: Uint8Array | undefined): JsonRecord {
  if (bytes === undefined || bytes.length === 0) return {};
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as JsonRecord;
  } catch (cause) {
    throw new Error('The private data beside the state is not JSON.', { cause });
  }
  throw new Error('The private data beside the state is no JSON object.');
}

/** The other way round; nothing at all for an empty record. */
export function encodePrivate(kept: JsonRecord): Uint8Array {
  return Object.keys(kept).length === 0 ? new Uint8Array() : new TextEncoder().encode(JSON.stringify(kept));
}

function completeNested({ nested, attributes }: NestedType, value: Value): Value {
  const one = (item: Value): Value => (isRecord(item) ? complete(attributes, item) : item);
  if (Array.isArray(value)) return value.map(one);
  if (!isRecord(value)) return value;
  if (nested === 'single') return one(value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, one(item)]));
}

function decoded(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof DecodeError) throw new ProviderError('Value cannot be used', error.message, { cause: error });
    throw error;
  }
}
