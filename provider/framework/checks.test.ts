/** Checks, the nearest word, durations: what people read when they mistyped something. */
import { describe, expect, test } from 'vitest';
import { all, each, matches, oneOf, text, wholeNumber } from './checks.ts';
import { distance, nearest } from './nearest.ts';
import { duration, durationText, parseDuration, timeoutMs, timeouts } from './timeouts.ts';

describe('checks', () => {
  test('oneOf() lists the words, repeats the value and says what was probably meant', () => {
    const [found, ...more] = oneOf('create', 'adopt', 'keep')('adpot', ['namespace_lifecycle']);
    expect(more).toEqual([]);
    expect(found).toEqual({
      severity: 'error',
      summary: 'Invalid value',
      detail: 'It must be one of "create", "adopt", "keep", got: "adpot". Did you mean "adopt"?',
      path: ['namespace_lifecycle'],
    });
    expect(oneOf('create', 'adopt')('something else', [])[0]?.detail).not.toContain('Did you mean');
    expect(oneOf('create', 'adopt')('adopt', [])).toEqual([]);
  });

  test('a secret is not repeated', () => {
    expect(matches(/^x/, 'an x', { secret: true })('hunter2', ['a'])[0]?.detail).toBe('It must be an x.');
    expect(text(() => 'an x')('hunter2', ['a'])[0]?.detail).toBe('It must be an x, got: "hunter2".');
  });

  test.each([
    [1, 10, 0.5, 'It must be a whole number from 1 to 10, got: 0.5.'],
    [1, 10, 11, 'It must be a whole number from 1 to 10, got: 11.'],
    [1, undefined, 0, 'It must be a whole number 1 or more, got: 0.'],
    [1, 10, 10, undefined],
  ])('wholeNumber(%s, %s) of %s', (min, max, value, detail) => {
    expect(wholeNumber(min, max)(value, [])[0]?.detail).toBe(detail);
  });

  test('each() names the element; all() makes every check', () => {
    const check = each(all(matches(/^a/, 'an a'), matches(/b$/, 'a b at the end')));
    expect(check(['ab', 'x'], ['list']).map(({ path }) => path)).toEqual([
      ['list', 1],
      ['list', 1],
    ]);
    expect(check({ k: 'x' }, ['map'])[0]?.path).toEqual(['map', 'k']);
  });
});

describe('nearest()', () => {
  test.each([
    ['ingreses', 'ingresses'],
    ['INGRESSES', 'ingresses'],
    ['ingressse', 'ingresses'],
    ['pvc', undefined],
    ['', undefined],
  ])('of %o', (word, expected) => {
    expect(nearest(word, ['ingresses', 'services', 'endpoints'])).toBe(expected);
  });

  test('distance() counts a swap of neighbours as one', () => {
    expect([distance('ab', 'ba'), distance('abc', 'abc'), distance('', 'abc'), distance('kitten', 'sitting')]).toEqual([
      1, 0, 3, 3,
    ]);
  });
});

describe('durations', () => {
  test.each([
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
    ['.5h', 1_800_000],
    ['250ms', 250],
    ['1h2m3s4ms', 3_723_004],
    ['0', 0],
    ['10µs', 0.01],
    ['5', undefined],
    ['5 m', undefined],
    ['m', undefined],
    ['-5m', undefined],
    ['', undefined],
    ['1d', undefined],
    ['5m ', undefined],
  ])('parseDuration(%o)', (written, expected) => {
    expect(parseDuration(written)).toBe(expected);
  });

  test('durationText() is read back as the same', () => {
    for (const ms of [0, 1, 1500, 60_000, 5_400_000, 3_723_004]) expect(parseDuration(durationText(ms))).toBe(ms);
    expect(durationText(90_000)).toBe('1m30s');
  });

  test('the check wants more than nothing', () => {
    expect(duration('0s', ['timeouts', 'create'])[0]?.detail).toContain('more than zero, got: "0s".');
    expect(duration('5m', [])).toEqual([]);
  });

  test('timeoutMs() takes what the object says, else the default, else nothing', () => {
    const attributes = { timeouts: timeouts({ create: '10m' }) };
    expect(timeoutMs(attributes, 'create', { timeouts: { create: '1s' } })).toBe(1000);
    expect(timeoutMs(attributes, 'create', { timeouts: null })).toBe(600_000);
    expect(timeoutMs(attributes, 'delete', { timeouts: null })).toBeUndefined();
    expect(timeoutMs({}, 'create', {})).toBeUndefined();
  });
});
