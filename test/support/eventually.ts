/** Waiting for what two API servers will show sooner or later. No fixed sleeps: each wait ends when its condition holds. */
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 40;

/** The first value that a probe gives. @throws after `timeoutMs`, with what the probe last threw */
export async function eventually<T>(what: string, probe: () => Promise<T | undefined>, timeoutMs = 20_000): Promise<T> {
  const startedMs = performance.now();
  for (let last: unknown; ; await sleep(pollMs)) {
    try {
      const found = await probe();
      if (found !== undefined) return found;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() - startedMs > timeoutMs) throw new Error(`Waited in vain for ${what}.`, { cause: last });
  }
}

/** Waits until a condition holds. */
export async function until(what: string, condition: () => Promise<boolean>, timeoutMs?: number): Promise<void> {
  await eventually(what, async () => ((await condition()) ? true : undefined), timeoutMs);
}
