import { describe, expect, test } from 'vitest';
import { initialWatchState, nextWatchState, watchDelayMs } from './watch-state.ts';
import type { WatchInput, WatchState } from './watch-state.ts';

const watching: WatchState = { at: 'watch', version: '7', failures: 2, waits: false };
const probing: WatchState = { ...watching, at: 'probe' };
const behind: WatchState = { at: 'behind', failures: 4, waits: true };

describe('nextWatchState', () => {
  test.each<[WatchState, WatchInput, WatchState]>([
    [initialWatchState, { is: 'listed', version: '7' }, { at: 'watch', version: '7', failures: 0, waits: false }],
    [initialWatchState, { is: 'refused' }, { at: 'list', failures: 1, waits: true }],
    [initialWatchState, { is: 'broken', livedMs: 99_999, progressed: false }, { at: 'list', failures: 1, waits: true }],
    [watching, { is: 'progress', version: '9' }, { ...watching, version: '9' }],
    [watching, { is: 'expired' }, { at: 'list', failures: 3, waits: true }],
    [watching, { is: 'idle' }, { at: 'list', failures: 3, waits: false }],
    [watching, { is: 'refused' }, { ...watching, failures: 3, waits: true }],
    [watching, { is: 'broken', livedMs: 9, progressed: true }, { ...probing, failures: 3, waits: true }],
    [probing, { is: 'broken', livedMs: 9, progressed: false }, { ...probing, failures: 3, waits: true }],
    [probing, { is: 'current' }, watching],
    [probing, { is: 'behind' }, { at: 'behind', failures: 3, waits: true }],
    [behind, { is: 'behind' }, { at: 'behind', failures: 5, waits: true }],
    [behind, { is: 'current' }, { at: 'list', failures: 5, waits: false }],
  ])('%j and %j make %j [OPS-12] [OPS-13]', (state, input, expected) => {
    expect(nextWatchState(state, input)).toEqual(expected);
  });

  test('a watch that has lasted begins anew without what went wrong before [benchmarks 3.6]', () => {
    const lasted = { ...watching, failures: 5 };
    expect(nextWatchState(lasted, { is: 'ended', livedMs: 10_000 })).toEqual({ ...probing, failures: 0 });
    expect(nextWatchState(lasted, { is: 'ended', livedMs: 9_999 })).toEqual({ ...probing, failures: 6, waits: true });
    expect(nextWatchState(lasted, { is: 'broken', livedMs: 10_000, progressed: false })).toEqual({
      ...probing,
      failures: 1,
      waits: true,
    });
  });

  test('a watch that breaks again and again without showing anything makes room for a list [benchmarks 3.8]', () => {
    const stuck = { ...watching, failures: 3 };
    expect(nextWatchState(stuck, { is: 'broken', livedMs: 9, progressed: false }).at).toBe('list');
    expect(nextWatchState(stuck, { is: 'broken', livedMs: 9, progressed: true }).at).toBe('probe');
  });
});

describe('watchDelayMs', () => {
  const delays = (random: number): readonly number[] =>
    [1, 2, 3, 6, 7, 1000].map((failures) => watchDelayMs({ at: 'list', failures, waits: true }, () => random));

  test('grows from 0.8 s to 30 s, with jitter [OPS-13]', () => {
    expect(watchDelayMs({ at: 'list', failures: 9, waits: false }, () => 1)).toBe(0);
    expect(delays(1)).toEqual([800, 1_600, 3_200, 25_600, 30_000, 30_000]);
    expect(delays(0)).toEqual([400, 800, 1_600, 12_800, 15_000, 15_000]);
  });

  test('honours a longer Retry-After, and spreads those who got the same [F29]', () => {
    const once: WatchState = { at: 'list', failures: 1, waits: true };
    expect(watchDelayMs(once, () => 0, 5_000)).toBe(5_000);
    expect(watchDelayMs(once, () => 1, 5_000)).toBe(5_500);
    expect(watchDelayMs(once, () => 1, 5)).toBe(800);
  });
});
