import { describe, expect, test } from 'vitest';
import { effortCheck, loopCheck, Silence, startChecks, watchCheck } from './checks.ts';
import type { LoopPulse } from './checks.ts';
import { report } from './health.ts';
import type { Check } from './health.ts';

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

const facts = { side: 'host', kind: 'pods', objects: 3, complete: true, heardAtMs: 7, position: '1' };

/** A check that is asked every ten seconds, as the kubelet does, until so much time has passed. */
function asked(of: (silence: Silence) => Check, forMs: number, meanwhile: () => void = () => {}): string | undefined {
  let nowMs = 0;
  const check = of(new Silence(() => nowMs));
  for (; nowMs < forMs; nowMs += 10_000) {
    check.problem();
    meanwhile();
  }
  return check.problem();
}

describe('watchCheck() [OPS-10]', () => {
  test.each([
    [80_000, undefined],
    [200_000, 'nothing heard for more than 150 s of pods'],
  ])('after %d ms of silence says %s', (forMs, problem) => {
    expect(asked((silence) => watchCheck('host', () => [facts], silence), forMs)).toBe(problem);
    expect(asked((silence) => watchCheck('virtual', () => [facts], silence), forMs)).toBeUndefined();
  });

  test('leaves what was never heard of to the start', () => {
    const never = { ...facts, heardAtMs: undefined };
    expect(asked((silence) => watchCheck('host', () => [never], silence), 3_600_000)).toBeUndefined();
  });
});

describe('effortCheck() [OPS-10]', () => {
  const hourMs = 60 * minuteMs;

  test('is content with a watch that hears something, and with one that fails again and again', () => {
    let heardAtMs = 0;
    let attempts = 0;
    const hears = (silence: Silence) =>
      effortCheck(
        () => [{ ...facts, heardAtMs }],
        () => 0,
        silence,
      );
    const tries = (silence: Silence) =>
      effortCheck(
        () => [facts],
        () => attempts,
        silence,
      );
    expect(asked(hears, hourMs, () => void heardAtMs++)).toBeUndefined();
    expect(asked(tries, hourMs, () => void attempts++)).toBeUndefined();
  });

  test('is content with a watch that has not begun, for the start waits for an API server', () => {
    const early = { ...facts, heardAtMs: undefined };
    expect(
      asked(
        (silence) =>
          effortCheck(
            () => [early],
            () => 0,
            silence,
          ),
        hourMs,
      ),
    ).toBeUndefined();
  });

  test('fails when a watch has stopped trying', () => {
    const stuck = (silence: Silence) =>
      effortCheck(
        () => [facts],
        () => 3,
        silence,
      );
    expect(asked(stuck, 15 * minuteMs)).toBeUndefined();
    expect(asked(stuck, 25 * minuteMs)).toBe('given up without a reason: host pods');
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
