import { describe, expect, test } from 'vitest';
import { loopCheck, startChecks, watchCheck } from './checks.ts';
import type { LoopPulse } from './checks.ts';
import { report } from './health.ts';

const minuteMs = 60_000;
const calm: LoopPulse = { oldestMs: 0, sinceLastLookMs: 0, slowerThan: () => 0 };

describe('loopCheck() [OPS-10]', () => {
  const problem = (pulse: Partial<LoopPulse>): string | undefined => loopCheck(() => ({ ...calm, ...pulse })).problem();

  test.each<[string, Partial<LoopPulse>]>([
    ['nothing to do for hours', { sinceLastLookMs: 600 * minuteMs }],
    ['keys wait long while looks end', { oldestMs: 60 * minuteMs, sinceLastLookMs: 1_000 }],
    [
      'a host API that hangs: looks take as long as their deadlines',
      { slowerThan: (ms) => (ms < 10 * minuteMs ? 64 : 0) },
    ],
  ])('is content with %s', (_, pulse) => {
    expect(problem(pulse)).toBeUndefined();
  });

  test('fails when keys wait and no look ends', () => {
    expect(problem({ oldestMs: 25 * minuteMs, sinceLastLookMs: 21 * minuteMs })).toBe(
      'keys have been waiting for 25 min, and no look has ended for 21 min',
    );
  });

  test('fails when a look never ends', () => {
    expect(problem({ slowerThan: (ms) => (ms < 30 * minuteMs ? 1 : 0) })).toContain('1 looks at keys');
  });
});

describe('watchCheck() [OPS-10]', () => {
  const heard = (agoMs: number) => ({ side: 'host', kind: 'pods', objects: 3, complete: true, heardAtMs: -agoMs });

  test.each([
    [80_000, undefined],
    [200_000, 'nothing heard for more than 150 s of pods'],
  ])('after %d ms of silence says %s', (agoMs, problem) => {
    expect(
      watchCheck(
        'host',
        () => [heard(agoMs)],
        () => 0,
      ).problem(),
    ).toBe(problem);
    expect(
      watchCheck(
        'virtual',
        () => [heard(agoMs)],
        () => 0,
      ).problem(),
    ).toBeUndefined();
  });

  test('leaves what was never heard of to the start', () => {
    const never = { ...heard(0), heardAtMs: undefined };
    expect(
      watchCheck(
        'host',
        () => [never],
        () => 1e12,
      ).problem(),
    ).toBeUndefined();
  });
});

describe('report()', () => {
  const missing = new Set(['caches', 'cluster DNS']);
  const checks = startChecks(['host API', 'caches', 'cluster DNS'], missing, {
    caches: () => 'not listed yet: host pods',
  });

  test('says in one line what is missing', () => {
    expect(report(checks, false)).toEqual({
      status: 503,
      text: 'missing: caches: not listed yet: host pods; cluster DNS',
    });
  });

  test('tells of every check when asked to', () => {
    const text = '[+] host API\n[-] caches: not listed yet: host pods\n[-] cluster DNS';
    expect(report(checks, true)).toEqual({ status: 503, text });
  });

  test('is short when all is well', () => {
    missing.clear();
    expect(report(checks, false)).toEqual({ status: 200, text: 'ok' });
  });
});
