/**
 * Keeps one cache equal to one collection of one API server: list, watch, and again, for ever. Never interprets an error as
 * absence (spec OPS-09); a list older than what was already seen is not taken in (OPS-12, benchmarks §3.9), unless whoever guards
 * against loss of data says so.
 */
import type { Cluster, ListPage, Scope, WatchEvent } from '../model/cluster.ts';
import { ApiError, isStatus } from '../model/errors.ts';
import type { Kind } from '../model/kind.ts';
import type { Side } from '../model/side.ts';
import type { Logger } from '../service/logger.ts';
import { pause } from '../service/pause.ts';
import { versionTooLarge } from './answer.ts';
import type { Cache } from './cache.ts';
import type { RestartReason, Telemetry } from './telemetry.ts';
import { isOlder } from './version.ts';
import { IdleError } from './watch-stream.ts';
import { initialWatchState, nextWatchState, watchDelayMs } from './watch-state.ts';
import type { WatchInput, WatchState } from './watch-state.ts';

/**
 * How what the API server shows compares with what it has shown before: at least as new; older for now, as from a replica that
 * lags; or older for good, in reads that must be as new as the store is: the store was restored or is another one. In the last two
 * the cache stays as it was and nothing of the older state is taken in.
 */
export type Outlook = 'current' | 'lagging' | 'restored';

export interface OutlookChange {
  readonly side: Side;
  readonly kind: Kind;
  readonly outlook: Outlook;
  /** The newest version that this process has seen, and the one that the server offers now. */
  readonly seen: string;
  readonly offered: string;
}

export interface ReflectorOptions {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly scope: Scope;
  readonly cache: Cache;
  readonly log: Logger;
  readonly telemetry?: Telemetry | undefined;
  readonly onOutlook?: ((change: OutlookChange) => void) | undefined;
  readonly random?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Milliseconds of a clock that never goes back. */
  readonly now?: () => number;
}

/** The version is gone, or the server cannot list by version at all. */
const unlistable = [400, 410, 422] as const;
/** A store is taken for restored after so many reads that were older, over so long. */
const readsUntilRestored = 3;
const restoredAfterMs = 10_000;

