import { describe, expect, test } from 'vitest';
import { stayAwake } from './awake.ts';

/** A clock on which each wait takes so long. */
function clockOf(waitsMs: readonly number[], stop: AbortController): Parameters<typeof stayAwake>[1] {
  let nowMs = 0;
  const left = [...waitsMs];
  return {
    monotonicMs: () => nowMs,
    wait: async () => {
      nowMs += left.shift() ?? 0;
      if (left.length === 0) stop.abort();
      await Promise.resolve();
    },
  };
}

describe('stayAwake()', () => {
  test('a process that was suspended for a minute ends [F08]', async () => {
    const stop = new AbortController();
    await expect(stayAwake(stop.signal, clockOf([1_000, 71_000, 1_000], stop))).rejects.toThrow('stood still for 70 s');
  });

  test('one that was busy for some seconds goes on, also again and again [F56]', async () => {
    const stop = new AbortController();
    await expect(stayAwake(stop.signal, clockOf([1_000, 9_000, 9_000, 12_000, 1_000], stop))).resolves.toBeUndefined();
  });
});
