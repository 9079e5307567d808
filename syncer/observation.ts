/**
 * What can be seen of a running syncer from outside: metrics, probes, spans. It asks the parts when it is asked itself; nothing
 * depends on its answers.
 */
import type { CacheSet } from './caches.ts';
import type { Queue } from './loop/queue.ts';
import { lanes } from './loop/queue.ts';
import type { LoopMetrics } from './loop/telemetry.ts';
import { loopCheck, startChecks, watchCheck } from './service/checks.ts';
import type { WatchFacts } from './service/cluster-metrics.ts';
import { serveHealth } from './service/health.ts';
import type { Check } from './service/health.ts';
import { createMetrics } from './service/metrics.ts';
import type { Metrics } from './service/metrics.ts';
import { version } from './service/version.ts';

export interface ObservationOptions {
  readonly port: number;
  readonly kubernetesVersion: string;
  /** Names of all resources. */
  readonly resources: readonly string[];
  readonly queue: Queue;
  /** The steps of the start that are not done yet. */
  readonly missing: ReadonlySet<string>;
}

export class Observation {
  /** For the loop. */
  readonly loop: LoopMetrics;
  readonly #options: ObservationOptions;
  readonly #metrics: Metrics;
  readonly #live: readonly Check[];
  readonly #ready: readonly Check[];
  #caches: CacheSet | undefined;
  #held: () => string | undefined = () => undefined;
  #lastLookMs = performance.now();

  constructor(options: ObservationOptions) {
    this.#options = options;
    const watches = (): readonly WatchFacts[] => this.#caches?.watches() ?? [];
    this.#live = [loopCheck(() => this.#pulse())];
    this.#ready = [
      ...startChecks([...options.missing], options.missing, {
        caches: () => incomplete(watches()),
        'backing store': () => this.#held() ?? '',
      }),
      watchCheck('host', watches, Date.now),
      watchCheck('virtual', watches, Date.now),
      ...this.#live,
    ];
    this.#metrics = createMetrics({
      version,
      kubernetesVersion: options.kubernetesVersion,
      resources: options.resources,
      queue: () => this.#queueFacts(),
      ready: () => this.#ready.every(({ problem }) => problem() === undefined),
      held: () => this.#held() !== undefined,
      watches,
      inFlight: () => [],
    });
    this.loop = this.#noting(this.#metrics.loop);
  }

  /** From now on the caches are looked at, too. */
  watch(caches: CacheSet): void {
    this.#caches = caches;
  }

  /** Why everything is held, when it is (spec OPS-08). */
  guardedBy(held: () => string | undefined): void {
    this.#held = held;
  }

  /** Serves probes and metrics until the signal is aborted. */
  run(signal: AbortSignal): Promise<void> {
    const { registry } = this.#metrics;
    return serveHealth({ port: this.#options.port, registry, live: this.#live, ready: this.#ready }, signal);
  }

  #noting(metrics: LoopMetrics): LoopMetrics {
    return {
      ...metrics,
      reconciled: (resource, outcome, seconds) => {
        this.#lastLookMs = performance.now();
        metrics.reconciled(resource, outcome, seconds);
      },
    };
  }

  #pulse(): { oldestMs: number; sinceLastLookMs: number; slowerThan: (ms: number) => number } {
    const { queue } = this.#options;
    return {
      oldestMs: Math.max(queue.oldestMs('report'), queue.oldestMs('wish')),
      sinceLastLookMs: performance.now() - this.#lastLookMs,
      slowerThan: (ms) => queue.slowerThan(ms),
    };
  }

  #queueFacts(): { lanes: { lane: string; length: number; oldestMs: number }[]; retrying: number } {
    const { queue } = this.#options;
    const facts = lanes.map((lane) => ({ lane, length: queue.lengthOf(lane), oldestMs: queue.oldestMs(lane) }));
    return { lanes: facts, retrying: queue.failing };
  }
}

function incomplete(watches: readonly WatchFacts[]): string {
  const open = watches.filter(({ complete }) => !complete).map(({ side, kind }) => `${side} ${kind}`);
  return open.length === 0 ? '' : `not listed yet: ${open.join(', ')}`;
}
