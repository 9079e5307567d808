import { expect, test } from 'vitest';
import { lines } from './lines.ts';

async function split(chunks: readonly Uint8Array[]): Promise<readonly string[]> {
  const found: string[] = [];
  const source = async function* (): AsyncGenerator<Uint8Array> {
    for (const chunk of chunks) yield await Promise.resolve(chunk);
  };
  for await (const line of lines(source())) found.push(line);
  return found;
}

test('lines() keeps a character whole wherever the stream is cut [OPS-14, F38]', async () => {
  const text = '{"a":"grün 🚢"}\n{"b":2}\n\n{"c":"ж"}\n';
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.subarray(i * size, (i + 1) * size),
    );
    expect(await split(chunks)).toEqual(['{"a":"grün 🚢"}', '{"b":2}', '{"c":"ж"}']);
  }
});

test('lines() never yields a line that was cut short [OPS-14, F33]', async () => {
  expect(await split([Buffer.from('{"a":1}\n{"b":2}')])).toEqual(['{"a":1}']);
  expect(await split([Buffer.from('{"a"')])).toEqual([]);
});
