/**
 * Notices that the process stood still, suspended with its machine or starved, for so long that what it knows is of another time:
 * watches then bring the past piece by piece, and acting on it would do again what others have undone meanwhile (spec F08). Whoever
 * wakes up so starts again instead, with a list of everything.
 */
import { setTimeout as sleep } from 'node:timers/promises';

/** Far more than any pause of a working process, far less than anybody needs to take its place. */
const asleepMs = 20_000;
const lookMs = 1_000;

export interface AwakeOptions {
  /** Milliseconds of a clock that never goes back and does not stop with the process. */
  readonly monotonicMs?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Resolves when the signal is aborted. @throws after having stood still */
export async function stayAwake(signal: AbortSignal, options: AwakeOptions = {}): Promise<void> {
  const { monotonicMs = (): number => performance.now(), wait = pause } = options;
  for (let before = monotonicMs(); !signal.aborted; before = monotonicMs()) {
    await wait(lookMs, signal);
    const stoodMs = monotonicMs() - before - lookMs;
    if (stoodMs > asleepMs && !signal.aborted)
      throw new Error(
        `The process stood still for ${Math.round(stoodMs / 1000)} s: what it knew is out of date. It ends, to be started again.`,
      );
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}
