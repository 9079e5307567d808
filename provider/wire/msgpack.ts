/**
 * Terraform's values in their msgpack form, read and written along their type: the type says what a `dynamic` value is, which
 * attributes an object has, and where a number may come as text.
 *
 * Invariant: what was read and is written again is the same value to Terraform. So numbers that are not integers are written as
 * the decimal text that a user would write (0.1 as a binary fraction is another number to Terraform), and what
 * cannot be held without loss is refused with its path. No error quotes a value.
 */
import { Dynamic, isRecord, UNKNOWN } from '../framework/values.ts';
import type { Value } from '../framework/values.ts';
import { bytesOf, Reader, ReverseWriter, setOwn, textOf } from './bytes.ts';
import { depthMax, numberOf, typeFromJson } from './cty.ts';
import type { CtyComplex, CtyPrimitive, CtyType } from './cty.ts';
import { DecodeError, EncodeError } from './errors.ts';
import { readHeader } from './msgpack-header.ts';
import type { Header } from './msgpack-header.ts';
import {
  writeArray,
  writeBinary,
  writeInteger,
  writeMap,
  writeNull,
  writeText,
  writeUnknown,
  writeBool,
} from './msgpack-write.ts';

/** Reads one value of a type; `where` names it in errors. Unknown values, refined or not, are `UNKNOWN`. */
export function decodeValue(bytes: Uint8Array, type: CtyType, where = 'value'): Value {
  const reader = new Reader(bytes);
  const value = read({ reader, where, depth: 0 }, type);
  if (reader.at !== reader.end) throw new DecodeError(`${where}: ${reader.end - reader.at} bytes follow the value.`);
  return value;
}

/** Writes one value of a type. The value of a `dynamic` is a `Dynamic`, `null` or `UNKNOWN`. */
export function encodeValue(value: Value, type: CtyType, where = 'value'): Uint8Array {
  const writer = new ReverseWriter();
  write({ writer, where }, value, type);
  return writer.finish();
}

/** Where the reading stands. */
interface Place {
  readonly reader: Reader;
  readonly where: string;
  readonly depth: number;
}

function read(place: Place, type: CtyType): Value {
  if (place.depth > depthMax) throw new DecodeError(`${place.where}: nested deeper than ${depthMax}.`);
  const header = readHeader(place.reader, place.where);
  if (header.is === 'nil') return null;
  if (header.is === 'extension') return readUnknown(place, header);
  if (typeof type === 'string') return readPrimitive(place, type, header);
  const [kind, of] = type;
  switch (kind) {
    case 'list':
    case 'set':
      return readArray(place, header, () => of);
    case 'tuple':
      return readTuple(place, header, of);
    case 'map':
      return readRecord(place, header, () => of);
    case 'object':
      return readObject(place, header, of);
    default:
      return kind satisfies never;
  }
}

/** 0 is unknown, 12 unknown with what is known about it, which no plan of ours uses. */
function readUnknown({ reader, where }: Place, { type, length }: Header & { readonly is: 'extension' }): Value {
  if (type !== 0 && type !== 12) throw new DecodeError(`${where}: extension ${type} of msgpack means nothing here.`);
  reader.skip(length, where);
  return UNKNOWN;
}

function readPrimitive(place: Place, type: CtyPrimitive, header: Header): Value {
  const { reader, where } = place;
  switch (type) {
    case 'string':
      if (header.is === 'text') return textOf(reader.take(header.length, where), where);
      break;
    case 'bool':
      if (header.is === 'bool') return header.value;
      break;
    case 'number':
      if (header.is === 'float') return finite(header.value, where);
      if (header.is === 'integer') return numberOf(String(header.value), where);
      if (header.is === 'text') return numberOf(textOf(reader.take(header.length, where), where), where);
      break;
    case 'dynamic':
      return readDynamic(place, header);
    default:
      return type satisfies never;
  }
  throw mismatch(place, type, header);
}

function readDynamic(place: Place, header: Header): Value {
  if (header.is !== 'array' || header.length !== 2) throw mismatch(place, 'type and value', header);
  const { reader, where } = place;
  const typeHeader = readHeader(reader, where);
  if (typeHeader.is !== 'binary' && typeHeader.is !== 'text') throw mismatch(place, 'type', typeHeader);
  const text = textOf(reader.take(typeHeader.length, where), where);
  const json = jsonOf(text, where);
  const type = typeFromJson(json, where);
  return new Dynamic(type, read(deeper(place, ''), type));
}

function jsonOf(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError(`${where}: the type beside a dynamic value is not JSON.`, { cause });
  }
}

function readArray(place: Place, header: Header, typeAt: (index: number) => CtyType): Value {
  if (header.is !== 'array') throw mismatch(place, 'list', header);
  const values: Value[] = [];
  // Not allocated beforehand: the length is only what the sender says.
  for (let index = 0; index < header.length; index += 1) values.push(read(deeper(place, `[${index}]`), typeAt(index)));
  return values;
}

function readTuple(place: Place, header: Header, types: readonly CtyType[]): Value {
  if (header.is !== 'array' || header.length !== types.length) throw mismatch(place, `${types.length} values`, header);
  return readArray(place, header, (index) => types[index] ?? 'dynamic');
}

function readRecord(place: Place, header: Header, typeOf: (key: string) => CtyType): Record<string, Value> {
  if (header.is !== 'map') throw mismatch(place, 'map', header);
  const record: Record<string, Value> = {};
  for (let left = header.length; left > 0; left -= 1) {
    const key = readKey(place);
    setOwn(record, key, read(deeper(place, `.${key}`), typeOf(key)));
  }
  return record;
}

