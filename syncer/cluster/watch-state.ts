/**
 * The states of a reflector, stepped by one pure function.
 *
 *   list ──listed──► watch ──ended──► watch          (resumes where it was)
 *    ▲                 │ failed ─► watch, later
 *    └──── expired ────┘            (410, as a status or inside the stream: list again, and tell what vanished)
 *
 * It never stops: only the process does. Delays grow from 0.8 s to 30 s with jitter (spec OPS-13) and begin anew once a
 * list or an event has come.
 */
export type WatchState =
  | { readonly at: 'list'; readonly failures: number }
  | { readonly at: 'watch'; readonly version: string; readonly failures: number };

export type WatchInput =
  | { readonly is: 'listed'; readonly version: string }
  | { readonly is: 'progress'; readonly version: string }
  | { readonly is: 'ended' }
  | { readonly is: 'expired' }
  | { readonly is: 'failed'; readonly retryAfterMs?: number | undefined };

const firstDelayMs = 800;
const delayMaxMs = 30_000;

export const initialWatchState: WatchState = { at: 'list', failures: 0 };

export function nextWatchState(state: WatchState, input: WatchInput): WatchState {
  switch (input.is) {
    case 'listed':
    case 'progress':
      return { at: 'watch', version: input.version, failures: 0 };
    case 'ended':
      return state;
    case 'expired':
      return { at: 'list', failures: state.failures + 1 };
    case 'failed':
      return { ...state, failures: state.failures + 1 };
    default:
      return input satisfies never;
  }
}

/** Milliseconds to wait before the next attempt; the server's own wish counts when it is longer. */
export function watchDelayMs(state: WatchState, random: () => number, retryAfterMs = 0): number {
  if (state.failures === 0) return 0;
  const grown = Math.min(firstDelayMs * 2 ** Math.min(state.failures - 1, 10), delayMaxMs);
  return Math.max(retryAfterMs, grown * (0.5 + random() / 2));
}
