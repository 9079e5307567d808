import { beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from './outcome.ts';
import { settled } from './outcome.ts';
import { Queue } from './queue.ts';

const failed: Outcome = { is: 'failed', error: new Error('no') };

let nowMs = 0;
let timers: { dueMs: number; callback: () => void }[] = [];

/** Lets fake time pass. */
function pass(ms: number): void {
  nowMs += ms;
  const due = timers.filter(({ dueMs }) => dueMs <= nowMs);
  timers = timers.filter(({ dueMs }) => dueMs > nowMs);
  for (const { callback } of due) callback();
}

function newQueue(): Queue {
  return new Queue({
    now: () => nowMs,
    random: () => 1,
    schedule: (callback, ms) => {
      const timer = { dueMs: nowMs + ms, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  });
}

const stop = new AbortController();
let queue: Queue;
let worker: AsyncGenerator<string>;

/** The next key for a worker, or none when it would have to wait. */
async function next(): Promise<string | undefined> {
  if (queue.length === 0) return undefined;
  return (await worker.next()).value as string;
}

async function drained(): Promise<readonly string[]> {
  const keys: string[] = [];
  for (let key = await next(); key !== undefined; key = await next()) {
    keys.push(key);
    queue.settle(key, settled);
  }
  return keys;
}

beforeEach(() => {
  nowMs = 0;
  timers = [];
  queue = newQueue();
  worker = queue.take(stop.signal);
});

describe('Queue', () => {
  test('holds a key once however often it is added', async () => {
    for (const key of ['a', 'b', 'a', 'a']) queue.add(key);
    expect(queue.length).toBe(2);
    expect(await drained()).toEqual(['a', 'b']);
    expect(queue.idle).toBe(true);
  });

  test('never gives the same key to two workers; what came meanwhile comes again [CORE-02]', async () => {
    queue.add('a');
    const first = await next();
    queue.add('a');
    queue.addPatiently('a');
    expect([first, queue.length, queue.idle]).toEqual(['a', 0, false]);
    queue.settle('a', settled);
    expect(await drained()).toEqual(['a']);
  });

  test('keys of real changes go before those of a first pass, and a change lifts a patient key', async () => {
    for (const key of ['p1', 'p2', 'p3']) queue.addPatiently(key);
    queue.add('urgent');
    queue.add('p3');
    queue.addPatiently('urgent');
    expect(await drained()).toEqual(['urgent', 'p3', 'p1', 'p2']);
  });

  test('news of running objects do not wait behind a burst of wishes, and do not starve them', async () => {
    for (let index = 0; index < 4; index++) queue.add(`w${index}`);
    for (let index = 0; index < 8; index++) queue.add(`r${index}`, 'report');
    expect([queue.lengthOf('wish'), queue.lengthOf('report'), queue.lengthOf('patient')]).toEqual([4, 8, 0]);
    expect((await drained()).join(' ')).toBe('r0 r1 r2 w0 r3 r4 r5 w1 r6 r7 w2 w3');
  });

  test('knows how long keys wait and are worked on, and from which lane they came', async () => {
    queue.addPatiently('a');
    pass(70);
    expect(queue.oldestMs('patient')).toBe(70);
    await next();
    pass(30);
    expect([queue.laneOf('a'), queue.ageMs('a'), queue.slowerThan(29), queue.slowerThan(31)]).toEqual([
      'patient',
      100,
      1,
      0,
    ]);
    queue.settle('a', settled);
    expect([queue.laneOf('a'), queue.ageMs('a'), queue.oldestMs('patient')]).toEqual([undefined, 0, 0]);
  });

  test('a failing key comes back later and later, at most a minute later, and never at once [CORE-06] [F43]', async () => {
    const waitsMs: number[] = [];
    queue.add('a');
    for (let round = 0; round < 20; round++) {
      await next();
      queue.add('a'); // An event of its own doing must not make it spin.
      queue.settle('a', failed);
      expect(queue.length).toBe(0);
      const dueMs = timers[0]?.dueMs ?? 0;
      waitsMs.push(dueMs - nowMs);
      pass(dueMs - nowMs);
    }
    expect(waitsMs.slice(0, 4)).toEqual([5, 10, 20, 40]);
    expect(Math.max(...waitsMs)).toBe(60_000);
  });

  test('success forgets the failures', async () => {
    queue.add('a');
    await next();
    queue.settle('a', failed);
    expect(queue.failuresOf('a')).toBe(1);
    pass(5);
    await next();
    queue.settle('a', settled);
    expect(queue.failuresOf('a')).toBe(0);
  });

  test('waits as long as the server asked for', async () => {
    queue.add('a');
    await next();
    queue.settle('a', { ...failed, retryAfterMs: 3_000 });
    pass(2_999);
    expect(queue.length).toBe(0);
    pass(1);
    expect(await next()).toBe('a');
  });

  test('waits no longer than the failure allows, however many there were [CORE-06, F31]', async () => {
    for (let round = 0; round < 20; round++) {
      queue.add('a');
      await next();
      queue.settle('a', { ...failed, retryMaxMs: 500 });
      expect((timers[0]?.dueMs ?? 0) - nowMs).toBeLessThanOrEqual(500);
      pass(500);
    }
  });

  test('of several delays of a key the earliest wins, and none is left over', () => {
    queue.addAfter('a', 500);
    queue.addAfter('a', 100);
    queue.addAfter('a', 900);
    expect(timers.map(({ dueMs }) => dueMs)).toEqual([100]);
    pass(100);
    expect(queue.length).toBe(1);
  });

  test('looks again when the outcome says so, and at once when something changed meanwhile', async () => {
    queue.add('a');
    await next();
    queue.add('a');
    queue.settle('a', { is: 'again', afterMs: 1_000 });
    expect(queue.length).toBe(1);
    await next();
    queue.settle('a', { is: 'again', afterMs: 2_000 });
    expect(timers.map(({ dueMs }) => dueMs)).toEqual([2_000]);
    pass(2_000);
    expect(await drained()).toEqual(['a']);
  });

  test('a look that wants nothing more leaves no timer behind', async () => {
    queue.add('a');
    await next();
    queue.settle('a', { is: 'again', afterMs: 60_000_000 });
    queue.add('a');
    expect(await drained()).toEqual(['a']);
    expect(timers).toEqual([]);
  });

  test('waiting workers are woken by keys and by the end', async () => {
    const end = new AbortController();
    const taken: string[] = [];
    const work = async (): Promise<void> => {
      for await (const key of queue.take(end.signal)) {
        taken.push(key);
        queue.settle(key, settled);
      }
    };
    const workers = [work(), work()];
    await Promise.resolve();
    queue.add('a');
    queue.add('b');
    await Promise.resolve();
    end.abort();
    await Promise.all(workers);
    expect(taken.toSorted()).toEqual(['a', 'b']);
  });
});
