/** Splits a byte stream into lines. Cuts only at line feeds, so a character split over two chunks stays whole. */
import { isUtf8 } from 'node:buffer';

const lineFeed = 0x0a;

/**
 * Yields complete lines only; what follows the last line feed is dropped, for a watch line cut short says nothing.
 * @throws Error at a line that is not UTF-8: decoded, it would have question marks in the place of what it said
 */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  let rest: Buffer[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    const buffer = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    for (let at = buffer.indexOf(lineFeed); at >= 0; at = buffer.indexOf(lineFeed, from)) {
      rest.push(buffer.subarray(from, at));
      const line = rest.length === 1 ? rest[0] : Buffer.concat(rest);
      rest = [];
      from = at + 1;
      if (line === undefined || line.length === 0) continue;
      if (!isUtf8(line)) throw new Error('a line is not UTF-8');
      yield line.toString('utf8');
    }
    if (from < buffer.length) rest.push(buffer.subarray(from));
  }
}
