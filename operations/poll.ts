/**
 * Waiting for what a host will show sooner or later, without hurrying it: the time between looks grows up to a bound. A host that
 * cannot answer for a while, because its API server is restarted, is waited for as well.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortedError } from './errors.ts';
import { HostError, HostUnreachableError } from './host-errors.ts';

const firstPauseMs = 150;
const pauseMaxMs = 1000;
const growth = 1.4;

/**
 * Looks until `isDone` says so. @returns false when it was not in time; it has then been looked at once more at the end
 * @throws AbortedError when `signal` aborts, and what `isDone` throws: at once when waiting does not help or nothing could be seen
 * yet, else when it is still so at the end
 */
export async function waitFor(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  isDone: () => Promise<boolean>,
): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  let mayFail = false;
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * growth, pauseMaxMs)) {
    const leftMs = deadlineMs - performance.now();
    try {
      if (await isDone()) return true;
      if (leftMs <= 0) return false;
      mayFail = true;
    } catch (error) {
      if (!mayFail || leftMs <= 0 || !isPassing(error)) throw error;
    }
    await interruptibly(Math.min(pauseMs, Math.max(leftMs, 0)), signal);
  }
}

/** May be over in a moment: nobody answers, or the host has trouble of its own. */
function isPassing(error: unknown): boolean {
  return error instanceof HostUnreachableError || (error instanceof HostError && error.status >= 500);
}

/** A pause that ends at once when it is told to stop. @throws AbortedError */
export async function interruptibly(pauseMs: number, signal: AbortSignal | undefined): Promise<void> {
  await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => undefined);
  stopIfAborted(signal);
}

/**
 * Waits for work that is not this one's to stop. `doing` continues "while it …".
 * @throws AbortedError as soon as `signal` aborts; the work goes on
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined, doing: string): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(abortedError(signal, doing));
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    // Raced even when it is aborted already, so that work that fails later has somebody who listens.
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/** For whoever waits for something else than time. @throws AbortedError when it was told to stop */
export function stopIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal, 'was waiting');
}
