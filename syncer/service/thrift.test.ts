import { describe, expect, test } from 'vitest';
import { giveMemoryBack } from './thrift.ts';

const mib = 1024 * 1024;

/** Looks that find the process busy and its heap as given; how often each look led to a collection, down to `livingMib`. */
async function collectionsOf(looks: readonly { busy: number; heapMib: number }[], livingMib = 20): Promise<number[]> {
  const stop = new AbortController();
  const collected: number[] = [];
  let look = -1;
  let heapMib = livingMib;
  await giveMemoryBack(stop.signal, {
    busyShare: () => looks[look]?.busy ?? 0,
    heapBytes: () => heapMib * mib,
    collect: () => {
      collected.push(look);
      heapMib = livingMib;
    },
    wait: async () => {
      look += 1;
      if (look === looks.length) stop.abort();
      heapMib = looks[look]?.heapMib ?? heapMib;
    },
  });
  return collected;
}

describe('giveMemoryBack()', () => {
  test('collects once when work has ended, never during it', async () => {
    const working = { busy: 0.6, heapMib: 60 };
    const resting = { busy: 0.01, heapMib: 60 };
    expect(await collectionsOf([working, working, resting, { ...resting, heapMib: 20 }])).toEqual([2]);
  });

  test('collects after work that has left less alive than there was before', async () => {
    const looks = [
      { busy: 0.6, heapMib: 60 },
      { busy: 0.01, heapMib: 20 },
    ];
    expect(await collectionsOf(looks, 60)).toEqual([1]);
  });

  test('lets a process at rest alone until enough has come together', async () => {
    const looks = [21, 24, 27, 29, 22].map((heapMib) => ({ busy: 0.02, heapMib }));
    expect(await collectionsOf(looks)).toEqual([3]);
  });

  test('ends at once where Node does not offer it', async () => {
    const never = {
      busyShare: () => 0,
      heapBytes: () => 0,
      collect: undefined,
      wait: () => new Promise<never>(() => {}),
    };
    await expect(giveMemoryBack(new AbortController().signal, never)).resolves.toBeUndefined();
  });
});
