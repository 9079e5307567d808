/** What keeps the loop from doing harm, and from being held up. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { FakeCluster } from '../../test/support/fake-cluster.ts';
import { hostKey, key, settingsOf, starter, tick, ToyLoop, widget } from '../../test/support/toy-loop.ts';
import { widgets } from '../../test/support/world.ts';
import { StoreReplacedError } from '../model/errors.ts';
import { configMaps } from '../model/kubernetes.ts';

let loop: ToyLoop;
let host: FakeCluster;
let virtual: FakeCluster;

beforeEach(async () => {
  loop = await ToyLoop.started();
  ({ host, virtual } = loop);
});

afterEach(() => loop.end());

describe('Engine', () => {
  test('nothing is kept of what has come and gone', async () => {
    virtual.set(configMaps, settingsOf('3'));
    await loop.atRest();
    for (let round = 0; round < 10; round++) {
      virtual.set(widgets, widget({ name: `w${round}` }));
      await loop.atRest();
      expect(loop.engine.kept).toBeGreaterThan(0);
      virtual.vanish(widgets, { ...key, name: `w${round}` });
      await loop.atRest();
      expect(loop.engine.kept).toBe(0);
    }
    virtual.set(widgets, widget());
    await loop.atRest();
    expect(host.peek(widgets, hostKey)).toBeDefined();
  });

  test('a host object that came and went before anybody saw it was there all the same [CORE-26, POD-03]', async () => {
    virtual.set(configMaps, settingsOf('3'));
    host.after = (what) => {
      if (what.startsWith('create')) host.vanish(widgets, hostKey);
    };
    virtual.set(widgets, widget());
    await loop.atRest();
    expect(host.writes).toEqual(['create widgets tenant-a/web-x-shop-x-vc1']);
    expect(virtual.peek(widgets, key)).toBeUndefined();
  });

  test('keys whose writes hang hold up no others: they get substitutes [F43, F48]', async () => {
    await loop.end();
    let letGo = (): void => {};
    const hang = new Promise<void>((resolve) => (letGo = resolve));
    const create = host.create.bind(host);
    host.create = async (kind, created) => {
      if (created.metadata.name.startsWith('slow')) await hang;
      return create(kind, created);
    };
    virtual.set(configMaps, settingsOf('3'));
    await loop.start();
    for (let index = 0; index < 64; index++) virtual.set(widgets, widget({ name: `slow${index}` }));
    for (let turn = 0; turn < 50; turn++) await tick();
    virtual.set(widgets, widget());
    await vi.waitFor(() => expect(host.peek(widgets, hostKey)).toBeDefined(), { timeout: 5_000, interval: 20 });
    letGo();
    await loop.atRest();
    expect(host.writes).toHaveLength(65);
  });

  test('what a first pass finds to do is no repair; a deletion that nobody had seen is an orphan [CORE-38, OPS-06, OPS-27]', async () => {
    await loop.make();
    await loop.end();
    virtual.vanish(widgets, key);
    virtual.set(widgets, widget({ name: 'other' }));
    await loop.start();
    expect([loop.repairs, loop.orphans]).toEqual([[], ['widgets']]);
    await loop.resync();
    expect([loop.repairs, loop.orphans]).toEqual([[], ['widgets']]);
  });

  test('with another backing store behind the virtual API nothing is deleted, and the loop ends [OPS-08, F12]', async () => {
    await loop.make();
    loop.storeIsReplaced = true;
    const { running } = loop;
    loop.running = Promise.resolve();
    virtual.vanish(widgets, key);
    await expect(running).rejects.toThrow(StoreReplacedError);
    expect(host.peek(widgets, hostKey)).toBeDefined();
  });

  test('a POST whose effect is not yet seen is not sent again [CORE-20]', async () => {
    await loop.end();
    await loop.start([starter]);
    virtual.set(widgets, widget());
    await loop.atRest();
    await loop.resync();
    expect(virtual.writes).toEqual(['post widgets/start shop/web']);
    virtual.set(widgets, widget({}, 'started'));
    await loop.atRest();
    expect(virtual.writes).toHaveLength(1);
  });
});
