/** One life of the syncer: everything of it is real but its clock, its dice and its connections. It ends by falling silent. */
import { inspect } from 'node:util';
import { buildCaches } from '../../syncer/caches.ts';
import type { CacheSet } from '../../syncer/caches.ts';
import { Engine } from '../../syncer/loop/engine.ts';
import { Performer } from '../../syncer/loop/perform.ts';
import { Queue } from '../../syncer/loop/queue.ts';
import { silentMetrics } from '../../syncer/loop/telemetry.ts';
import { EventWarner } from '../../syncer/loop/warner.ts';
import { ApiError, ConnectionError } from '../../syncer/model/errors.ts';
import { resources } from '../../syncer/resources/index.ts';
import type { Logger } from '../../syncer/service/logger.ts';
import { release } from '../support/release.ts';
import type { ApiServer } from './api-server.ts';
import type { Circumstances } from './circumstances.ts';
import { Connection } from './connection.ts';

const pollMs = 20;

export class Life {
  readonly #around: Circumstances;
  readonly #clusters: { readonly host: Connection; readonly virtual: Connection };
  readonly #caches: CacheSet;
  readonly #engine: Engine;
  readonly #stop = new AbortController();
  #alive = true;
  #started = false;

  constructor(servers: { readonly host: ApiServer; readonly virtual: ApiServer }, around: Circumstances) {
    this.#around = around;
    this.#clusters = { host: new Connection(servers.host, around), virtual: new Connection(servers.virtual, around) };
    const now = (): number => around.clock.nowMs;
    const schedule = (ring: () => void, ms: number): (() => void) =>
      around.clock.after(ms, () => {
        if (this.#alive) ring();
      });
    const log = this.#log();
    this.#caches = buildCaches({
      resources,
      indexes: [],
      clusters: this.#clusters,
      hostNamespace: release.namespace,
      log,
      onChange: (change) => {
        if (this.#started) this.#engine.changed(change);
      },
      timing: {
        random: around.random,
        wait: (ms) => new Promise((resolve) => schedule(resolve, ms)),
      },
    });
    const { stores } = this.#caches;
    const performer = new Performer(this.#clusters, stores, new EventWarner(this.#clusters.virtual, now));
    const queue = new Queue({ now, schedule, random: around.random });
    const metrics = silentMetrics;
    const clocks = { now, monotonicMs: now };
    // Substitutes are called in by a real clock, which would outlive this life, too.
    this.#engine = new Engine({ resources, release, stores, queue, performer, log, metrics, ...clocks, workersMax: 0 });
    void this.#caches.run(this.#stop.signal);
    const begin = (): void => (stores.complete ? this.#begin() : void schedule(begin, pollMs));
    schedule(begin, pollMs);
  }

  resync(): void {
    this.#engine.resync(this.#caches.sources);
  }

  /** As SIGKILL does: nothing more is sent, and nothing that comes back is heard. */
  kill(): void {
    this.#around.trace('syncer killed');
    this.#alive = false;
    this.#clusters.host.alive = false;
    this.#clusters.virtual.alive = false;
  }

  #begin(): void {
    this.#started = true;
    void this.#engine.run(this.#stop.signal);
    this.resync();
  }

  /** Only mistakes of the program itself are of interest here. */
  #log(): Logger {
    const note = (fields: object): void => {
      const { err } = fields as { err?: unknown };
      const expected = err === undefined || err instanceof ApiError || err instanceof ConnectionError;
      if (!expected) this.#around.violated(`I9: unexpected error: ${inspect(err)}`);
    };
    const error = (fields: object, message: string): void => {
      this.#around.violated(`I9: logged as an error: ${message} ${JSON.stringify(fields)}`);
    };
    return { debug: note, info: note, warn: note, error };
  }
}
