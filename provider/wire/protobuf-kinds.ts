/** How each kind of value that is no message is read, written and checked. */
import { bytesOf, textOf } from './bytes.ts';
import type { Reader, ReverseWriter } from './bytes.ts';
import { EncodeError } from './errors.ts';
import type { FieldRow, ScalarKind } from './tables.ts';
import { readBool, readInt64, readTruncated, readUint32, writeVarint } from './varint.ts';

/** One kind. `where` names the field in errors. */
export interface Kind {
  /** The wire type: 0 a number, 2 a length and bytes. */
  readonly wire: 0 | 2;
  /** What a field has that was not sent. */
  readonly initial: unknown;
  readonly read: (reader: Reader, where: string) => unknown;
  /** Throws an EncodeError for a value of another type or out of range. */
  readonly write: (writer: ReverseWriter, value: unknown, where: string) => void;
  /** True for a value that need not be sent. */
  readonly isDefault: (value: unknown) => boolean;
}

const noBytes = new Uint8Array(0);

const scalars: Readonly<Record<ScalarKind, Kind>> = {
  string: {
    wire: 2,
    initial: '',
    read: (reader, where) => textOf(reader.take(readUint32(reader, where), where), where),
    write: (writer, value, where) => {
      if (typeof value !== 'string') throw wrong(where, 'a string', value);
      writeBytes(writer, bytesOf(value));
    },
    isDefault: (value) => value === '',
  },
  bytes: {
    wire: 2,
    initial: noBytes,
    read: (reader, where) => reader.take(readUint32(reader, where), where),
    write: (writer, value, where) => {
      if (!(value instanceof Uint8Array)) throw wrong(where, 'bytes', value);
      writeBytes(writer, value);
    },
    isDefault: (value) => value instanceof Uint8Array && value.length === 0,
  },
  bool: {
    wire: 0,
    initial: false,
    read: readBool,
    write: (writer, value, where) => {
      if (typeof value !== 'boolean') throw wrong(where, 'true or false', value);
      writer.byte(value ? 1 : 0);
    },
    isDefault: (value) => value === false,
  },
  int32: integer((reader, where) => readTruncated(reader, where) | 0, -(2 ** 31), 2 ** 31 - 1),
  uint32: integer(readTruncated, 0, 2 ** 32 - 1),
  int64: {
    wire: 0,
    initial: 0,
    read: readInt64,
    write: (writer, value, where) => {
      const fits = typeof value === 'bigint' ? BigInt.asIntN(64, value) === value : Number.isSafeInteger(value);
      if (!fits) throw wrong(where, 'a safe integer, or a bigint of 64 bits', value);
      writeVarint(writer, value as number | bigint);
    },
    isDefault: (value) => value === 0 || value === 0n,
  },
};

/** The kind of a field; an enum has the names of its table, and numbers that have no name there stay numbers. */
export function kindOf(
  kind: Exclude<FieldRow['kind'], 'message'>,
  numbers: Readonly<Record<string, number>> | undefined,
): Kind {
  return kind === 'enum' ? enumKind(numbers ?? {}) : scalars[kind];
}

function integer(read: Kind['read'], min: number, max: number): Kind {
  return {
    wire: 0,
    initial: 0,
    read,
    write: (writer, value, where) => {
      if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
        throw wrong(where, `an integer from ${min} to ${max}`, value);
      }
      writeVarint(writer, value as number);
    },
    isDefault: (value) => value === 0,
  };
}

function enumKind(numbers: Readonly<Record<string, number>>): Kind {
  const names = new Map(Object.entries(numbers).map(([name, number]) => [number, name]));
  const numberOf = (value: unknown): unknown => (typeof value === 'string' ? numbers[value] : value);
  const { read, write } = scalars.int32;
  return {
    wire: 0,
    initial: names.get(0) ?? 0,
    read: (reader, where) => {
      const number = read(reader, where) as number;
      return names.get(number) ?? number;
    },
    write: (writer, value, where) => {
      const number = numberOf(value);
      if (typeof number !== 'number') throw wrong(where, `one of ${Object.keys(numbers).join(', ')}`, value);
      write(writer, number, where);
    },
    isDefault: (value) => numberOf(value) === 0,
  };
}

function writeBytes(writer: ReverseWriter, bytes: Uint8Array): void {
  writer.prepend(bytes);
  writeVarint(writer, bytes.length);
}

function wrong(where: string, wanted: string, value: unknown): EncodeError {
  return new EncodeError(`${where}: must be ${wanted}, got: ${value === null ? 'null' : typeof value}.`);
}
