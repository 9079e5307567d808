/**
 * The states of a reflector, stepped by one pure function.
 *
 *   list ──listed──► watch ──ended, broken──► probe ──current──► watch      (from the last version that was applied)
 *    ▲                 │                        │
 *    ├──expired, idle──┘                        │ behind
 *    │                                          ▼
 *    └───────────────current────────────────► behind ◄──behind── list, behind
 *
 * probe: before a watch goes on, one small read says whether the store still is where it was. A server whose store was restored
 * answers a watch from a later version with silence until it has come so far again (faults F19).
 * behind: a list was older than what had been seen. It is not taken in, and asked for until it is no longer so (benchmarks §3.9).
 *
 * It never stops: only the process does. Delays grow from 0.8 s to 30 s with jitter (spec OPS-13) and begin anew once a watch has
 * lasted for ten seconds: whatever lasts that long costs nobody anything when it is tried again at once.
 */
export type WatchState =
  | { readonly at: 'list' | 'behind'; readonly failures: number; readonly waits: boolean }
  | { readonly at: 'watch' | 'probe'; readonly version: string; readonly failures: number; readonly waits: boolean };

export type WatchInput =
  | { readonly is: 'listed'; readonly version: string }
  | { readonly is: 'progress'; readonly version: string }
  /** The store has come at least as far as what was seen. */
  | { readonly is: 'current' }
  | { readonly is: 'behind' }
  | { readonly is: 'ended'; readonly livedMs: number }
  | { readonly is: 'expired' }
  /** Also when a watch shows older versions than before. */
  | { readonly is: 'idle' }
  /** No answer, or half of one; or one that cannot be read. */
  | { readonly is: 'broken'; readonly livedMs: number; readonly progressed: boolean }
  | { readonly is: 'refused'; readonly retryAfterMs?: number | undefined };

const firstDelayMs = 800;
const delayMaxMs = 30_000;
const goodAfterMs = 10_000;
/** A watch that breaks so often without showing anything new will not get over it. */
const brokenInVainMax = 3;
/** Whom a server has told to come back later should not come all at once. */
const retryAfterJitter = 0.1;

export const initialWatchState: WatchState = { at: 'list', failures: 0, waits: false };

type OneOf<Is extends WatchInput['is']> = Extract<WatchInput, { readonly is: Is }>;
type Steps = { readonly [Is in WatchInput['is']]: (state: WatchState, input: OneOf<Is>) => WatchState };

const steps: Steps = {
  listed: ({ failures }, { version }) => ({ at: 'watch', version, failures, waits: false }),
  progress: ({ failures }, { version }) => ({ at: 'watch', version, failures, waits: false }),
  current: (state) =>
    state.at === 'probe' ? { ...state, at: 'watch', waits: false } : { ...setback(state), at: 'list', waits: false },
  behind: (state) => ({ ...setback(state), at: 'behind' }),
  ended: (state, { livedMs }) => {
    if (state.at !== 'watch') return { ...state, ...setback(state) };
    const good = livedMs >= goodAfterMs;
    return { ...state, at: 'probe', ...(good ? { failures: 0, waits: false } : setback(state)) };
  },
  expired: (state) => ({ ...setback(state), at: 'list' }),
  idle: (state) => ({ ...setback(state), at: 'list', waits: false }),
  broken: (state, { livedMs, progressed }) => {
    if (state.at !== 'watch') return { ...state, ...setback(state) };
    if (livedMs >= goodAfterMs) return { ...state, at: 'probe', failures: 1, waits: true };
    const inVain = !progressed && state.failures >= brokenInVainMax;
    return inVain ? { ...setback(state), at: 'list' } : { ...state, ...setback(state), at: 'probe' };
  },
  refused: (state) => ({ ...state, ...setback(state) }),
};

export function nextWatchState<Is extends WatchInput['is']>(state: WatchState, input: OneOf<Is>): WatchState {
  return steps[input.is](state, input);
}

function setback({ failures }: WatchState): { readonly failures: number; readonly waits: boolean } {
  return { failures: failures + 1, waits: true };
}

/** Milliseconds to wait before the next attempt; the server's own wish counts when it is longer. */
export function watchDelayMs({ failures, waits }: WatchState, random: () => number, retryAfterMs = 0): number {
  if (!waits) return 0;
  const grown = Math.min(firstDelayMs * 2 ** Math.min(Math.max(failures, 1) - 1, 10), delayMaxMs);
  const drawn = random();
  return Math.max(Math.round(retryAfterMs * (1 + drawn * retryAfterJitter)), grown * (0.5 + drawn / 2));
}
