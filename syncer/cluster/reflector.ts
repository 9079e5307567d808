/**
 * Keeps one cache equal to one collection of one API server: list, watch, and again, for ever. Never interprets an error as
 * absence (spec OPS-09); a list older than what was already seen is not taken in (OPS-12, benchmarks §3.9).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Scope } from '../model/cluster.ts';
import { ApiError, isStatus } from '../model/errors.ts';
import type { Kind } from '../model/kind.ts';
import type { Logger } from '../service/logger.ts';
import type { Cache } from './cache.ts';
import { isNewer } from './version.ts';
import { initialWatchState, nextWatchState, watchDelayMs } from './watch-state.ts';
import type { WatchInput, WatchState } from './watch-state.ts';

export interface ReflectorOptions {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly scope: Scope;
  readonly cache: Cache;
  readonly log: Logger;
  readonly random?: () => number;
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const shortWatchMs = 1_000;

export class Reflector {
  readonly #options: ReflectorOptions;
  #state: WatchState = initialWatchState;
  #version: string | undefined;

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  /** Runs until the signal is aborted. Never throws. */
  async run(signal: AbortSignal): Promise<void> {
    const wait = this.#options.wait ?? pause;
    while (!signal.aborted) {
      const input = await this.#attempt(signal);
      if (signal.aborted) return;
      this.#state = nextWatchState(this.#state, input);
      const retryAfterMs = input.is === 'failed' ? input.retryAfterMs : undefined;
      await wait(watchDelayMs(this.#state, this.#options.random ?? Math.random, retryAfterMs), signal);
    }
  }

  async #attempt(signal: AbortSignal): Promise<WatchInput> {
    try {
      return this.#state.at === 'list' ? await this.#list(signal) : await this.#watch(this.#state.version, signal);
    } catch (error) {
      return this.#explain(error, signal);
    }
  }

  async #list(signal: AbortSignal): Promise<WatchInput> {
    const { cluster, kind, scope, cache, log } = this.#options;
    const page = await cluster.list(kind, scope, signal);
    if (this.#version !== undefined && isNewer(this.#version, page.resourceVersion)) {
      log.error(
        { kind: kind.plural, side: cluster.side, listed: page.resourceVersion, seen: this.#version },
        'The API server is behind what it has already shown: its store was restored or another replica answers. Nothing is changed until it has caught up; restart the syncer to accept the older state',
      );
      return { is: 'failed' };
    }
    cache.replaceAll(page.items, page.resourceVersion);
    this.#version = page.resourceVersion;
    return { is: 'listed', version: page.resourceVersion };
  }

  async #watch(from: string, signal: AbortSignal): Promise<WatchInput> {
    const { cluster, kind, scope, cache } = this.#options;
    const startedMs = performance.now();
    for await (const event of cluster.watch(kind, scope, from, signal)) {
      if (event.type === 'BOOKMARK') cache.bookmark(event.resourceVersion);
      else cache.observe(event.object, event.type === 'DELETED');
      const version = event.type === 'BOOKMARK' ? event.resourceVersion : event.object.metadata.resourceVersion;
      if (version === undefined) continue;
      this.#version = version;
      this.#state = nextWatchState(this.#state, { is: 'progress', version });
    }
    return performance.now() - startedMs < shortWatchMs ? { is: 'failed' } : { is: 'ended' };
  }

  #explain(error: unknown, signal: AbortSignal): WatchInput {
    if (isStatus(error, 410)) return { is: 'expired' };
    const { kind, cluster, log } = this.#options;
    if (!signal.aborted) {
      const level = this.#state.failures > 2 ? 'warn' : 'info';
      log[level]({ kind: kind.plural, side: cluster.side, failures: this.#state.failures, err: error }, 'Watch failed');
    }
    return { is: 'failed', retryAfterMs: error instanceof ApiError ? error.retryAfterMs : undefined };
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0) return;
  await sleep(ms, undefined, { signal }).catch(() => undefined);
}
