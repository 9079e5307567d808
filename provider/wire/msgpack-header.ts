/** What a msgpack value begins with: its kind, and its value or its length. A table of the format's first bytes. */
import type { Reader } from './bytes.ts';
import { DecodeError } from './errors.ts';

/** The beginning of a value. Lengths are bytes for text, binary and extension, values for array, pairs for map. */
export type Header =
  | { readonly is: 'nil' }
  | { readonly is: 'bool'; readonly value: boolean }
  | { readonly is: 'integer'; readonly value: number | bigint }
  | { readonly is: 'float'; readonly value: number }
  | { readonly is: 'text' | 'binary' | 'array' | 'map'; readonly length: number }
  | { readonly is: 'extension'; readonly type: number; readonly length: number };

type Read = (view: DataView, at: number) => Header;

interface Row {
  /** Bytes after the first that belong to the header. */
  readonly size: number;
  readonly read: Read;
}

const sized = (is: 'text' | 'binary' | 'array' | 'map'): readonly [Row, Row, Row] => [
  { size: 1, read: (view, at) => ({ is, length: view.getUint8(at) }) },
  { size: 2, read: (view, at) => ({ is, length: view.getUint16(at) }) },
  { size: 4, read: (view, at) => ({ is, length: view.getUint32(at) }) },
];
const integer = (size: number, get: (view: DataView, at: number) => number | bigint): Row => ({
  size,
  read: (view, at) => ({ is: 'integer', value: get(view, at) }),
});
const constant = (header: Header): Row => ({ size: 0, read: () => header });
const fixedExtension = (length: number): Row => ({
  size: 1,
  read: (view, at) => ({ is: 'extension', length, type: view.getInt8(at) }),
});
const [, array16, array32] = sized('array');
const [, map16, map32] = sized('map');

/** First bytes from 0xc0 to 0xdf, in order; 0xc1 was never given a meaning. */
const rows: readonly (Row | undefined)[] = [
  constant({ is: 'nil' }),
  undefined,
  constant({ is: 'bool', value: false }),
  constant({ is: 'bool', value: true }),
  ...sized('binary'),
  { size: 2, read: (view, at) => ({ is: 'extension', length: view.getUint8(at), type: view.getInt8(at + 1) }) },
  { size: 3, read: (view, at) => ({ is: 'extension', length: view.getUint16(at), type: view.getInt8(at + 2) }) },
  { size: 5, read: (view, at) => ({ is: 'extension', length: view.getUint32(at), type: view.getInt8(at + 4) }) },
  { size: 4, read: (view, at) => ({ is: 'float', value: view.getFloat32(at) }) },
  { size: 8, read: (view, at) => ({ is: 'float', value: view.getFloat64(at) }) },
  integer(1, (view, at) => view.getUint8(at)),
  integer(2, (view, at) => view.getUint16(at)),
  integer(4, (view, at) => view.getUint32(at)),
  integer(8, (view, at) => view.getBigUint64(at)),
  integer(1, (view, at) => view.getInt8(at)),
  integer(2, (view, at) => view.getInt16(at)),
  integer(4, (view, at) => view.getInt32(at)),
  integer(8, (view, at) => view.getBigInt64(at)),
  ...[1, 2, 4, 8, 16].map(fixedExtension),
  ...sized('text'),
  array16,
  array32,
  map16,
  map32,
];

/** Reads the beginning of the next value. */
export function readHeader(reader: Reader, where: string): Header {
  const first = reader.view.getUint8(reader.skip(1, where));
  if (first < 0x80) return { is: 'integer', value: first };
  if (first < 0x90) return { is: 'map', length: first & 0x0f };
  if (first < 0xa0) return { is: 'array', length: first & 0x0f };
  if (first < 0xc0) return { is: 'text', length: first & 0x1f };
  if (first >= 0xe0) return { is: 'integer', value: first - 0x100 };
  const row = rows[first - 0xc0];
  if (row === undefined) throw new DecodeError(`${where}: the byte 0x${first.toString(16)} begins no msgpack value.`);
  return row.read(reader.view, reader.skip(row.size, where));
}