function readObject(place: Place, header: Header, types: Readonly<Record<string, CtyType>>): Value {
  const record = readRecord(place, header, (key) => {
    const type = Object.hasOwn(types, key) ? types[key] : undefined;
    if (type === undefined) throw new DecodeError(`${place.where}.${key}: there is no such attribute.`);
    return type;
  });
  const missing = Object.keys(types).find((name) => !Object.hasOwn(record, name));
  if (missing !== undefined) throw new DecodeError(`${place.where}.${missing}: the attribute is missing.`);
  return record;
}

function readKey(place: Place): string {
  const header = readHeader(place.reader, place.where);
  if (header.is !== 'text') throw mismatch(place, 'key', header);
  return textOf(place.reader.take(header.length, place.where), place.where);
}

function deeper({ reader, where, depth }: Place, step: string): Place {
  return { reader, where: where + step, depth: depth + 1 };
}

function finite(value: number, where: string): number {
  if (!Number.isFinite(value)) throw new DecodeError(`${where}: the number is not finite.`);
  return value === 0 ? 0 : value;
}

function mismatch({ where }: Place, wanted: string, header: Header): DecodeError {
  return new DecodeError(`${where}: expected ${wanted}, found ${header.is}.`);
}

/** Where the writing stands. */
interface Target {
  readonly writer: ReverseWriter;
  readonly where: string;
}

function write(target: Target, value: Value, type: CtyType): void {
  const { writer } = target;
  if (value === null) writeNull(writer);
  else if (value === UNKNOWN) writeUnknown(writer);
  else if (typeof type === 'string') writePrimitive(target, value, type);
  else writeComplex(target, value, type);
}

function writePrimitive(target: Target, value: Value, type: CtyPrimitive): void {
  const { writer, where } = target;
  switch (type) {
    case 'string':
      return typeof value === 'string' ? writeText(writer, bytesOf(value)) : refuse(target, 'a string', value);
    case 'bool':
      return typeof value === 'boolean' ? writeBool(writer, value) : refuse(target, 'a bool', value);
    case 'number':
      return typeof value === 'number' ? writeNumber(target, value) : refuse(target, 'a number', value);
    case 'dynamic':
      if (!(value instanceof Dynamic)) return refuse(target, 'a Dynamic', value);
      write(target, value.value, typeFromJson(value.type, where));
      writeBinary(writer, bytesOf(JSON.stringify(value.type)));
      return writeArray(writer, 2);
    default:
      return type satisfies never;
  }
}

function writeNumber({ writer, where }: Target, value: number): void {
  if (!Number.isFinite(value)) throw new EncodeError(`${where}: must be a finite number.`);
  if (Number.isSafeInteger(value)) writeInteger(writer, value);
  else writeText(writer, bytesOf(String(value)));
}

function writeComplex(target: Target, value: Value, type: CtyComplex): void {
  const [kind] = type;
  switch (kind) {
    case 'list':
    case 'set':
    case 'tuple':
      return Array.isArray(value) ? writeSequence(target, value, type) : refuse(target, `a ${kind}`, value);
    case 'map':
    case 'object':
      return isRecord(value)
        ? writeRecord(target, value, memberTypes(target, value, type))
        : refuse(target, `a ${kind}`, value);
    default:
      return kind satisfies never;
  }
}

function writeSequence(target: Target, values: readonly Value[], [kind, of]: CtyComplex): void {
  if (kind === 'list' || kind === 'set') return writeList(target, values, () => of);
  if (kind !== 'tuple' || values.length !== of.length) return refuse(target, 'as long as its type', values);
  return writeList(target, values, (index) => of[index] ?? 'dynamic');
}

function writeList(target: Target, values: readonly Value[], typeAt: (index: number) => CtyType): void {
  for (let index = values.length - 1; index >= 0; index -= 1) {
    write(inner(target, `[${index}]`), values[index] ?? null, typeAt(index));
  }
  writeArray(target.writer, values.length);
}

/** The type of each member; for an object every attribute must be there, and no other. */
function memberTypes(
  { where }: Target,
  value: Readonly<Record<string, Value>>,
  [kind, of]: CtyComplex,
): (key: string) => CtyType {
  if (kind === 'map') return () => of;
  const types = kind === 'object' ? of : {};
  const missing = Object.keys(types).find((name) => !Object.hasOwn(value, name) || value[name] === undefined);
  if (missing !== undefined) throw new EncodeError(`${where}.${missing}: the attribute is missing.`);
  return (key) => {
    const type = Object.hasOwn(types, key) ? types[key] : undefined;
    if (type === undefined) throw new EncodeError(`${where}.${key}: there is no such attribute.`);
    return type;
  };
}

function writeRecord(target: Target, record: Readonly<Record<string, Value>>, typeOf: (key: string) => CtyType): void {
  const entries = Object.entries(record);
  for (const [key, value] of entries.toReversed()) {
    write(inner(target, `.${key}`), value, typeOf(key));
    writeText(target.writer, bytesOf(key));
  }
  writeMap(target.writer, entries.length);
}

function inner({ writer, where }: Target, step: string): Target {
  return { writer, where: where + step };
}

function refuse({ where }: Target, wanted: string, value: unknown): never {
  const got = Array.isArray(value) ? 'an array' : value instanceof Dynamic ? 'a Dynamic' : typeof value;
  throw new EncodeError(`${where}: must be ${wanted}, got: ${got}.`);
}
