/**
 * The loop, whole, with a toy resource between two API servers in memory: real caches, reflectors, queue and performer. For tests
 * of the loop itself.
 */
import { FakeCluster } from './fake-cluster.ts';
import { object, widgets } from './world.ts';
import { release } from './release.ts';
import type { Widget } from './world.ts';
import { buildCaches } from '../../syncer/caches.ts';
import type { CacheSet } from '../../syncer/caches.ts';
import { Engine } from '../../syncer/loop/engine.ts';
import { Performer } from '../../syncer/loop/perform.ts';
import { Queue } from '../../syncer/loop/queue.ts';
import { silentMetrics } from '../../syncer/loop/telemetry.ts';
import type { LoopMetrics } from '../../syncer/loop/telemetry.ts';
import { EventWarner } from '../../syncer/loop/warner.ts';
import { StoreReplacedError } from '../../syncer/model/errors.ts';
import { configMaps } from '../../syncer/model/kubernetes.ts';
import type { ConfigMap } from '../../syncer/model/kubernetes.ts';
import type { Metadata } from '../../syncer/model/object.ts';
import type { Resource } from '../../syncer/model/resource.ts';
import type { Key } from '../../syncer/model/side.ts';
import { defineToHost } from '../../syncer/resources/define.ts';
import { silentLogger } from '../../syncer/service/logger.ts';
import { onHost } from '../../syncer/translate/metadata.ts';
import { mergeMetadata } from '../../syncer/translate/three-way.ts';

const settings: Key<'virtual'> = { namespace: 'shop', name: 'settings' };
export const key: Key<'virtual'> = { namespace: 'shop', name: 'web' };
export const hostKey: Key<'host'> = { namespace: 'tenant-a', name: 'web-x-shop-x-vc1' };

/** A widget is pushed when its config map is there and says how large it should be; its state comes back from the host. */
export const toy: Resource = defineToHost<Widget>({
  kind: widgets,
  sources: [{ side: 'virtual', kind: configMaps }],
  toHost: (virtual, view) => {
    const size = view.virtual.get<ConfigMap>(configMaps, settings)?.data?.['size'];
    if (size === undefined) return { is: 'waiting', why: 'no settings' };
    return { is: 'object', object: onHost<Widget>(virtual, widgets, view, { size: Number(size) }) };
  },
  merge: (host, { size = 0, metadata }) => ({ ...host, size, metadata: mergeMetadata(host.metadata, metadata) }),
  pull: (host, virtual) => {
    if (host.state === virtual.state) return [];
    const { uid } = virtual.metadata;
    return [{ do: 'patch', side: 'virtual', kind: widgets, key, patch: { metadata: { uid }, state: host.state } }];
  },
});

/** Starts each widget once, by a POST whose effect only the watch shows. */
export const starter: Resource = {
  name: 'starter',
  kind: widgets,
  sources: [{ side: 'virtual', kind: widgets }],
  indexes: [],
  hostRules: [],
  keysOf: ({ side, object: { metadata } }) => (side === 'virtual' ? [`${metadata.namespace}/${metadata.name}`] : []),
  decide: (_key, view) => {
    const found = view.virtual.get(widgets, key);
    if (found === undefined || found.state === 'started') return { actions: [] };
    return { actions: [{ do: 'post', side: 'virtual', kind: widgets, key, subresource: 'start', body: {} }] };
  },
};

interface Clusters {
  readonly host: FakeCluster;
  readonly virtual: FakeCluster;
}

export class ToyLoop {
  readonly host: FakeCluster;
  readonly virtual: FakeCluster;
  /** Looks at keys, as `widgets settled`. */
  readonly looks: string[] = [];
  readonly repairs: string[] = [];
  readonly orphans: string[] = [];
  storeIsReplaced = false;
  /** Ends with the loop; rejects when the loop does. */
  running: Promise<unknown> = Promise.resolve();
  #queue = new Queue();
  #caches: CacheSet | undefined;
  #engine: Engine | undefined;
  #stop = new AbortController();

  constructor({ host = new FakeCluster('host'), virtual = new FakeCluster('virtual') }: Partial<Clusters> = {}) {
    this.host = host;
    this.virtual = virtual;
  }

  get engine(): Engine {
    if (this.#engine === undefined) throw new Error('Not started.');
    return this.#engine;
  }

  /** With the toy resource, started. */
  static async started(): Promise<ToyLoop> {
    const loop = new ToyLoop();
    await loop.start();
    return loop;
  }

  async start(resources: readonly Resource[] = [toy]): Promise<void> {
    this.#stop = new AbortController();
    this.#queue = new Queue();
    const { host, virtual } = this;
    const clusters = { host, virtual };
    const options = { clusters, hostNamespace: release.namespace, indexes: [], log: silentLogger, resources };
    this.#engine = undefined;
    const caches = buildCaches({ ...options, onChange: (change) => this.#engine?.changed(change) });
    this.#caches = caches;
    const sameStore = async (): Promise<void> => {
      if (this.storeIsReplaced) throw new StoreReplacedError('another store');
    };
    const reflecting = caches.run(this.#stop.signal);
    while (!caches.stores.complete) await tick();
    this.#engine = new Engine({
      resources,
      release,
      stores: caches.stores,
      queue: this.#queue,
      performer: new Performer(clusters, caches.stores, new EventWarner(virtual), { sameStore }),
      log: silentLogger,
      metrics: this.#metrics(),
    });
    this.running = Promise.all([reflecting, this.#engine.run(this.#stop.signal)]);
    await this.resync();
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.running;
  }

  /** A tenant makes a widget and what it needs; the host has its copy when this resolves, unless something stands against it. */
  async make(): Promise<void> {
    this.virtual.set(configMaps, settingsOf('3'));
    this.virtual.set(widgets, widget());
    await this.atRest();
  }

  /** A second look at everything. */
  async resync(): Promise<void> {
    this.engine.resync(this.#caches?.sources ?? []);
    await this.atRest();
  }

  /** Until nothing is queued and nothing on its way: in memory, a few turns of the event loop. */
  async atRest(): Promise<void> {
    for (let calm = 0; calm < 20; calm = this.#queue.idle ? calm + 1 : 0) await tick();
  }

  #metrics(): LoopMetrics {
    return {
      ...silentMetrics,
      reconciled: (name, outcome) => void this.looks.push(`${name} ${outcome}`),
      repaired: (name) => void this.repairs.push(name),
      orphaned: (name) => void this.orphans.push(name),
    };
  }
}

export async function tick(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

export function widget(metadata: Partial<Metadata> = {}, state?: string): Widget {
  return object(widgets, { ...key, ...metadata }, state === undefined ? {} : { state });
}

export function settingsOf(size: string): ConfigMap {
  return object(configMaps, settings, { data: { size } });
}
