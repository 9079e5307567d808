import { describe, expect, test } from 'vitest';
import { initialWatchState, nextWatchState, watchDelayMs } from './watch-state.ts';
import type { WatchInput, WatchState } from './watch-state.ts';

const watching: WatchState = { at: 'watch', version: '7', failures: 2 };

describe('nextWatchState', () => {
  test.each<[WatchState, WatchInput, WatchState]>([
    [initialWatchState, { is: 'listed', version: '7' }, { at: 'watch', version: '7', failures: 0 }],
    [initialWatchState, { is: 'failed' }, { at: 'list', failures: 1 }],
    [watching, { is: 'progress', version: '9' }, { at: 'watch', version: '9', failures: 0 }],
    [watching, { is: 'ended' }, watching],
    [watching, { is: 'failed' }, { at: 'watch', version: '7', failures: 3 }],
    [watching, { is: 'expired' }, { at: 'list', failures: 3 }],
  ])('%j and %j make %j [OPS-12] [OPS-13]', (state, input, expected) => {
    expect(nextWatchState(state, input)).toEqual(expected);
  });
});

describe('watchDelayMs', () => {
  const delays = (random: number): readonly number[] =>
    [0, 1, 2, 3, 6, 7, 1000].map((failures) => watchDelayMs({ at: 'list', failures }, () => random));

  test('grows from 0.8 s to 30 s, with jitter [OPS-13]', () => {
    expect(delays(1)).toEqual([0, 800, 1_600, 3_200, 25_600, 30_000, 30_000]);
    expect(delays(0)).toEqual([0, 400, 800, 1_600, 12_800, 15_000, 15_000]);
  });

  test('honours a longer Retry-After', () => {
    expect(watchDelayMs({ at: 'list', failures: 1 }, () => 1, 5_000)).toBe(5_000);
    expect(watchDelayMs({ at: 'list', failures: 1 }, () => 1, 5)).toBe(800);
  });
});
