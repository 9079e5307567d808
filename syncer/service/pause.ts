import { setTimeout as sleep } from 'node:timers/promises';

/** Waits, at most until the signal is aborted; never throws. No time to wait takes no turn of the event loop. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return;
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
