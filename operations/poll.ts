/** Waiting for what a host will show sooner or later, without hurrying it: the time between looks grows up to a bound. */
import { setTimeout as sleep } from 'node:timers/promises';
import { AbortedError } from './errors.ts';

const firstPauseMs = 150;
const pauseMaxMs = 1000;
const growth = 1.4;

/**
 * Looks until `isDone` says so. @returns false when it was not in time; it has then been looked at once more at the end
 * @throws AbortedError when `signal` aborts, and what `isDone` throws
 */
export async function waitFor(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  isDone: () => Promise<boolean>,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * growth, pauseMaxMs)) {
    if (await isDone()) return true;
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) return false;
    await interruptibly(Math.min(pauseMs, leftMs), signal);
  }
}

/** A pause that ends at once when it is told to stop. @throws AbortedError */
export async function interruptibly(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  stopIfAborted(signal);
}

/** For whoever waits for something else than time. @throws AbortedError when it was told to stop */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted)
    throw new AbortedError('Interrupted', 'It was told to stop while it was waiting. Run it again and it goes on.');
}
