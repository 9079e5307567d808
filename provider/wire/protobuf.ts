/**
 * Protobuf (proto3) by the generated tables: messages to bytes and back.
 *
 * Reading: unknown fields are skipped, also groups and fields with a wire type that does not fit; lists of numbers may be packed or
 * not; a message that comes twice is merged; bytes are views on what was given, not copies. Writing: defaults are left out,
 * fields come in ascending order, and a draft with a field that the message does not have is refused.
 * Neither direction ever quotes a value in an error, because it may be a secret.
 */
import { Reader, ReverseWriter, setOwn } from './bytes.ts';
import { DecodeError, EncodeError } from './errors.ts';
import { kindOf } from './protobuf-kinds.ts';
import type { Kind } from './protobuf-kinds.ts';
import { skipField, wireLength } from './protobuf-skip.ts';
import type { Draft, EnumTables, FieldRow, MessageTables } from './tables.ts';
import { readUint32, writeVarint } from './varint.ts';

/** As other implementations have it; a bound for the recursion on data from outside. */
const depthMax = 100;

type Plain = Record<string, unknown>;

/** A field with all that its row only names. */
interface Field {
  readonly row: FieldRow;
  readonly where: string;
  /** Of the field itself, or of each value of a map; undefined for a message. */
  readonly kind: Kind | undefined;
}

interface Message {
  readonly name: string;
  readonly fields: ReadonlyMap<number, Field>;
  /** Highest number first: writing goes backwards. */
  readonly descending: readonly Field[];
  readonly names: ReadonlySet<string>;
  readonly create: () => Plain;
}

/** Where decoding stands: what is left is between the reader's position and its end. */
interface Place {
  readonly reader: Reader;
  readonly depth: number;
}

/** Reads and writes the messages of one set of tables. `Messages` gives the type of each by name. */
export class Codec<Messages> {
  readonly #tables: MessageTables;
  readonly #enums: EnumTables;
  // Filled when a message is first met: a short-lived process uses few of them.
  readonly #known = new Map<string, Message>();

  constructor(tables: MessageTables, enums: EnumTables) {
    this.#tables = tables;
    this.#enums = enums;
  }

  /** Reads one message from all of the bytes. Throws a DecodeError that names message and field. */
  decode<N extends keyof Messages & string>(name: N, bytes: Uint8Array): Messages[N] {
    const message = this.#message(name);
    const target = message.create();
    this.#read({ reader: new Reader(bytes), depth: 0 }, message, target);
    return target as Messages[N];
  }

  /** Writes one message. Throws an EncodeError that names message and field. */
  encode<N extends keyof Messages & string>(name: N, draft: Draft<Messages[N]>): Uint8Array {
    const writer = new ReverseWriter();
    this.#write(writer, this.#message(name), draft, 0);
    return writer.finish();
  }

  #message(name: string): Message {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const rows = this.#tables[name];
    if (rows === undefined) throw new EncodeError(`There is no message ${name} in the tables.`);
    const message = messageOf(name, rows, this.#enums);
    this.#known.set(name, message);
    return message;
  }