export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #now: () => number;
  #state: WatchState = initialWatchState;
  /** The newest version that was seen. */
  #seen: string | undefined;
  #outlook: Outlook = 'current';
  #behind = { sinceMs: 0, reads: 0 };
  #acceptsOlder = false;
  #interrupt = new AbortController();

  constructor(options: ReflectorOptions) {
    this.#options = options;
    this.#now = options.now ?? ((): number => performance.now());
  }

  get outlook(): Outlook {
    return this.#outlook;
  }

  /** The older state is the true one: the next list is taken in whatever its version, and what is not in it is gone. */
  acceptOlder(): void {
    this.#acceptsOlder = true;
    this.#interrupt.abort();
  }

  /** Runs until the signal is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const { wait = pause, random = Math.random } = this.#options;
    while (!signal.aborted) {
      const input = await this.#attempt(signal);
      if (signal.aborted) return;
      this.#step(input);
      const retryAfterMs = input.is === 'refused' ? input.retryAfterMs : undefined;
      this.#interrupt = new AbortController();
      const woken = AbortSignal.any([signal, this.#interrupt.signal]);
      await wait(watchDelayMs(this.#state, random, retryAfterMs), woken);
    }
  }

  #step(input: WatchInput): void {
    const version = this.#seen;
    // Where the next watch goes on: behind the last version that was applied.
    if (this.#state.at === 'watch' && version !== undefined) {
      this.#state = nextWatchState(this.#state, { is: 'progress', version });
    }
    this.#state = nextWatchState(this.#state, input);
  }

  async #attempt(signal: AbortSignal): Promise<WatchInput> {
    const startedMs = this.#now();
    const before = this.#seen;
    try {
      if (this.#acceptsOlder || this.#state.at === 'list') return await this.#list(signal);
      if (this.#state.at === 'watch') return await this.#watch(this.#state.version, signal);
      return await this.#probe(signal);
    } catch (error) {
      const input = inputFor(error, { livedMs: this.#now() - startedMs, progressed: this.#seen !== before });
      if (!signal.aborted) this.#tell(input, error);
      return input;
    }
  }

  async #list(signal: AbortSignal): Promise<WatchInput> {
    const { cache } = this.#options;
    const { items, resourceVersion: version } = await this.#page(signal);
    const unreadable = (item: unknown, error: unknown): void => this.#passOver(item, error);
    if (this.#acceptsOlder) cache.restart(items, version, unreadable);
    else if (this.#isOlder(version)) return this.#isBehind(version);
    else cache.replaceAll(items, version, unreadable);
    this.#acceptsOlder = false;
    this.#isCurrent(version);
    return { is: 'listed', version };
  }

  /** First what a cache of the server may answer, then what its store says (benchmarks §3.2, §3.3). */
  async #page(signal: AbortSignal): Promise<ListPage> {
    const { cluster, kind, scope } = this.#options;
    if (this.#seen !== undefined && this.#seen !== '' && !this.#acceptsOlder) {
      try {
        return await cluster.list(kind, { ...scope, notOlderThan: this.#seen }, signal);
      } catch (error) {
        if (!isStatus(error, ...unlistable) && !isTooLarge(error)) throw error;
      }
    }
    return cluster.list(kind, scope, signal);
  }

  /** Whether the store is at least where it was. */
  async #probe(signal: AbortSignal): Promise<WatchInput> {
    const { cluster, kind, scope } = this.#options;
    const { resourceVersion: version } = await cluster.list(kind, { ...scope, versionOnly: true }, signal);
    return this.#isOlder(version) ? this.#isBehind(version) : { is: 'current' };
  }

  async #watch(from: string, signal: AbortSignal): Promise<WatchInput> {
    const { cluster, kind, scope } = this.#options;
    const startedMs = this.#now();
    for await (const event of cluster.watch(kind, scope, from, signal)) {
      const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
      // Not taken in: what is older could be of an object that is gone by now. A list tells.
      if (version !== undefined && this.#isOlder(version)) {
        this.#restarted('behind');
        return { is: 'expired' };
      }
      this.#takeIn(event);
      this.#seen = version ?? this.#seen;
    }
    this.#restarted('ended');
    return { is: 'ended', livedMs: this.#now() - startedMs };
  }

  /** One object that nobody can do anything with must not keep the others away (spec OPS-14). */
  #takeIn(event: WatchEvent): void {
    const { cache } = this.#options;
    if (event.type === 'BOOKMARK') return cache.bookmark(event.resourceVersion);
    try {
      cache.observe(event.object, event.type === 'DELETED');
    } catch (error) {
      this.#passOver(event.object, error);
    }
  }

  #passOver(item: unknown, error: unknown): void {
    const { cluster, kind, log, telemetry } = this.#options;
    const { name, namespace } = (item as { metadata?: { name?: string; namespace?: string } } | null)?.metadata ?? {};
    const fields = { kind: kind.plural, side: cluster.side, name, namespace, err: error };
    log.error(fields, 'An object could not be taken in; the others are');
    const why = error instanceof Error ? error.message : String(error);
    telemetry?.unreadable?.({ side: cluster.side, kind: kind.plural, why });
  }

  #isOlder(version: string): boolean {
    return this.#seen !== undefined && isOlder(version, this.#seen);
  }

  #isCurrent(version: string): void {
    const wasBehind = this.#outlook !== 'current';
    const seen = this.#seen ?? version;
    this.#seen = version;
    if (wasBehind) this.#turn('current', { seen, offered: version });
  }

  #isBehind(offered: string): WatchInput {
    const seen = this.#seen ?? '';
    if (this.#outlook === 'current') {
      this.#behind = { sinceMs: this.#now(), reads: 0 };
      this.#turn('lagging', { seen, offered });
    }
    this.#behind.reads++;
    const forGood = this.#behind.reads >= readsUntilRestored && this.#now() - this.#behind.sinceMs >= restoredAfterMs;
    if (forGood && this.#outlook === 'lagging') this.#turn('restored', { seen, offered });
    return { is: 'behind' };
  }

  #turn(outlook: Outlook, versions: { readonly seen: string; readonly offered: string }): void {
    const { kind, cluster, log, telemetry, onOutlook } = this.#options;
    this.#outlook = outlook;
    const level = ({ current: 'info', lagging: 'warn', restored: 'error' } as const)[outlook];
    log[level]({ kind: kind.plural, side: cluster.side, ...versions }, outlookTexts[outlook]);
    telemetry?.behind?.({ side: cluster.side, kind: kind.plural, behind: outlook !== 'current' });
    onOutlook?.({ side: cluster.side, kind, outlook, ...versions });
  }

  #restarted(reason: RestartReason): void {
    const { kind, cluster, telemetry } = this.#options;
    telemetry?.watchRestarted?.({ side: cluster.side, kind: kind.plural, reason });
  }

  #tell(input: WatchInput, err: unknown): void {
    const { kind, cluster, log } = this.#options;
    const { at, failures } = this.#state;
    const level = failures > 2 && input.is !== 'expired' ? 'warn' : 'info';
    log[level]({ kind: kind.plural, side: cluster.side, at, failures, err }, 'Watch failed');
    if (at === 'watch' && input.is in reasons) this.#restarted(reasons[input.is as keyof typeof reasons]);
  }
}

const outlookTexts: Readonly<Record<Outlook, string>> = {
  current: 'The API server shows what it has shown before, or something newer',
  lagging:
    'The API server is behind what it has already shown. Nothing of that is taken in; it is asked again until it has caught up',
  restored:
    'The API server stays behind what it has already shown: its store was restored or is another one. Nothing of that is taken in and nothing is deleted for it',
};

const reasons = { expired: 'expired', idle: 'idle', broken: 'broken', refused: 'refused' } as const;

function inputFor(error: unknown, broken: { readonly livedMs: number; readonly progressed: boolean }): WatchInput {
  if (isStatus(error, 410)) return { is: 'expired' };
  if (error instanceof ApiError) return { is: 'refused', retryAfterMs: error.retryAfterMs };
  return error instanceof IdleError ? { is: 'idle' } : { is: 'broken', ...broken };
}

function isTooLarge(error: unknown): boolean {
  return error instanceof ApiError && error.reason === versionTooLarge;
}
