/**
 * What can be seen of a running syncer from outside: metrics, probes, spans. It asks the parts when it is asked itself; nothing
 * depends on its answers.
 */
import type { CacheSet } from './caches.ts';
import type { Telemetry } from './cluster/telemetry.ts';
import { lanes } from './loop/queue.ts';
import type { Queue } from './loop/queue.ts';
import type { LoopMetrics, LoopTrace } from './loop/telemetry.ts';
import type { PolicyRule, Resource } from './model/resource.ts';
import type { Side } from './model/side.ts';
import { effortCheck, loopCheck, Silence, startChecks, watchCheck } from './service/checks.ts';
import type { LoopPulse } from './service/checks.ts';
import type { WatchFacts } from './service/cluster-metrics.ts';
import { Denials } from './service/denials.ts';
import type { Denial } from './service/denials.ts';
import { serveHealth } from './service/health.ts';
import type { Check } from './service/health.ts';
import type { QueueFacts } from './service/loop-metrics.ts';
import { createMetrics } from './service/metrics.ts';
import type { Metrics } from './service/metrics.ts';
import { tryStartTracing } from './service/tracing.ts';
import type { Tracing } from './service/tracing.ts';
import { version } from './service/version.ts';
import type { Settings } from './settings.ts';

export interface ObservationOptions {
  readonly settings: Settings;
  readonly resources: readonly Resource[];
  readonly queue: Queue;
  /** The steps of the start that are not done yet. */
  readonly missing: ReadonlySet<string>;
}

type PerSide<T> = Readonly<Record<Side, T>>;

export class Observation {
  /** For the loop. */
  readonly loop: LoopMetrics;
  /** For clients and reflectors. */
  readonly cluster: Telemetry;
  readonly #options: ObservationOptions;
  readonly #metrics: Metrics;
  readonly #live: readonly Check[];
  readonly #ready: readonly Check[];
  readonly #denials = new Denials();
  readonly #silence = new Silence();
  /** Lists and restarts of watches, by side and kind. */
  readonly #attempts = new Map<string, number>();
  #clients: PerSide<{ readonly inFlight: number }> | undefined;
  #urls: PerSide<URL> | undefined;
  #caches: CacheSet | undefined;
  #held: () => string | undefined = () => undefined;
  #tracing: Tracing | undefined;
  #lastLookMs = performance.now();

  constructor(options: ObservationOptions) {
    this.#options = options;
    this.#live = [
      loopCheck(() => this.#pulse()),
      effortCheck(
        () => this.#watches(),
        (side, kind) => this.#attempts.get(`${side} ${kind}`) ?? 0,
        new Silence(),
      ),
    ];
    this.#ready = this.#readiness();
    this.#metrics = createMetrics({
      version,
      kubernetesVersion: options.settings.kubernetesVersion,
      resources: options.resources.map(({ name }) => name),
      queue: () => this.#queueFacts(),
      ready: () => this.#ready.every(({ problem }) => problem() === undefined),
      held: () => this.#held() !== undefined,
      watches: () => this.#watches(),
      inFlight: () =>
        Object.entries(this.#clients ?? {}).map(([side, client]) => ({ side, requests: client.inFlight })),
    });
    this.loop = this.#noting(this.#metrics.loop);
    this.cluster = this.#following(this.#metrics);
  }

  /** For the loop, when spans are wanted. */
  get trace(): LoopTrace | undefined {
    const tracing = this.#tracing;
    return tracing && { look: (look, work) => tracing.look(look, work, ({ is }) => is) };
  }

  /** From now on the clients are looked at, too. */
  ask(clients: PerSide<{ readonly inFlight: number }>, urls: PerSide<URL>): void {
    this.#clients = clients;
    this.#urls = urls;
  }

  /** From now on the caches are looked at, too. */
  watch(caches: CacheSet): void {
    this.#caches = caches;
  }

  /** Why everything is held, when it is (spec OPS-08). */
  guardedBy(held: () => string | undefined): void {
    this.#held = held;
  }

  /** @throws ConfigurationError when the host refuses for good what the release's Role should allow (spec OPS-17) */
  checkRights({ name: release, namespace }: { readonly name: string; readonly namespace: string }): void {
    const rules: readonly PolicyRule[] = this.#options.resources.flatMap(({ hostRules }) => hostRules);
    this.#denials.check({ release, namespace }, rules);
  }

  /** Begins to trace if an endpoint is configured; to be called before the loop is given `trace`. */
  async start(): Promise<void> {
    const { name: release, namespace } = this.#options.settings;
    const addresses = Object.fromEntries(Object.entries(this.#urls ?? {}).map(([side, { host }]) => [side, host]));
    this.#tracing = await tryStartTracing({ release, namespace, version, addresses });
  }

  /** Serves probes and metrics until the signal is aborted, then sends the last spans. */
  async run(signal: AbortSignal): Promise<void> {
    const { registry } = this.#metrics;
    const { healthPort: port } = this.#options.settings;
    await serveHealth({ port, registry, live: this.#live, ready: this.#ready }, signal);
    await this.#tracing?.stop();
  }

  #readiness(): readonly Check[] {
    const watches = (): readonly WatchFacts[] => this.#watches();
    const { missing } = this.#options;
    const details = {
      caches: () => incomplete(this.#watches(), this.#denials.current),
      'backing store': () => this.#held() ?? '',
    };
    return [
      ...startChecks([...missing], missing, details),
      watchCheck('host', watches, this.#silence),
      watchCheck('virtual', watches, this.#silence),
      ...this.#live,
    ];
  }

  #watches(): readonly WatchFacts[] {
    return this.#caches?.watches() ?? [];
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

  #following({ cluster }: Metrics): Telemetry {
    return {
      ...cluster,
      requested: (report) => {
        cluster.requested(report);
        this.#tracing?.requested(report);
        if (report.verb !== 'list') return;
        this.#denials.note(report);
        this.#attempted(report);
      },
      watchRestarted: (restart) => {
        cluster.watchRestarted(restart);
        this.#attempted(restart);
      },
    };
  }

  #attempted({ side, kind }: { readonly side: Side; readonly kind: string }): void {
    const id = `${side} ${kind}`;
    this.#attempts.set(id, (this.#attempts.get(id) ?? 0) + 1);
  }

  #pulse(): LoopPulse {
    const { queue } = this.#options;
    return {
      oldestMs: Math.max(queue.oldestMs('report'), queue.oldestMs('wish')),
      sinceLastLookMs: performance.now() - this.#lastLookMs,
      slowerThan: (ms) => queue.slowerThan(ms),
    };
  }

  #queueFacts(): QueueFacts {
    const { queue } = this.#options;
    const facts = lanes.map((lane) => ({ lane, length: queue.lengthOf(lane), oldestMs: queue.oldestMs(lane) }));
    return { lanes: facts, retrying: queue.failing, inWork: queue.inWork };
  }
}

/** Before its first list a cache is waited for; whether it was refused makes a difference to whoever reads this. */
function incomplete(watches: readonly WatchFacts[], denied: readonly Denial[]): string {
  const open = watches.filter(({ complete }) => !complete);
  if (open.length === 0) return '';
  const refused = new Set(denied.map(({ side, kind }) => `${side} ${kind}`));
  const words = open.map(({ side, kind }) => `${side} ${kind}`).map((id) => (refused.has(id) ? `${id} (403)` : id));
  return `not listed yet: ${words.join(', ')}`;
}