  #read({ reader, depth }: Place, message: Message, target: Plain): void {
    if (depth > depthMax) throw new DecodeError(`${message.name}: nested deeper than ${depthMax}.`);
    while (reader.at < reader.end) {
      const tag = readUint32(reader, message.name);
      const field = message.fields.get(tag >>> 3);
      const isRead =
        field !== undefined && this.#readField({ reader, depth }, field, { wire: tag & 7, target, message });
      if (!isRead) skipField(reader, tag, message.name, depthMax);
    }
  }

  /** False when the wire type does not fit: then the field counts as unknown. */
  #readField(
    place: Place,
    field: Field,
    { wire, target, message }: { readonly wire: number; readonly target: Plain; readonly message: Message },
  ): boolean {
    const { row, kind, where } = field;
    const held = target[row.name];
    if (row.shape === 'repeated' && kind?.wire === 0 && wire === wireLength) {
      within(place.reader, where, () => readPacked(place.reader, field, kind, held as unknown[]));
      return true;
    }
    if (wire !== wireOf(field)) return false;
    if (row.shape === 'map') within(place.reader, where, () => this.#readEntry(place, field, held as Plain));
    else if (row.shape === 'repeated') (held as unknown[]).push(this.#readValue(place, field, undefined));
    else {
      target[row.name] = this.#readValue(place, field, held as Plain | undefined);
      clearOthers(message, row, target);
    }
    return true;
  }

  /** One value; a message goes into the one that is there already. */
  #readValue({ reader, depth }: Place, { row, kind, where }: Field, before: Plain | undefined): unknown {
    if (kind !== undefined) return kind.read(reader, where);
    const message = this.#message(row.of ?? '');
    const target = before ?? message.create();
    within(reader, where, () => this.#read({ reader, depth: depth + 1 }, message, target));
    return target;
  }

  /** A pair of a map: a message with the key in field 1 and the value in field 2. */
  #readEntry(place: Place, field: Field, map: Plain): void {
    const { reader, depth } = place;
    const { kind, row, where } = field;
    let key = '';
    let value = kind === undefined ? this.#message(row.of ?? '').create() : kind.initial;
    while (reader.at < reader.end) {
      const tag = readUint32(reader, where);
      if (tag === keyTag) key = kindOf('string', undefined).read(reader, where) as string;
      else if (tag === ((2 << 3) | (kind?.wire ?? wireLength))) value = this.#readValue(place, field, value as Plain);
      else skipField(reader, tag, where, depthMax - depth);
    }
    setOwn(map, key, value);
  }

  #write(writer: ReverseWriter, message: Message, draft: unknown, depth: number): void {
    if (depth > depthMax) throw new EncodeError(`${message.name}: nested deeper than ${depthMax}.`);
    const plain = recordOf(draft, message.name);
    refuseStrangers(message, plain);
    for (const field of message.descending) {
      const value = plain[field.row.name];
      if (value !== undefined) this.#writeField(writer, field, value, depth);
    }
  }

  #writeField(writer: ReverseWriter, field: Field, value: unknown, depth: number): void {
    const { row, kind } = field;
    switch (row.shape) {
      case 'repeated':
        return this.#writeList(writer, field, listOf(value, field), depth);
      case 'map':
        for (const [key, each] of Object.entries(recordOf(value, field.where)).toReversed()) {
          this.#writeEntry(writer, field, [key, each], depth);
        }
        return undefined;
      case 'presence':
        return this.#writeOne(writer, field, value, depth);
      case undefined:
        if (kind === undefined || !kind.isDefault(value)) this.#writeOne(writer, field, value, depth);
        return undefined;
      default:
        return row.shape satisfies never;
    }
  }

  #writeList(writer: ReverseWriter, field: Field, values: readonly unknown[], depth: number): void {
    const { kind, where, row } = field;
    if (kind?.wire !== 0) {
      for (const value of values.toReversed()) this.#writeOne(writer, field, value, depth);
      return;
    }
    if (values.length === 0) return;
    const before = writer.length;
    for (const value of values.toReversed()) kind.write(writer, value, where);
    endLength(writer, row.number, before);
  }

  #writeEntry(writer: ReverseWriter, field: Field, [key, value]: readonly [string, unknown], depth: number): void {
    const before = writer.length;
    this.#writeOne(writer, { ...field, row: { ...field.row, number: 2 } }, value, depth);
    kindOf('string', undefined).write(writer, key, field.where);
    writeVarint(writer, keyTag);
    endLength(writer, field.row.number, before);
  }

  #writeOne(writer: ReverseWriter, { row, kind, where }: Field, value: unknown, depth: number): void {
    if (kind !== undefined) {
      kind.write(writer, value, where);
      writeVarint(writer, (row.number << 3) | kind.wire);
      return;
    }
    const before = writer.length;
    this.#write(writer, this.#message(row.of ?? ''), value, depth + 1);
    endLength(writer, row.number, before);
  }
}

/** Field 1, with a length. */
const keyTag = (1 << 3) | wireLength;

function messageOf(name: string, rows: readonly FieldRow[], enums: EnumTables): Message {
  const all = rows.map((row): Field => ({
    row,
    where: `${name}.${row.name}`,
    kind: row.kind === 'message' ? undefined : kindOf(row.kind, enums[row.of ?? '']),
  }));
  return {
    name,
    fields: new Map(all.map((field) => [field.row.number, field])),
    descending: all.toSorted((one, other) => other.row.number - one.row.number),
    names: new Set(rows.map((row) => row.name)),
    create: () => {
      const plain: Plain = {};
      for (const { row, kind } of all) {
        if (row.shape === 'repeated') plain[row.name] = [];
        else if (row.shape === 'map') plain[row.name] = {};
        else if (row.shape !== 'presence' && kind !== undefined) plain[row.name] = kind.initial;
      }
      return plain;
    },
  };
}

function wireOf({ row, kind }: Field): number {
  return row.shape === 'map' || kind === undefined ? wireLength : kind.wire;
}

/** Reads a length and has exactly so much read. */
function within(reader: Reader, where: string, read: () => void): void {
  const length = readUint32(reader, where);
  const outer = reader.end;
  const from = reader.skip(length, where);
  reader.at = from;
  reader.end = from + length;
  read();
  reader.end = outer;
}

function readPacked(reader: Reader, { where }: Field, kind: Kind, list: unknown[]): void {
  while (reader.at < reader.end) list.push(kind.read(reader, where));
}

/** The last member of a oneof that comes is the one that counts. */
function clearOthers(message: Message, row: FieldRow, target: Plain): void {
  if (row.oneof === undefined) return;
  for (const { row: other } of message.fields.values()) {
    if (other.oneof === row.oneof && other.name !== row.name) delete target[other.name];
  }
}

/** Writes length and tag in front of all that was written since `before`. */
function endLength(writer: ReverseWriter, number: number, before: number): void {
  writeVarint(writer, writer.length - before);
  writeVarint(writer, (number << 3) | wireLength);
}

function refuseStrangers(message: Message, plain: Plain): void {
  const set = new Map<string, string>();
  for (const key of Object.keys(plain)) {
    if (!message.names.has(key)) throw new EncodeError(`${message.name} has no field ${key}.`);
  }
  for (const { row } of message.descending) {
    if (row.oneof === undefined || plain[row.name] === undefined) continue;
    const other = set.get(row.oneof);
    if (other !== undefined) throw new EncodeError(`${message.name}: only one of ${row.name} and ${other} may be set.`);
    set.set(row.oneof, row.name);
  }
}

function recordOf(value: unknown, where: string): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new EncodeError(`${where}: must be an object, got: ${value === null ? 'null' : typeof value}.`);
  }
  return value as Plain;
}

function listOf(value: unknown, { where }: Field): readonly unknown[] {
  if (!Array.isArray(value)) throw new EncodeError(`${where}: must be an array, got: ${typeof value}.`);
  return value;
}
