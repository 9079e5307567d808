import { beforeEach, describe, expect, test } from 'vitest';
import { FakeCluster, refusal } from '../../test/support/fake-cluster.ts';
import { object, widgets } from '../../test/support/world.ts';
import { Cache } from '../cluster/cache.ts';
import { secrets } from '../model/kubernetes.ts';
import type { Secret } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import { Performer } from './perform.ts';
import { Stores } from './stores.ts';

const key = { namespace: 'tenant-a', name: 'web' };
const widget = object(widgets, key, { size: 1 });

let host: FakeCluster;
let virtual: FakeCluster;
let caches: Readonly<Record<'host' | 'virtual', Cache>>;
let performer: Performer;

beforeEach(() => {
  host = new FakeCluster('host');
  virtual = new FakeCluster('virtual');
  const stores = new Stores();
  const cacheOf = (side: 'host' | 'virtual'): Cache => {
    const cache = new Cache({ side, kind: widgets, indexes: [], onChange: () => {} });
    cache.replaceAll([], '0');
    stores.add(side, widgets, cache);
    return cache;
  };
  caches = { host: cacheOf('host'), virtual: cacheOf('virtual') };
  performer = new Performer({ host, virtual }, stores, { warn: () => Promise.resolve() });
});

function create(otherwise?: (refused: KubeObject, message: string) => KubeObject | undefined): Promise<void> {
  const action = { do: 'create', side: 'host', kind: widgets, object: widget } as const;
  return performer.perform(otherwise === undefined ? action : { ...action, otherwise });
}

describe('create', () => {
  test('puts the answer into the cache at once', async () => {
    await create();
    expect(caches.host.get(key)).toMatchObject({ size: 1, metadata: { uid: 'host-1' } });
  });

  test('of what exists already is no error: what is there is taken into the cache for the next plan [CORE-32] [CORE-33]', async () => {
    host.set(widgets, { ...widget, metadata: { ...key, uid: 'earlier' } });
    await create();
    expect(caches.host.get(key)?.metadata.uid).toBe('earlier');
    expect(host.writes).toEqual([]);
  });

  test('tries other forms of what is called invalid, until there is none', async () => {
    host.before = (what) => {
      throw refusal(422, `${what} is invalid`);
    };
    let tries = 0;
    await expect(create((refused) => (++tries < 3 ? refused : undefined))).rejects.toThrow('is invalid');
    expect(tries).toBe(3);
  });

  test('passes any other refusal on', async () => {
    host.before = () => {
      throw refusal(403, 'quota');
    };
    await expect(create(() => widget)).rejects.toMatchObject({ status: 403 });
  });
});

describe('delete', () => {
  const onlyIfAbsent = { side: 'virtual', kind: widgets, key } as const;

  test('is gone from the cache at once, and only that incarnation [CORE-36]', async () => {
    await create();
    const { uid = '' } = host.peek(widgets, key)?.metadata ?? {};
    const other = { do: 'delete', side: 'host', kind: widgets, key, uid: 'other' } as const;
    await expect(performer.perform(other)).rejects.toMatchObject({ status: 409 });
    await performer.perform({ ...other, uid });
    expect([host.peek(widgets, key), caches.host.get(key)]).toEqual([undefined, undefined]);
  });

  test('with a grace period is on its way out in the cache, too', async () => {
    await create();
    const { uid = '' } = host.peek(widgets, key)?.metadata ?? {};
    await performer.perform({ do: 'delete', side: 'host', kind: widgets, key, uid, graceSeconds: 30 });
    expect(caches.host.get(key)?.metadata).toMatchObject({ deletionTimestamp: 'now', deletionGracePeriodSeconds: 30 });
  });

  test('is not done when what should be absent is there after all; it is taken into the cache instead [OPS-15]', async () => {
    await create();
    const { uid = '' } = host.peek(widgets, key)?.metadata ?? {};
    virtual.set(widgets, { ...widget, metadata: { ...key, uid: 'alive' } });
    const action = { do: 'delete', side: 'host', kind: widgets, key, uid, onlyIfAbsent } as const;
    await performer.perform(action);
    expect(host.peek(widgets, key)).toBeDefined();
    expect(caches.virtual.get(key)?.metadata.uid).toBe('alive');
    await performer.perform({ ...action, onlyIfAbsent: { ...onlyIfAbsent, uid: 'former' } });
    expect(host.peek(widgets, key)).toBeUndefined();
  });
});

