/** The guard against an emptied or rolled-back backing store, with two API servers in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeCluster } from '../../test/support/fake-cluster.ts';
import { object } from '../../test/support/world.ts';
import { release } from '../../test/support/release.ts';
import { StoreReplacedError } from '../model/errors.ts';
import { namespaces, services } from '../model/kubernetes.ts';
import type { Survey } from '../model/resource.ts';
import { silentLogger } from '../service/logger.ts';
import { StoreGuard, storeKeys } from './guard.ts';

const service = { namespace: release.namespace, name: release.name };
const kubeSystem = { namespace: '', name: 'kube-system' };
const signal = new AbortController().signal;

let host: FakeCluster;
let virtual: FakeCluster;
let survey: Survey;
let waits: number;
let meanwhile: () => void;

function newGuard(): StoreGuard {
  return new StoreGuard({
    clusters: { host, virtual },
    release,
    survey: () => survey,
    log: silentLogger,
    wait: async () => {
      waits++;
      if (waits > 3) throw new Error('held');
      meanwhile();
    },
  });
}

function annotated(): Readonly<Record<string, string>> {
  return host.peek(services, service)?.metadata.annotations ?? {};
}

function annotate(annotations: Readonly<Record<string, string>>): void {
  host.set(services, object(services, { ...service, annotations }));
}

/** The store is emptied and filled again by a new API server. */
function replaceStore(uid: string): void {
  virtual.set(namespaces, object(namespaces, { name: 'kube-system', uid }));
}

beforeEach(() => {
  host = new FakeCluster('host');
  virtual = new FakeCluster('virtual');
  host.set(services, object(services, service));
  replaceStore('store-1');
  survey = { objects: 40, orphans: 0, versions: ['1'] };
  waits = 0;
  meanwhile = () => {};
});

describe('StoreGuard [OPS-08]', () => {
  test('at first notes which store this is; later it is known again and nothing is written', async () => {
    expect(await newGuard().admit(signal)).toBe(0);
    expect(annotated()).toMatchObject({ [storeKeys.store]: 'store-1/0' });
    const before = host.writes.length;
    expect(await newGuard().admit(signal)).toBe(0);
    expect(host.writes).toHaveLength(before);
    expect(waits).toBe(0);
  });

  test.each([
    ['is another one', (): void => replaceStore('store-2'), /is not the one .* store-1 and is now store-2/],
    ['has gone back', (): void => void (survey = { ...survey, versions: ['1', '900'] }), /gone back.* revision 900/],
    [
      'has lost most of what is on the host',
      (): void => void (survey = { objects: 40, orphans: 31, versions: [] }),
      /Most of what .*31 of 40 host objects/,
    ],
    ['has no kube-system', (): void => virtual.vanish(namespaces, kubeSystem), /no namespace kube-system/],
  ])('a store that %s is held, and nothing is written to either side [F12, F19]', async (_, happen, why) => {
    await newGuard().admit(signal);
    happen();
    const before = [...host.writes, ...virtual.writes];
    const guard = newGuard();
    await expect(guard.admit(signal)).rejects.toThrow('held');
    expect(guard.held).toMatch(why);
    expect([...host.writes, ...virtual.writes]).toEqual(before);
  });

  test.each([
    ['fewer than twenty', { objects: 19, orphans: 19, versions: [] }],
    ['three quarters', { objects: 40, orphans: 30, versions: [] }],
  ])('%s orphans are a day’s work', async (_, found) => {
    survey = found;
    expect(await newGuard().admit(signal)).toBe(0);
  });

  test('a person accepts the new store: the epoch goes up, so that former revisions are no longer compared', async () => {
    await newGuard().admit(signal);
    replaceStore('store-2');
    survey = { objects: 40, orphans: 40, versions: ['900'] };
    meanwhile = () => annotate({ ...annotated(), [storeKeys.accept]: 'store-2' });
    const guard = newGuard();
    expect(await guard.admit(signal)).toBe(1);
    expect(guard.held).toBeUndefined();
    expect(annotated()).toEqual({ [storeKeys.store]: 'store-2/1' });
    survey = { objects: 40, orphans: 0, versions: ['900', '2/1'] };
    expect(await newGuard().admit(signal)).toBe(1);
  });

  test('consent to another store than this one is none', async () => {
    await newGuard().admit(signal);
    replaceStore('store-2');
    meanwhile = () => annotate({ ...annotated(), [storeKeys.accept]: 'store-3' });
    await expect(newGuard().admit(signal)).rejects.toThrow('held');
  });

  test('nobody can consent to a store that does not say who it is', async () => {
    await newGuard().admit(signal);
    virtual.vanish(namespaces, kubeSystem);
    annotate({ ...annotated(), [storeKeys.accept]: '' });
    const before = [...host.writes];
    await expect(newGuard().admit(signal)).rejects.toThrow('held');
    expect(host.writes).toEqual(before);
    replaceStore('store-1');
    waits = 0;
    expect(await newGuard().admit(signal)).toBe(0);
  });

  test('the former store is back: work goes on by itself', async () => {
    await newGuard().admit(signal);
    replaceStore('store-2');
    meanwhile = () => replaceStore('store-1');
    expect(await newGuard().admit(signal)).toBe(0);
  });

  test('check() tells while running that the store was replaced', async () => {
    const guard = newGuard();
    await guard.admit(signal);
    await guard.check();
    replaceStore('store-2');
    await expect(guard.check()).rejects.toThrow(StoreReplacedError);
  });

  test('those who check at the same time share questions, and nobody gets an answer from before he asked', async () => {
    const guard = newGuard();
    await guard.admit(signal);
    let asked = 0;
    const get = virtual.get.bind(virtual);
    virtual.get = (kind, key) => {
      asked++;
      return get(kind, key);
    };
    const first = guard.check();
    const rest = Array.from({ length: 9 }, () => guard.check());
    await Promise.all([first, ...rest]);
    expect(asked).toBe(2);
  });
});
