/** A real pipe whose other end is full, or closed. */
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Pipe } from '../../test/support/pipe.ts';
import { LogSink } from './log-sink.ts';

let pipe: Pipe;
let writer: number;

beforeEach(() => {
  pipe = new Pipe();
  writer = openSync(pipe.path, 'a');
});

afterEach(() => {
  pipe.remove();
  closeSync(writer);
});

async function drainUntil(text: string): Promise<string> {
  let all = '';
  while (!all.includes(text)) {
    all += pipe.drain();
    await sleep(5);
  }
  return all;
}

describe('LogSink', () => {
  test('lines arrive in order', async () => {
    const sink = new LogSink(writer);
    for (let number = 0; number < 100; number++) sink.write(`${number}\n`);
    const text = await drainUntil('99\n');
    expect(text).toBe(Array.from({ length: 100 }, (_, number) => `${number}\n`).join(''));
  });

  test('a reader that reads nothing is not waited for; what did not fit is told when it reads again [F57]', async () => {
    const sink = new LogSink(writer);
    pipe.fill();
    const line = `${'y'.repeat(999)}\n`;
    for (let number = 0; number < 2_000; number++) sink.write(line);
    expect(sink.dropped).toBeGreaterThan(900);
    const text = await drainUntil('nobody read them');
    expect(text.match(/y+\n/g)?.length).toBe(2_000 - Number(/"dropped":(\d+)/.exec(text)?.[1]));
  });

  test('a reader that has gone is not written to again, and nothing is thrown [F57]', async () => {
    const sink = new LogSink(writer);
    pipe.closeReader();
    sink.write('into the void\n');
    while (sink.dropped === 0) {
      sink.write('again\n');
      await sleep(1);
    }
    sink.end();
    expect(sink.dropped).toBeGreaterThan(0);
  });
});
