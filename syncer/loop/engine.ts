/**
 * The loop, whole: changes of both sides become keys, workers take keys, a key is decided on synchronously and then performed.
 * Between reading the caches and noting what was read no event can arrive, because deciding never awaits. Keep it so: a change
 * that slips in between would wake nobody.
 */
import type { Action, Plan } from '../model/action.ts';
import { ApiError, ConnectionError, StoreReplacedError, isStatus } from '../model/errors.ts';
import type { StoreChange } from '../model/change.ts';
import type { Kind } from '../model/kind.ts';
import type { Resource } from '../model/resource.ts';
import type { Key, Side } from '../model/side.ts';
import type { Release, View } from '../model/view.ts';
import { Concerns } from './concerns.ts';
import type { Outcome } from './outcome.ts';
import { settled } from './outcome.ts';
import { describe } from './perform.ts';
import type { Performer } from './perform.ts';
import type { Queue } from './queue.ts';
import { Reads } from './reads.ts';
import { openView, quietView } from './stores.ts';
import type { Stores } from './stores.ts';
import { tellOfPlan } from './telemetry.ts';
import type { LoopLog, LoopMetrics, LoopTrace } from './telemetry.ts';

export interface EngineOptions {
  readonly resources: readonly Resource[];
  readonly release: Release;
  readonly stores: Stores;
  readonly queue: Queue;
  readonly performer: Performer;
  readonly log: LoopLog;
  readonly metrics: LoopMetrics;
  readonly trace?: LoopTrace | undefined;
  /** Milliseconds since 1970, for plans. */
  readonly now?: () => number;
  /** Milliseconds of a clock that never goes back, for waiting. */
  readonly monotonicMs?: () => number;
  readonly workers?: number;
  /** With substitutes; as many as `workers` for none. */
  readonly workersMax?: number;
}

/** How long a key waits for the watch to show what a POST to a subresource did (spec CORE-20); then it is looked at anyway. */
const awaitMaxMs = 2_000;

/** An object that a plan acted on without learning its new state from the answer. */
interface Awaited {
  readonly side: Side;
  readonly kind: Kind;
  readonly key: Key;
  readonly version: string | undefined;
  readonly untilMs: number;
  readonly isAnswered: boolean;
}

const nothing: ReadonlySet<string> = new Set();

/** Whoever changes an object all the time must not keep us from it for ever longer (CORE-06). */
const conflictRetryMaxMs = 500;

/** A server error may be over in a moment; after so many in a row the tenant is told (spec F43). */
const toldAfterFailures = 2;
/** What such an error says is about the host: addresses of webhooks, causes inside. */
const hostTrouble =
  'The host cluster could not process it just now, as when an admission webhook there does not answer. It is tried again.';

interface Failure {
  readonly error: ApiError;
  readonly failures: number;
}

/** As many keys in work as writes in flight: more would only wait in the client. */
const workersDefault = 64;
/** Keys whose writes hang, on a webhook for instance, hold up no others: each gets a substitute, up to so many. */
const workersMaxDefault = 256;
const slowMs = 1_000;

/** Statuses by which a server says no to what is asked; all others may pass. */
const refusals: ReadonlySet<number> = new Set([400, 403, 413, 422]);

