/** What `/healthz` and `/readyz` look at. Pure but for the clock that is handed in; every limit stands here, with its reason. */
import type { WatchFacts } from './cluster-metrics.ts';
import type { Check } from './health.ts';

/**
 * Far beyond what an API server that hangs can hold up a look: each of its few requests has a deadline of half a minute, after a
 * wait for a free place. A look that takes longer has lost its wake-up, and only a restart helps.
 */
const wedgedMs = 20 * 60_000;
/** A healthy watch shows a bookmark a minute, a silent one is begun anew after a minute and a half, later by half a minute at most. */
const silentMs = 150_000;

/** The loop, as far as a probe is concerned. All times in milliseconds. */
export interface LoopPulse {
  /** How long the key that has waited longest has been waiting, audits aside. */
  readonly oldestMs: number;
  readonly sinceLastLookMs: number;
  /** How many looks have been going on for longer than this. */
  readonly slowerThan: (ms: number) => number;
}

/** Fails when the loop has stopped although there is work, or a look never ends. */
export function loopCheck(pulse: () => LoopPulse): Check {
  return {
    name: 'loop',
    problem: () => {
      const { oldestMs, sinceLastLookMs, slowerThan } = pulse();
      const stuck = slowerThan(wedgedMs);
      if (stuck > 0) return `${stuck} looks at keys have been going on for more than ${minutes(wedgedMs)}`;
      if (Math.min(oldestMs, sinceLastLookMs) > wedgedMs)
        return `keys have been waiting for ${minutes(oldestMs)}, and no look has ended for ${minutes(sinceLastLookMs)}`;
      return undefined;
    },
  };
}

/** One check for each step of the start, in the order in which they are done. */
export function startChecks(
  steps: readonly string[],
  missing: ReadonlySet<string>,
  details: Readonly<Record<string, () => string>>,
): readonly Check[] {
  return steps.map((name) => ({ name, problem: () => (missing.has(name) ? (details[name]?.() ?? '') : undefined) }));
}

/** Fails when nothing has been heard of some kind for so long that the tenant's wishes, or the state of pods, are not seen. */
export function watchCheck(side: string, watches: () => readonly WatchFacts[], nowMs: () => number): Check {
  return {
    name: `watches of the ${side} API`,
    problem: () => {
      const silent = watches().filter(
        (watch) => watch.side === side && watch.heardAtMs !== undefined && nowMs() - watch.heardAtMs > silentMs,
      );
      if (silent.length === 0) return undefined;
      return `nothing heard for more than ${Math.round(silentMs / 1000)} s of ${silent.map(({ kind }) => kind).join(', ')}`;
    },
  };
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}
