import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, sum, tryThousandths } from './quantities.ts';

describe('canonical() is what the API server gives back for', () => {
  test.each([
    ['2000m', '2'],
    ['500m', '500m'],
    [2, '2'],
    [0.5, '500m'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['16G', '16G'],
    ['1000M', '1G'],
    ['0', '0'],
    ['1000', '1k'],
  ])('%s: %s', (given, wanted) => {
    expect(canonical(given)).toBe(wanted);
  });
});

test('sum() adds what is written in different units', () => {
  expect(sum('4', '605m')).toBe('4605m');
  expect(sum('16Gi', '480Mi')).toBe('16864Mi');
  expect(sum(0, '512Mi', '512Mi')).toBe('1Gi');
});

test('sum() loses nothing, whatever the units', () => {
  const cpu = fc.integer({ min: 0, max: 10_000 }).map((value) => [`${value}m`, value] as const);
  const memory = fc.integer({ min: 0, max: 100_000 }).map((value) => [`${value}Mi`, value * 2 ** 20 * 1000] as const);
  fc.assert(
    fc.property(fc.array(fc.oneof(cpu, memory), { minLength: 1 }), (all) => {
      const total = all.reduce((amount, [, value]) => amount + value, 0);
      expect(tryThousandths(sum(...all.map(([text]) => text)))).toBe(total);
    }),
  );
});

test('what is no quantity is refused', () => {
  expect(tryThousandths('lots')).toBeUndefined();
  expect(tryThousandths('-1')).toBeUndefined();
  expect(() => sum('1', '2 Gi')).toThrow(/must be of the form .*, got: "2 Gi"/);
});
