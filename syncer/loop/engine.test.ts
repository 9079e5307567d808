/** The loop, whole, with a toy resource between two API servers in memory: real caches, reflectors, queue and performer. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeCluster, refusal } from '../../test/support/fake-cluster.ts';
import { object, widgets } from '../../test/support/world.ts';
import { release } from '../../test/support/release.ts';
import type { Widget } from '../../test/support/world.ts';
import { buildCaches } from '../caches.ts';
import type { CacheSet } from '../caches.ts';
import { ConnectionError } from '../model/errors.ts';
import { configMaps, events } from '../model/kubernetes.ts';
import type { ConfigMap } from '../model/kubernetes.ts';
import type { Metadata } from '../model/object.ts';
import type { Resource } from '../model/resource.ts';
import { defineToHost } from '../resources/define.ts';
import { silentLogger } from '../service/logger.ts';
import { mergeMetadata, onHost } from '../translate/metadata.ts';
import { Engine } from './engine.ts';
import { Performer } from './perform.ts';
import { Queue } from './queue.ts';
import { EventWarner } from './warner.ts';

const settings = { namespace: 'shop', name: 'settings' };
const key = { namespace: 'shop', name: 'web' };
const hostKey = { namespace: 'tenant-a', name: 'web-x-shop-x-vc1' };

/** A widget is pushed when its config map is there and says how large it should be; its state comes back from the host. */
const toy: Resource = defineToHost<Widget>({
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
const starter: Resource = {
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

let host: FakeCluster;
let virtual: FakeCluster;
let queue: Queue;
let engine: Engine;
let caches: CacheSet;
let stop: AbortController;
let running: Promise<unknown>;
let looks: string[];

async function start(resources: readonly Resource[] = [toy]): Promise<void> {
  stop = new AbortController();
  queue = new Queue();
  const clusters = { host, virtual };
  const options = { clusters, hostNamespace: release.namespace, indexes: [], log: silentLogger, resources };
  caches = buildCaches({ ...options, onChange: (change) => engine.changed(change) });
  const performer = new Performer(clusters, caches.stores, new EventWarner(virtual));
  const metrics = { reconciled: (name: string, outcome: string): unknown => looks.push(`${name} ${outcome}`) };
  engine = new Engine({
    resources,
    release,
    stores: caches.stores,
    queue,
    performer,
    log: silentLogger,
    metrics,
  });
  const reflecting = caches.run(stop.signal);
  while (!caches.stores.complete) await tick();
  running = Promise.all([reflecting, engine.run(stop.signal)]);
  await atRest();
}

async function end(): Promise<void> {
  stop.abort();
  await running;
}

async function tick(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Until nothing is queued and nothing on its way: in memory, a few turns of the event loop. */
async function atRest(): Promise<void> {
  for (let calm = 0; calm < 20; calm = queue.idle ? calm + 1 : 0) await tick();
}

function widget(metadata: Partial<Metadata> = {}, state?: string): Widget {
  return object(widgets, { ...key, ...metadata }, state === undefined ? {} : { state });
}

function settingsOf(size: string): ConfigMap {
  return object(configMaps, settings, { data: { size } });
}

beforeEach(async () => {
  looks = [];
  host = new FakeCluster('host');
  virtual = new FakeCluster('virtual');
  await start();
});

afterEach(end);

describe('Engine', () => {
  test('a change of something that was read in vain wakes the key [OPS-19]', async () => {
    virtual.set(widgets, widget());
    await atRest();
    expect(host.writes).toEqual([]);
    virtual.set(configMaps, settingsOf('3'));
    await atRest();
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
    virtual.set(configMaps, settingsOf('4'));
    await atRest();
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 4 });
    expect(host.writes).toEqual([
      'create widgets tenant-a/web-x-shop-x-vc1',
      'patch widgets tenant-a/web-x-shop-x-vc1',
    ]);
  });

  test('what nobody reads wakes nobody', async () => {
    virtual.set(widgets, widget());
    await atRest();
    const before = looks.length;
    virtual.set(configMaps, object(configMaps, { namespace: 'shop', name: 'other' }, { data: { size: '1' } }));
    await atRest();
    expect(looks).toHaveLength(before);
  });

  test('once converged, a second look at everything writes nothing [I2] [CORE-38]', async () => {
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    host.set(widgets, { ...host.peek(widgets, hostKey), state: 'turning' } as Widget);
    await atRest();
    expect(virtual.peek(widgets, key)).toMatchObject({ state: 'turning' });
    const writes = [host.writes.length, virtual.writes.length];
    const before = looks.length;
    engine.resync(caches.sources);
    await atRest();
    expect(looks.length).toBeGreaterThan(before);
    expect([host.writes.length, virtual.writes.length]).toEqual(writes);
  });

  test('orphans of both sides are found by the first pass [OPS-06]', async () => {
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    await end();
    virtual.vanish(widgets, key);
    virtual.set(widgets, widget({ name: 'other' }));
    await start();
    engine.resync(caches.sources);
    await atRest();
    expect(host.peek(widgets, hostKey)).toBeUndefined();
    expect(host.peek(widgets, { ...hostKey, name: 'other-x-shop-x-vc1' })).toBeDefined();
  });

  test('a lost answer to a create doubles nothing: the object is found and taken on [CORE-32, F32]', async () => {
    let losses = 1;
    host.after = (what) => {
      if (what.startsWith('create') && losses-- > 0) throw new ConnectionError('reset');
    };
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await atRest();
    expect(host.writes).toEqual(['create widgets tenant-a/web-x-shop-x-vc1']);
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
  });

  test("a host object that is somebody else's is told once and never touched [CORE-34]", async () => {
    const foreign = host.set(widgets, object(widgets, hostKey, { size: 77 }));
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    engine.resync(caches.sources);
    await atRest();
    expect(host.writes).toEqual([]);
    expect(host.peek(widgets, hostKey)).toEqual(foreign);
    expect(virtual.writes.filter((what) => what.includes(events.plural))).toHaveLength(1);
  });

  test("somebody else's object gone, its name is taken at once", async () => {
    host.set(widgets, object(widgets, hostKey));
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    host.vanish(widgets, hostKey);
    await atRest();
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
  });

  test('a host object that vanished takes the virtual one with it, after a live look [CORE-26] [OPS-15]', async () => {
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    host.vanish(widgets, hostKey);
    await atRest();
    expect(virtual.peek(widgets, key)).toBeUndefined();
    expect(virtual.writes).toEqual(['delete widgets shop/web']);
  });

  test('nothing is kept of what has come and gone', async () => {
    virtual.set(configMaps, settingsOf('3'));
    await atRest();
    for (let round = 0; round < 10; round++) {
      virtual.set(widgets, widget({ name: `w${round}` }));
      await atRest();
      expect(engine.kept).toBeGreaterThan(0);
      virtual.vanish(widgets, { ...key, name: `w${round}` });
      await atRest();
      expect(engine.kept).toBe(0);
    }
    virtual.set(widgets, widget());
    await atRest();
    expect(host.peek(widgets, hostKey)).toBeDefined();
  });

  test("what the host refuses is told the tenant in the tenant's words, once [CORE-07]", async () => {
    host.before = (what) => {
      throw refusal(403, `POST /x: ${what}: web-x-shop-x-vc1 exceeds the quota of tenant-a`, 60_000);
    };
    virtual.set(configMaps, settingsOf('3'));
    virtual.set(widgets, widget());
    await atRest();
    virtual.set(widgets, widget({}, 'x'));
    await atRest();
    const told = virtual.writes.filter((what) => what.includes(events.plural));
    expect(told).toHaveLength(1);
    const [name = ''] = told.map((what) => what.split('/')[1]);
    expect(virtual.peek(events, { namespace: 'shop', name })).toMatchObject({
      reason: 'SyncError',
      message: expect.stringMatching(/web exceeds the quota of shop$/),
    });
  });

  test('a POST whose effect is not yet seen is not sent again [CORE-20]', async () => {
    await end();
    await start([starter]);
    virtual.set(widgets, widget());
    await atRest();
    engine.resync(caches.sources);
    await atRest();
    expect(virtual.writes).toEqual(['post widgets/start shop/web']);
    virtual.set(widgets, widget({}, 'started'));
    await atRest();
    expect(virtual.writes).toHaveLength(1);
  });
});
