/**
 * Loaded into a contender that is a Node process (`--import`): on SIGUSR2 it begins to measure how late the event loop is, on the
 * next one it writes what it found into `loop-delay.json` of its folder and stops. Until then it costs nothing.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';

/** What is shorter than this is not told from being on time. */
const resolutionMs = 10;
const file = join(process.env['BENCH_DIR'] ?? '.', 'loop-delay.json');
const delay = monitorEventLoopDelay({ resolution: resolutionMs });
let measuring = false;

process.on('SIGUSR2', () => {
  if (measuring) {
    delay.disable();
    // The histogram holds the whole interval between two of its ticks.
    const lateMs = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolutionMs);
    writeFileSync(file, JSON.stringify({ p99Ms: lateMs(delay.percentile(99)), maxMs: lateMs(delay.max) }));
  } else {
    delay.reset();
    delay.enable();
  }
  measuring = !measuring;
});
