/**
 * Gives memory back once there is nothing to do. V8 collects garbage when it needs room, and a process that has just had a burst and
 * now rests does not need any: it would keep two to three times what lives for as long as the rest lasts. Works only where Node was
 * started with `--expose-gc`, as in our image; elsewhere nothing happens.
 */
import { pause } from './pause.ts';

const lookEveryMs = 5_000;
/** Of one look's time; the watches' bookmarks and the probes of a syncer at rest take less. */
const restingShare = 0.05;
/** What many rounds of little work may leave; a collection takes some 50 ms. */
const worthBytes = 8 * 1024 * 1024;

export interface Meter {
  /** Share of the time since the last call in which the event loop was busy, 0 to 1. */
  readonly busyShare: () => number;
  readonly heapBytes: () => number;
  /** Collects everything; absent when Node does not offer it. */
  readonly collect: (() => void) | undefined;
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** Resolves when the signal is aborted. */
export async function giveMemoryBack(signal: AbortSignal, meter: Meter = ownProcess()): Promise<void> {
  if (meter.collect === undefined) return;
  meter.busyShare();
  let leftBytes = meter.heapBytes();
  let worked = false;
  while (!signal.aborted) {
    await meter.wait(lookEveryMs, signal);
    const rests = meter.busyShare() < restingShare;
    worked ||= !rests;
    // What lived before the work may be garbage after it, so the heap alone does not show whether it is worth it.
    const isDue = rests && (worked || meter.heapBytes() - leftBytes >= worthBytes);
    if (!isDue || signal.aborted) continue;
    meter.collect();
    leftBytes = meter.heapBytes();
    worked = false;
  }
}

function ownProcess(): Meter {
  const { gc } = globalThis;
  let before = performance.eventLoopUtilization();
  return {
    busyShare: () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    },
    heapBytes: () => process.memoryUsage().heapUsed,
    collect: gc === undefined ? undefined : (): void => gc({ type: 'major', flavor: 'last-resort' }),
    wait: pause,
  };
}
