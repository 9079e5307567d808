/**
 * The variable-length numbers of protobuf, up to 64 bits, without a bigint where a number does.
 */
import type { Reader, ReverseWriter } from './bytes.ts';
import { DecodeError } from './errors.ts';
import type { Int64 } from './tables.ts';

/** The two halves of 64 bits, each unsigned. */
interface Halves {
  low: number;
  high: number;
}

// Filled by the last readHalves(); reading is synchronous, so it cannot be overtaken.
const halves: Halves = { low: 0, high: 0 };

/** Reads a number of at most 32 bits: a tag or a length. */
export function readUint32(reader: Reader, where: string): number {
  readHalves(reader, where);
  if (halves.high !== 0) throw new DecodeError(`${where}: a tag or length has more than 32 bits.`);
  return halves.low;
}

/** Reads 64 bits and keeps the lower 32, as protobuf says for its shorter kinds. */
export function readTruncated(reader: Reader, where: string): number {
  readHalves(reader, where);
  return halves.low;
}

/** Reads a bool: anything but 0 is true. */
export function readBool(reader: Reader, where: string): boolean {
  readHalves(reader, where);
  return halves.low !== 0 || halves.high !== 0;
}

/** Reads a signed number of 64 bits. */
export function readInt64(reader: Reader, where: string): Int64 {
  readHalves(reader, where);
  const number = (halves.high | 0) * 2 ** 32 + halves.low;
  if (Number.isSafeInteger(number)) return number;
  return (BigInt(halves.high | 0) << 32n) + BigInt(halves.low);
}

function readHalves(reader: Reader, where: string): void {
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = reader.bytes[reader.skip(1, where)] ?? 0;
    const bits = byte & 0x7f;
    if (shift === 63 && bits > 1) throw new DecodeError(`${where}: a number has more than 64 bits.`);
    if (shift <= 28) low |= bits << shift;
    if (shift === 28) high |= bits >>> 4;
    else if (shift > 28) high |= bits << (shift - 32);
    if (byte < 0x80) {
      halves.low = low >>> 0;
      halves.high = high >>> 0;
      return;
    }
  }
  throw new DecodeError(`${where}: a number has more than ten bytes.`);
}

/** Writes a number; negative ones take ten bytes. */
export function writeVarint(writer: ReverseWriter, value: Int64): void {
  if (typeof value === 'number' && value >= 0 && value < 0x80) writer.byte(value);
  else if (typeof value === 'number' && value >= 0 && value <= 0xffffffff) writeUint32(writer, value);
  else writeUint64(writer, BigInt.asUintN(64, BigInt(value)));
}

// The last group of seven bits is the highest and the only one without the mark that more follow.
function writeUint32(writer: ReverseWriter, value: number): void {
  let groups = 1;
  while (groups < 5 && value >= 2 ** (7 * groups)) groups += 1;
  for (let group = groups - 1; group >= 0; group -= 1) {
    writer.byte(((value >>> (7 * group)) & 0x7f) | (group === groups - 1 ? 0 : 0x80));
  }
}

function writeUint64(writer: ReverseWriter, value: bigint): void {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  writer.prepend(Uint8Array.from(bytes));
}
