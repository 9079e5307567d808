import { array, assert, double, property } from 'fast-check';
import { expect, test } from 'vitest';
import { randomFrom } from '../../test/support/random.ts';
import { abba, bootstrap, caughtUpMs, comparable, median, percentile, slope } from './statistics.ts';

const numbers = array(double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 50 });

test('percentile() is a measured value, by nearest rank', () => {
  const values = [5, 1, 4, 2, 3];
  expect([0, 0.5, 0.8, 0.99, 1].map((share) => percentile(values, share))).toEqual([1, 3, 4, 5, 5]);
  expect(percentile([], 0.5)).toBeNaN();
  assert(
    property(numbers, double({ min: 0, max: 1, noNaN: true }), (all, share) => all.includes(percentile(all, share))),
  );
});

test('median() of an even number is the mean of the middle two', () => {
  expect([median([3, 1, 2]), median([4, 1, 2, 3]), median([7])]).toEqual([2, 2.5, 7]);
  expect(median([])).toBeNaN();
});

test('bootstrap() encloses the median, is repeatable, and is a point when all values are equal', () => {
  assert(
    property(numbers, (values) => {
      const { low, median: middle, high } = bootstrap(values, randomFrom(1));
      return low <= middle && middle <= high;
    }),
    { numRuns: 20 },
  );
  expect(bootstrap([1, 2, 3, 9], randomFrom(7))).toEqual(bootstrap([1, 2, 3, 9], randomFrom(7)));
  expect(bootstrap([2, 2, 2], randomFrom(1))).toEqual({ median: 2, low: 2, high: 2 });
  const { low, high } = bootstrap([1, 1, 1, 1, 9], randomFrom(1));
  expect([low, high]).toEqual([1, 9]);
});

test('comparable() drops pairs whose calibrations are more than 15 % apart, whichever is slower', () => {
  const pair = (a: number, b: number) => ({
    first: { calibration: a, figures: 0 },
    second: { calibration: b, figures: 0 },
  });
  expect(comparable([pair(100, 115), pair(115, 100)])).toHaveLength(2);
  expect(comparable([pair(100, 116), pair(116, 100)])).toHaveLength(0);
});

test('slope() of points on a line is its gradient', () => {
  expect(slope([0, 10, 20].map((x) => ({ x, y: 3 * x + 7 })))).toBeCloseTo(3);
});

test('caughtUpMs() is the first moment at which nothing is outstanding', () => {
  const work = [
    { askedMs: 0, doneMs: 1 },
    { askedMs: 5, doneMs: 30 },
    { askedMs: 20, doneMs: 40 },
    { askedMs: 39, doneMs: 45 },
    { askedMs: 50, doneMs: 90 },
  ];
  expect(caughtUpMs(work, 10)).toBe(45);
  expect(caughtUpMs(work, 47)).toBe(47);
  expect(caughtUpMs([...work, { askedMs: 1, doneMs: undefined }], 10)).toBeUndefined();
  expect(caughtUpMs([], 10)).toBe(10);
});

test('abba() lets neither always come first', () => {
  expect(abba('A', 'B', 3)).toEqual([
    ['A', 'B'],
    ['B', 'A'],
    ['A', 'B'],
  ]);
});
