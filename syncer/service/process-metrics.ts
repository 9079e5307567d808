/**
 * Metrics of the process itself. What every exporter has keeps the name that every exporter gives it (`process_…`). Read when they
 * are asked for; in between only the event loop's delay and collections of garbage are noted, by Node itself.
 */
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { ELDHistogram } from 'node:perf_hooks';
import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Of the timer whose lateness is measured. Each tick wakes an idle process: 50 a second would cost half of what it may use. */
const resolutionMs = 100;
/** A second Prometheus that asks right after the first must not get an empty window. */
const windowMinMs = 10_000;
/** By the numbers of `perf_hooks.constants`. */
const gcKinds: Readonly<Record<number, string>> = { 1: 'minor', 2: 'minor', 4: 'major', 8: 'incremental', 16: 'weak' };
const nsPerSecond = 1e9;

interface Collection {
  readonly duration: number;
  readonly detail: { readonly kind: number };
}

/** Adds them to a registry. Measuring begins at once and ends with the process. */
export function addProcessMetrics(registry: Registry): void {
  const registers = [registry];
  addMemory(registers);
  addEventLoopDelay(registers);
  addGarbageCollection(registers);
}

function addMemory(registers: Registry[]): void {
  const started: Gauge = new Gauge({
    name: 'process_start_time_seconds',
    help: 'When the syncer started, in seconds since 1970.',
    registers,
  });
  started.set(Date.now() / 1000 - process.uptime());
  const cpu: Counter = new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time used by the syncer, by user and system together.',
    registers,
    collect: (): void => {
      const { user, system } = process.cpuUsage();
      cpu.reset();
      cpu.inc((user + system) / 1e6);
    },
  });
  const resident: Gauge = new Gauge({
    name: 'process_resident_memory_bytes',
    help: 'Memory of the syncer that is in RAM.',
    registers,
    collect: (): void => resident.set(process.memoryUsage.rss()),
  });
  const heap: Gauge = new Gauge({
    name: 'vcluster_heap_used_bytes',
    help: 'JavaScript heap in use.',
    registers,
    collect: (): void => heap.set(process.memoryUsage().heapUsed),
  });
}

function addEventLoopDelay(registers: Registry[]): void {
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  let since = performance.now();
  const delay: Gauge<'quantile'> = new Gauge({
    name: 'vcluster_event_loop_delay_seconds',
    help: 'How late the event loop was, since it was last asked for.',
    labelNames: ['quantile'],
    registers,
    collect: (): void => {
      delay.set({ quantile: '0.5' }, lateSeconds(histogram, 50));
      delay.set({ quantile: '0.99' }, lateSeconds(histogram, 99));
      if (performance.now() - since < windowMinMs) return;
      histogram.reset();
      since = performance.now();
    },
  });
}

/** Node notes the time between two ticks, and a tick that is on time is no delay. */
function lateSeconds(histogram: ELDHistogram, percentile: number): number {
  if (histogram.count === 0) return 0;
  return Math.max(0, histogram.percentile(percentile) / nsPerSecond - resolutionMs / 1000);
}

function addGarbageCollection(registers: Registry[]): void {
  const seconds = new Counter({
    name: 'vcluster_gc_seconds_total',
    help: 'Time spent collecting garbage, by kind of collection.',
    labelNames: ['kind'],
    registers,
  });
  for (const kind of new Set(Object.values(gcKinds))) seconds.inc({ kind }, 0);
  new PerformanceObserver((list) => {
    for (const { duration, detail } of list.getEntries() as unknown as readonly Collection[])
      seconds.inc({ kind: gcKinds[detail.kind] ?? 'other' }, duration / 1000);
  }).observe({ entryTypes: ['gc'] });
}