export class Engine {
  readonly #options: EngineOptions;
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #reads = new Reads();
  readonly #remembered = new Map<string, string>();
  readonly #awaited = new Map<string, Awaited>();
  readonly #now: () => number;
  readonly #monotonicMs: () => number;
  /** For looks that need no tracking. */
  readonly #quiet: View;
  readonly #concerns: Concerns;
  #passes = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#monotonicMs = options.monotonicMs ?? ((): number => performance.now());
    this.#quiet = quietView(options.stores, options.release, this.#now);
    this.#concerns = new Concerns(options.resources, this.#reads, this.#quiet);
    this.#resources = new Map(options.resources.map((resource) => [resource.name, resource]));
  }

  /** How much is kept beside the caches; for tests of memory. */
  get kept(): number {
    return this.#reads.size + this.#remembered.size + this.#awaited.size;
  }

  /** Queues every key that a change concerns. Called by the caches; cheap, synchronous, never throws for cluster state. */
  changed(change: StoreChange): void {
    const lane = change.side === 'host' ? 'report' : 'wish';
    this.#concerns.eachKeyOf(change, (key) => this.#options.queue.add(key, lane));
  }

  /** Forgets what it knew of host objects and looks at every key at once: their owner is another one (NAM-35). */
  reconsider(sources: Iterable<{ readonly side: Side; readonly kind: Kind }>): void {
    this.#remembered.clear();
    for (const key of this.#allKeys(sources)) this.#options.queue.add(key);
  }

  /** Queues the union of both sides' keys behind everything urgent: first pass, orphans, missed events (spec OPS-06). */
  resync(sources: Iterable<{ readonly side: Side; readonly kind: Kind }>): void {
    this.#passes++;
    for (const key of this.#allKeys(sources)) this.#options.queue.addPatiently(key);
  }

  *#allKeys(sources: Iterable<{ readonly side: Side; readonly kind: Kind }>): Generator<string> {
    for (const { side, kind } of sources) {
      const seen = { side, kind, before: undefined };
      for (const object of this.#options.stores.find(side, kind).list('')) yield* this.#concerns.keysOf(seen, object);
    }
  }

  /**
   * Works until the signal is aborted and what was begun is finished.
   * @throws StoreReplacedError when nothing that is missing on the virtual side can be believed any more (spec OPS-08)
   */
  async run(signal: AbortSignal): Promise<void> {
    const base = this.#options.workers ?? workersDefault;
    const workers: Promise<void>[] = [];
    const { promise: failure, reject } = Promise.withResolvers<never>();
    const employ = (wanted: number): void => {
      while (workers.length < wanted) workers.push(this.#work(signal).catch(reject));
    };
    employ(base);
    const most = this.#options.workersMax ?? workersMaxDefault;
    const substitute = (): void => employ(Math.min(base + this.#options.queue.slowerThan(slowMs), most));
    const substitutes = most > base ? setInterval(substitute, slowMs) : undefined;
    try {
      await Promise.race([failure, allOf(workers)]);
    } finally {
      clearInterval(substitutes);
      this.#options.queue.close();
    }
  }

  async #work(signal: AbortSignal): Promise<void> {
    const { queue } = this.#options;
    for await (const id of queue.take(signal)) queue.settle(id, await this.#reconcile(id));
  }

  async #reconcile(id: string): Promise<Outcome> {
    const startedMs = performance.now();
    const [resource, key] = this.#parse(id);
    const work = (): Promise<Outcome> => this.#attempt(id, resource, key);
    const { trace } = this.#options;
    const outcome = await (trace === undefined ? work() : trace.look({ resource: resource.name, key }, work));
    this.#options.metrics.reconciled(resource.name, outcome.is, (performance.now() - startedMs) / 1000);
    return outcome;
  }

  async #attempt(id: string, resource: Resource, key: string): Promise<Outcome> {
    try {
      const waitMs = this.#waitMs(id);
      if (waitMs > 0) return { is: 'again', afterMs: waitMs };
      const plan = this.#decide(id, resource, key);
      if (plan.actions.length > 0) {
        this.#options.log.debug({ resource: resource.name, key, does: plan.actions.map(describe) }, 'Reconciling');
      }
      this.#await(id, plan);
      await this.#perform(id, plan.actions);
      if (plan.remembersWhenDone !== undefined) this.#remembered.set(id, plan.remembersWhenDone);
      if (plan.actions.length > 0) this.#count(id, resource, plan);
      return plan.againInMs === undefined ? settled : { is: 'again', afterMs: plan.againInMs };
    } catch (error) {
      return this.#failed(id, resource, { key, error });
    }
  }

  async #perform(id: string, actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      await this.#options.performer.perform(action, id);
      const awaited = action.do === 'post' ? this.#awaited.get(id) : undefined;
      // Stays so although something after it may fail.
      if (awaited !== undefined) this.#awaited.set(id, { ...awaited, isAnswered: true });
    }
  }

  #count(id: string, resource: Resource, plan: Plan): void {
    const { metrics, log, queue } = this.#options;
    const lane = queue.laneOf(id);
    const key = this.#parse(id)[1];
    if (lane !== 'patient') metrics.lagged(resource.name, queue.ageMs(id) / 1000);
    tellOfPlan(
      { metrics, log },
      { resource: resource.name, key, plan, isAudit: lane === 'patient', isFirst: this.#passes <= 1 },
    );
  }

  /** Milliseconds to wait until the effect of the last plan is in the cache; its event wakes the key before that. */
  #waitMs(id: string): number {
    const awaited = this.#awaited.get(id);
    if (awaited === undefined) return 0;
    const seen = this.#options.stores.find(awaited.side, awaited.kind).get(awaited.key);
    const leftMs = awaited.untilMs - this.#monotonicMs();
    if (leftMs > 0 && seen?.metadata.resourceVersion === awaited.version) return leftMs;
    this.#awaited.delete(id);
    return 0;
  }

  /** Noted before the write, so that an event that arrives before the answer is not missed. */
  #await(id: string, plan: Plan): void {
    const action = plan.actions.find((candidate) => candidate.do === 'post');
    if (action === undefined) return;
    const { side, kind, key } = action;
    const version = this.#options.stores.find(side, kind).get(key)?.metadata.resourceVersion;
    this.#awaited.set(id, { side, kind, key, version, untilMs: this.#monotonicMs() + awaitMaxMs, isAnswered: false });
  }

  #decide(id: string, resource: Resource, key: string): Plan {
    const view = openView(this.#options.stores, this.#options.release, this.#now());
    try {
      const plan = resource.decide(key, view, this.#remembered.get(id));
      if (plan.remembers === undefined) this.#remembered.delete(id);
      else this.#remembered.set(id, plan.remembers);
      return plan;
    } finally {
      // A key that nothing is left of must cost nothing: should its objects come again, they bring it back themselves (keysOf).
      this.#reads.replace(id, view.found ? view.read : nothing);
    }
  }

  /** A conflict only says that the cache was behind; its event comes and the key is looked at again (CORE-06). */
  async #failed(id: string, resource: Resource, { key, error }: { key: string; error: unknown }): Promise<Outcome> {
    if (error instanceof StoreReplacedError) throw error;
    if (this.#awaited.get(id)?.isAnswered === false) this.#awaited.delete(id);
    const { log, queue } = this.#options;
    const failures = queue.failuresOf(id);
    const fields = { resource: resource.name, key, failures, err: error };
    if (isStatus(error, 409)) log.debug(fields, 'The object had changed meanwhile');
    else log[failures > 3 ? 'warn' : 'info'](fields, 'Reconcile failed');
    if (error instanceof ApiError) await this.#tellTenant(resource, key, { error, failures });
    else if (!(error instanceof ConnectionError)) log.warn(fields, 'Unexpected error');
    const retryMaxMs = isStatus(error, 409) ? conflictRetryMaxMs : undefined;
    return {
      is: 'failed',
      error,
      retryAfterMs: error instanceof ApiError ? error.retryAfterMs : undefined,
      retryMaxMs,
    };
  }

  /** What the host refused, the tenant must be able to see (CORE-07). */
  async #tellTenant(resource: Resource, key: string, { error, failures }: Failure): Promise<void> {
    const isTrouble = error.status === 500 && failures >= toldAfterFailures;
    if (!isTrouble && !refusals.has(error.status)) return;
    // One wish is refused once, however often it is tried again.
    if (isTrouble ? failures === toldAfterFailures : failures === 0)
      this.#options.metrics.refused(resource.name, 'server');
    await this.#afterRefusal(resource, key, isTrouble ? hostTrouble : error.message);
  }

  /** Losing the event is not worth a second error. */
  async #afterRefusal(resource: Resource, key: string, message: string): Promise<void> {
    const actions = resource.onRefusal?.(key, message, this.#quiet) ?? [];
    try {
      for (const action of actions) await this.#options.performer.perform(action);
    } catch (lost) {
      this.#options.log.warn({ resource: resource.name, key, err: lost }, 'Could not tell the tenant');
    }
  }

  #parse(id: string): readonly [Resource, string] {
    const space = id.indexOf(' ');
    const resource = this.#resources.get(id.slice(0, space));
    if (resource === undefined) throw new Error(`No resource for queue key "${id}".`);
    return [resource, id.slice(space + 1)];
  }
}

/** Also those that join while others are waited for. */
async function allOf(promises: readonly Promise<void>[]): Promise<void> {
  for (let index = 0; index < promises.length; index++) await promises[index];
}
