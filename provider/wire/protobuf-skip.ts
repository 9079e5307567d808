/** Passes over a field that nobody asked for: one of a later minor version, or with another type than expected. */
import type { Reader } from './bytes.ts';
import { DecodeError } from './errors.ts';
import { readTruncated, readUint32 } from './varint.ts';

/** Wire type: a length, then so many bytes. */
export const wireLength = 2;
const wireGroupStart = 3;
const wireGroupEnd = 4;

/** Skips what belongs to `tag`, which has just been read. Groups may be nested up to `depthLeft` deep. */
export function skipField(reader: Reader, tag: number, where: string, depthLeft: number): void {
  if (tag >>> 3 === 0) throw new DecodeError(`${where}: there is no field 0.`);
  switch (tag & 7) {
    case 0:
      readTruncated(reader, where);
      return;
    case 1:
      reader.skip(8, where);
      return;
    case wireLength:
      reader.skip(readUint32(reader, where), where);
      return;
    case wireGroupStart:
      skipGroup(reader, tag, where, depthLeft);
      return;
    case 5:
      reader.skip(4, where);
      return;
    default:
      throw new DecodeError(`${where}: field ${tag >>> 3} has the wire type ${tag & 7}, which means nothing here.`);
  }
}

function skipGroup(reader: Reader, start: number, where: string, depthLeft: number): void {
  if (depthLeft <= 0) throw new DecodeError(`${where}: groups are nested too deep.`);
  const end = (start & ~7) | wireGroupEnd;
  for (;;) {
    const tag = readUint32(reader, where);
    if (tag === end >>> 0) return;
    skipField(reader, tag, where, depthLeft - 1);
  }
}
