/** What `/healthz` and `/readyz` look at. Every limit stands here, with its reason. */
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
export function watchCheck(side: string, watches: () => readonly WatchFacts[], silence: Silence): Check {
  return {
    name: `watches of the ${side} API`,
    problem: () => {
      const silent = watches().filter(
        ({ side: of, kind, heardAtMs }) =>
          of === side && heardAtMs !== undefined && silence.msOf(`${side} ${kind}`, String(heardAtMs)) > silentMs,
      );
      if (silent.length === 0) return undefined;
      return `nothing heard for more than ${Math.round(silentMs / 1000)} s of ${silent.map(({ kind }) => kind).join(', ')}`;
    },
  };
}

/**
 * Fails when a watch has neither heard anything nor begun anew for so long that it has stopped trying. One that fails again and again
 * tries; a restart would not help it.
 */
export function effortCheck(
  watches: () => readonly WatchFacts[],
  attempts: (side: string, kind: string) => number,
  silence: Silence,
): Check {
  return {
    name: 'watches',
    problem: () => {
      const idle = watches().filter(({ side, kind, heardAtMs = 0 }) => {
        const signs = `${heardAtMs} ${attempts(side, kind)}`;
        // Before the start has come to it, a watch has nothing to try.
        return signs !== '0 0' && silence.msOf(`${side} ${kind}`, signs) > wedgedMs;
      });
      if (idle.length === 0) return undefined;
      return `given up without a reason: ${idle.map(({ side, kind }) => `${side} ${kind}`).join(', ')}`;
    },
  };
}

/** How long something has stayed as it is, on a clock that never jumps; as far as it was looked at. */
export class Silence {
  readonly #seen = new Map<string, { readonly state: string; readonly sinceMs: number }>();
  readonly #now: () => number;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  msOf(id: string, state: string): number {
    const seen = this.#seen.get(id);
    if (seen?.state === state) return this.#now() - seen.sinceMs;
    this.#seen.set(id, { state, sinceMs: this.#now() });
    return 0;
  }
}

function minutes(ms: number): string {
  return `${Math.round(ms / 60_000)} min`;
}
