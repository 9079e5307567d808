/** The loop, whole, on two API servers in memory (test/support/toy-loop.ts). */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { refusal } from '../../test/support/fake-cluster.ts';
import type { FakeCluster } from '../../test/support/fake-cluster.ts';
import { hostKey, key, settingsOf, ToyLoop, widget } from '../../test/support/toy-loop.ts';
import { object, widgets } from '../../test/support/world.ts';
import type { Widget } from '../../test/support/world.ts';
import { ConnectionError } from '../model/errors.ts';
import { configMaps, events } from '../model/kubernetes.ts';

let loop: ToyLoop;
let host: FakeCluster;
let virtual: FakeCluster;

beforeEach(async () => {
  loop = await ToyLoop.started();
  ({ host, virtual } = loop);
});

afterEach(() => loop.end());

describe('Engine', () => {
  test('a change of something that was read in vain wakes the key [OPS-19]', async () => {
    virtual.set(widgets, widget());
    await loop.atRest();
    expect(host.writes).toEqual([]);
    virtual.set(configMaps, settingsOf('3'));
    await loop.atRest();
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
    virtual.set(configMaps, settingsOf('4'));
    await loop.atRest();
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 4 });
    expect(host.writes).toEqual([
      'create widgets tenant-a/web-x-shop-x-vc1',
      'patch widgets tenant-a/web-x-shop-x-vc1',
    ]);
  });

  test('what nobody reads wakes nobody', async () => {
    virtual.set(widgets, widget());
    await loop.atRest();
    const before = loop.looks.length;
    virtual.set(configMaps, object(configMaps, { namespace: 'shop', name: 'other' }, { data: { size: '1' } }));
    await loop.atRest();
    expect(loop.looks).toHaveLength(before);
  });

  test('once converged, a second look at everything writes nothing [I2] [CORE-38]', async () => {
    await loop.make();
    host.set(widgets, { ...host.peek(widgets, hostKey), state: 'turning' } as Widget);
    await loop.atRest();
    expect(virtual.peek(widgets, key)).toMatchObject({ state: 'turning' });
    const writes = [host.writes.length, virtual.writes.length];
    const before = loop.looks.length;
    await loop.resync();
    expect(loop.looks.length).toBeGreaterThan(before);
    expect([host.writes.length, virtual.writes.length]).toEqual(writes);
  });

  test('orphans of both sides are found by the first pass [OPS-06]', async () => {
    await loop.make();
    await loop.end();
    virtual.vanish(widgets, key);
    virtual.set(widgets, widget({ name: 'other' }));
    await loop.start();
    expect(host.peek(widgets, hostKey)).toBeUndefined();
    expect(host.peek(widgets, { ...hostKey, name: 'other-x-shop-x-vc1' })).toBeDefined();
  });

  test('a lost answer to a create doubles nothing: the object is found and taken on [CORE-32, F32]', async () => {
    let losses = 1;
    host.after = (what) => {
      if (what.startsWith('create') && losses-- > 0) throw new ConnectionError('reset');
    };
    await loop.make();
    await new Promise((resolve) => setTimeout(resolve, 15));
    await loop.atRest();
    expect(host.writes).toEqual(['create widgets tenant-a/web-x-shop-x-vc1']);
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
  });

  test("a host object that is somebody else's is told once and never touched [CORE-34]", async () => {
    const foreign = host.set(widgets, object(widgets, hostKey, { size: 77 }));
    await loop.make();
    await loop.resync();
    expect(host.writes).toEqual([]);
    expect(host.peek(widgets, hostKey)).toEqual(foreign);
    expect(virtual.writes.filter((what) => what.includes(events.plural))).toHaveLength(1);
  });

  test("somebody else's object gone, its name is taken at once", async () => {
    host.set(widgets, object(widgets, hostKey));
    await loop.make();
    host.vanish(widgets, hostKey);
    await loop.atRest();
    expect(host.peek(widgets, hostKey)).toMatchObject({ size: 3 });
  });

  test('a host object that vanished takes the virtual one with it, after a live look [CORE-26] [OPS-15]', async () => {
    await loop.make();
    host.vanish(widgets, hostKey);
    await loop.atRest();
    expect(virtual.peek(widgets, key)).toBeUndefined();
    expect(virtual.writes).toEqual(['delete widgets shop/web']);
  });

  test("what the host refuses is told the tenant in the tenant's words, once [CORE-07]", async () => {
    host.before = (what) => {
      throw refusal(403, `POST /x: ${what}: web-x-shop-x-vc1 exceeds the quota of tenant-a`, 60_000);
    };
    await loop.make();
    virtual.set(widgets, widget({}, 'x'));
    await loop.atRest();
    const told = virtual.writes.filter((what) => what.includes(events.plural));
    expect(told).toHaveLength(1);
    const [name = ''] = told.map((what) => what.split('/')[1]);
    expect(virtual.peek(events, { namespace: 'shop', name })).toMatchObject({
      reason: 'SyncError',
      message: expect.stringMatching(/web exceeds the quota of shop$/),
    });
  });
});
