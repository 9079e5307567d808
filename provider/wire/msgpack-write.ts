/** Writes single msgpack values in their shortest form, backwards: first the content, then what stands in front of it. */
import type { ReverseWriter } from './bytes.ts';

export function writeNull(writer: ReverseWriter): void {
  writer.byte(0xc0);
}

/** Extension 0 with one byte: what Terraform takes for unknown. */
export function writeUnknown(writer: ReverseWriter): void {
  writer.byte(0);
  writer.byte(0);
  writer.byte(0xd4);
}

export function writeBool(writer: ReverseWriter, value: boolean): void {
  writer.byte(value ? 0xc3 : 0xc2);
}

/** A safe integer. */
export function writeInteger(writer: ReverseWriter, value: number): void {
  if (value >= 0 ? value < 0x80 : value >= -0x20) writer.byte(value & 0xff);
  else if (value >= 0) writeUnsigned(writer, value);
  else writeNegative(writer, value);
}

function writeUnsigned(writer: ReverseWriter, value: number): void {
  if (value <= 0xff) sizedNumber(writer, 0xcc, 1, value);
  else if (value <= 0xffff) sizedNumber(writer, 0xcd, 2, value);
  else if (value <= 0xffffffff) sizedNumber(writer, 0xce, 4, value);
  else longNumber(writer, 0xcf, value);
}

function writeNegative(writer: ReverseWriter, value: number): void {
  if (value >= -0x80) sizedNumber(writer, 0xd0, 1, value);
  else if (value >= -0x8000) sizedNumber(writer, 0xd1, 2, value);
  else if (value >= -0x80000000) sizedNumber(writer, 0xd2, 4, value);
  else longNumber(writer, 0xd3, value);
}

/** Text that is UTF-8 already. */
export function writeText(writer: ReverseWriter, text: Uint8Array): void {
  writer.prepend(text);
  const { length } = text;
  if (length < 0x20) writer.byte(0xa0 | length);
  else sizedLength(writer, length, [0xd9, 0xda, 0xdb]);
}

export function writeBinary(writer: ReverseWriter, bytes: Uint8Array): void {
  writer.prepend(bytes);
  sizedLength(writer, bytes.length, [0xc4, 0xc5, 0xc6]);
}

/** In front of this many values, which are written already. */
export function writeArray(writer: ReverseWriter, length: number): void {
  if (length < 0x10) writer.byte(0x90 | length);
  else sizedLength(writer, length, [undefined, 0xdc, 0xdd]);
}

/** In front of this many pairs, which are written already. */
export function writeMap(writer: ReverseWriter, length: number): void {
  if (length < 0x10) writer.byte(0x80 | length);
  else sizedLength(writer, length, [undefined, 0xde, 0xdf]);
}

/** First bytes for a length of 1, 2 and 4 bytes. */
function sizedLength(
  writer: ReverseWriter,
  length: number,
  firsts: readonly [number | undefined, number, number],
): void {
  const [one, two, four] = firsts;
  if (length <= 0xff && one !== undefined) sizedNumber(writer, one, 1, length);
  else if (length <= 0xffff) sizedNumber(writer, two, 2, length);
  else sizedNumber(writer, four, 4, length);
}

function sizedNumber(writer: ReverseWriter, first: number, size: 1 | 2 | 4, value: number): void {
  writer.fill(size + 1, (view, at) => {
    view.setUint8(at, first);
    if (size === 1) view.setUint8(at + 1, value);
    else if (size === 2) view.setUint16(at + 1, value);
    else view.setUint32(at + 1, value);
  });
}

function longNumber(writer: ReverseWriter, first: number, value: number): void {
  writer.fill(9, (view, at) => {
    view.setUint8(at, first);
    // The two's complement of a negative number is the same bits for both.
    view.setBigInt64(at + 1, BigInt(value));
  });
}