describe('delete, on what is to be seen on the other side', () => {
  const seen = (version: string | undefined) =>
    ({ side: 'virtual', kind: widgets, key, resourceVersion: version }) as const;

  test.each(['changed', 'gone'])(
    'is not done when that has %s meanwhile; what is new is taken into the cache [OPS-26]',
    async (how) => {
      await create();
      const { uid = '' } = host.peek(widgets, key)?.metadata ?? {};
      const before = virtual.set(widgets, { ...widget, metadata: { ...key, uid: 'alive' } });
      const action = { do: 'delete', side: 'host', kind: widgets, key, uid } as const;
      const now =
        how === 'gone'
          ? undefined
          : virtual.set(widgets, { ...before, metadata: { ...before.metadata, labels: { a: 'b' } } });
      if (now === undefined) virtual.vanish(widgets, key);
      await performer.perform({ ...action, onlyIfStill: seen(before.metadata.resourceVersion) });
      expect(host.peek(widgets, key)).toBeDefined();
      expect(caches.virtual.get(key)).toEqual(now);
    },
  );

  test('is done when that is still so', async () => {
    await create();
    const { uid = '' } = host.peek(widgets, key)?.metadata ?? {};
    const { metadata } = virtual.set(widgets, { ...widget, metadata: { ...key, uid: 'alive' } });
    const onlyIfStill = seen(metadata.resourceVersion);
    await performer.perform({ do: 'delete', side: 'host', kind: widgets, key, uid, onlyIfStill });
    expect(host.peek(widgets, key)).toBeUndefined();
  });
});

describe('issueTokens', () => {
  test('stores what the virtual API server issues in one Secret, and replaces it conditionally [D12]', async () => {
    let issued = 0;
    virtual.onPost = () => ({ status: { token: `token-${++issued}` } });
    const serviceAccount = { namespace: 'shop', name: 'default' };
    const request = { serviceAccount, audiences: [], expirationSeconds: 600, pod: { name: 'web', uid: 'p' } };
    const tokens = ['a', 'b'].map((dataKey) => ({ ...request, dataKey }));
    const secret = object(secrets, { namespace: 'tenant-a', name: 'vc-token-p' });
    const stored = (): Secret | undefined => host.peek(secrets, { namespace: 'tenant-a', name: 'vc-token-p' });

    await performer.perform({ do: 'issueTokens', secret, tokens });
    expect(stored()?.data).toEqual({ a: btoa('token-1'), b: btoa('token-2') });
    const { resourceVersion = '' } = stored()?.metadata ?? {};
    await performer.perform({ do: 'issueTokens', secret, tokens, existing: { resourceVersion } });
    expect(stored()?.data).toEqual({ a: btoa('token-3'), b: btoa('token-4') });
    const stale = performer.perform({ do: 'issueTokens', secret, tokens, existing: { resourceVersion } });
    await expect(stale).rejects.toMatchObject({ status: 409 });
  });
});

describe('patch', () => {
  const told = { kind: widgets, object: widget, reason: 'SyncWarning', message: 'may not' } as const;
  const patch = { do: 'patch', side: 'host', kind: widgets, key, patch: { size: 2 }, subresource: 'status' } as const;

  test('of what the server forbids is told and passed over, where that is said; nothing else is [POD-98]', async () => {
    const warnings: string[] = [];
    const own = new Performer({ host, virtual }, new Stores(), {
      warn: async (_kind, _object, _reason, message) => void warnings.push(message),
    });
    host.before = () => {
      throw refusal(403, 'forbidden');
    };
    await own.perform({ ...patch, ifForbidden: told });
    expect(warnings).toEqual(['may not']);
    await expect(own.perform(patch)).rejects.toThrow('forbidden');
    host.before = () => {
      throw refusal(422, 'is invalid');
    };
    await expect(own.perform({ ...patch, ifForbidden: told })).rejects.toThrow('is invalid');
  });

  test('by a verb that the server does not serve is refused in words for people; of an object that is gone it is not found [POD-83, POD-84]', async () => {
    host.before = (what) => {
      if (what.startsWith('patch')) throw refusal(404, 'the server could not find the requested resource');
    };
    await expect(performer.perform(patch)).rejects.toMatchObject({ status: 404 });
    host.set(widgets, widget);
    const unserved = { status: 422, message: expect.stringContaining('does not serve widgets/status') };
    await expect(performer.perform(patch)).rejects.toMatchObject(unserved);
    await expect(performer.perform({ do: 'patch', side: 'host', kind: widgets, key, patch: {} })).rejects.toMatchObject(
      {
        status: 404,
      },
    );
  });
});
