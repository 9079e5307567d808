/** Every cell of every lifecycle table, through defineToHost, with a toy kind between real caches. */
import { describe, expect, test } from 'vitest';
import { object, viewOf, widgets } from '../../test/support/world.ts';
import type { Widget } from '../../test/support/world.ts';
import type { Action, Plan } from '../model/action.ts';
import { podLifecycle, recreates, virtualOwns } from '../model/lifecycle.ts';
import type { HostSide, Lifecycle, VirtualSide } from '../model/lifecycle.ts';
import type { Metadata } from '../model/object.ts';
import type { ToHost } from '../model/resource.ts';
import { onHost } from '../translate/metadata.ts';
import { mergeMetadata } from '../translate/three-way.ts';
import { defineToHost } from './define.ts';

const key = 'shop/web';
const hostKey = { namespace: 'tenant-a', name: 'web-x-shop-x-vc1' };

function virtualOf(metadata: Partial<Metadata> = {}, size = 2): Widget {
  return object(widgets, { namespace: 'shop', uid: 'v1', resourceVersion: '5', ...metadata }, { size });
}

/** The host's copy as it was written for an incarnation of the virtual object. */
function hostOf(metadata: Partial<Metadata> = {}, { uid = 'v1', size = 1 } = {}): Widget {
  const copy = onHost<Widget>(virtualOf({ uid }), widgets, viewOf({}), { size });
  return { ...copy, metadata: { ...copy.metadata, uid: 'h1', resourceVersion: '8', ...metadata } };
}

function toy(rest: Partial<ToHost<Widget>> = {}): ReturnType<typeof defineToHost> {
  return defineToHost<Widget>({
    kind: widgets,
    toHost: (virtual, view) => ({
      is: 'object',
      object: onHost<Widget>(virtual, widgets, view, { size: virtual.size ?? 0 }),
    }),
    merge: (host, desired) => ({
      ...host,
      size: desired.size ?? 0,
      metadata: mergeMetadata(host.metadata, desired.metadata),
    }),
    pull: (host, virtual) => [
      {
        do: 'patch',
        side: 'virtual',
        kind: widgets,
        key: { namespace: 'shop', name: virtual.metadata.name },
        patch: { state: host.state },
      },
    ],
    ...rest,
  });
}

const virtualSides: Readonly<Record<VirtualSide, readonly Widget[]>> = {
  absent: [],
  live: [virtualOf()],
  deleting: [virtualOf({ deletionTimestamp: 'now' })],
};

const hostSides: Readonly<Record<HostSide, readonly Widget[]>> = {
  unseen: [],
  gone: [],
  live: [hostOf()],
  stale: [hostOf({}, { uid: 'v0' })],
  deleting: [hostOf({ deletionTimestamp: 'now' })],
  leaving: [hostOf({ deletionTimestamp: 'now' }, { uid: 'v0' })],
  foreign: [object(widgets, { ...hostKey, uid: 'h9' })],
  entrusted: [entrusted(hostOf())],
};

function entrusted(host: Widget): Widget {
  const labels = { ...host.metadata.labels, 'vcluster.loft.sh/controlled-by': 'other' };
  return { ...host, metadata: { ...host.metadata, labels } };
}

function decided(lifecycle: Lifecycle, virtual: VirtualSide, host: HostSide): string {
  const view = viewOf({ virtual: virtualSides[virtual], host: hostSides[host] });
  return told(toy({ lifecycle }).decide(key, view, host === 'gone' ? 'v1' : undefined));
}

function told({ actions }: Plan): string {
  return actions.map((action) => ('side' in action ? `${action.do} ${action.side}` : action.do)).join(', ');
}

const columns: readonly HostSide[] = ['unseen', 'gone', 'live', 'stale', 'deleting', 'leaving', 'foreign', 'entrusted'];
const none = '';
const del = 'delete host';
const end = 'delete virtual';
const both = 'patch virtual, patch host';
const pull = 'patch virtual';

/** Written out by hand, in the order of `columns`. An absent virtual object has no former incarnation: `stale` is `live` there. */
const tables: readonly (readonly [string, Lifecycle, Readonly<Record<VirtualSide, readonly string[]>>])[] = [
  [
    'virtualOwns [CORE-03, CORE-09, CORE-21, CORE-27, CORE-28, CORE-29]',
    virtualOwns,
    {
      absent: [none, none, del, del, none, none, none, none],
      live: ['create host', end, both, del, none, none, 'warn', none],
      deleting: [none, none, del, del, none, none, none, none],
    },
  ],
  [
    'recreates',
    recreates,
    {
      absent: [none, none, del, del, none, none, none, none],
      live: ['create host', 'create host', both, del, none, none, 'warn', none],
      deleting: [none, none, del, del, none, none, none, none],
    },
  ],
  [
    // On its way out already, it is only ever given less time (POD-24): see below.
    'podLifecycle [POD-21, POD-28]',
    podLifecycle,
    {
      absent: [none, none, del, del, none, none, none, none],
      live: ['create host', end, both, del, pull, none, 'warn', none],
      deleting: [end, end, del, del, pull, none, end, none],
    },
  ],
];

describe.each(tables)('%s', (_name, lifecycle, expected) => {
  const cells = (['absent', 'live', 'deleting'] as const).flatMap((virtual) =>
    columns.map((host, column) => [virtual, host, expected[virtual][column] ?? '?'] as const),
  );
  test.each(cells)('virtual %s, host %s: %s', (virtual, host, actions) => {
    expect(decided(lifecycle, virtual, host)).toBe(actions);
  });
});

function only<D extends Action['do']>(plan: Plan, what: D): Extract<Action, { do: D }> {
  const found = plan.actions.find((action) => action.do === what);
  if (found === undefined) throw new Error(`No ${what} among: ${told(plan)}`);
  return found as Extract<Action, { do: D }>;
}

describe('defineToHost()', () => {
  test('a host object whose virtual one is missing is deleted only after a live look, with its UID [OPS-15] [CORE-36]', () => {
    const action = only(toy().decide(key, viewOf({ host: [hostOf()] }), undefined), 'delete');
    expect(action).toMatchObject({
      uid: 'h1',
      key: hostKey,
      onlyIfAbsent: { side: 'virtual', key: { namespace: 'shop', name: 'web' }, uid: 'v1' },
    });
  });

  test('a virtual object is deleted only after a live look at the host [OPS-15]', () => {
    const action = only(toy().decide(key, viewOf({ virtual: [virtualOf()] }), 'v1'), 'delete');
    expect(action).toMatchObject({ side: 'virtual', uid: 'v1', onlyIfAbsent: { side: 'host', key: hostKey } });
  });

  test('an update carries UID and version of what was looked at, and nothing that is right already [CORE-22]', () => {
    const plan = toy({ pull: () => [] }).decide(key, viewOf({ virtual: [virtualOf()], host: [hostOf()] }), undefined);
    expect(only(plan, 'patch').patch).toEqual({
      size: 2,
      metadata: { uid: 'h1', resourceVersion: '8', annotations: { 'vcluster.loft.sh/object-version': '5' } },
    });
    const settled = toy({ pull: () => [] }).decide(
      key,
      viewOf({ virtual: [virtualOf()], host: [hostOf({}, { size: 2 })] }),
      undefined,
    );
    expect(settled.actions).toEqual([]);
  });

  test('remembers which incarnation has had a host object, until the virtual object is gone [CORE-26]', () => {
    const had = (virtual: readonly Widget[], host: readonly Widget[], before?: string): string | undefined =>
      toy().decide(key, viewOf({ virtual, host }), before).remembers;
    expect(had([virtualOf()], [hostOf()])).toBe('v1');
    expect(had([virtualOf()], [], 'v1')).toBe('v1');
    expect(had([], [], 'v1')).toBeUndefined();
    expect(had([virtualOf()], hostSides.foreign)).toBeUndefined();
  });

  test('a host object of a former incarnation says nothing about this one: it is replaced [CORE-10, CORE-39] [SVC-12]', () => {
    const plan = toy().decide(key, viewOf({ virtual: [virtualOf({ uid: 'v2' })] }), 'v1');
    expect(told(plan)).toBe('create host');
  });

  test('a virtual object that must have had a host object, from its looks, is not started again [POD-03]', () => {
    const plan = toy({ mustHaveHad: () => true }).decide(key, viewOf({ virtual: [virtualOf()] }), undefined);
    expect(told(plan)).toBe('delete virtual');
  });

  test('what is not wanted has no host object, and loses the one it has', () => {
    const unwanted = toy({ wanted: () => false });
    expect(told(unwanted.decide(key, viewOf({ virtual: [virtualOf()] }), undefined))).toBe('');
    const plan = unwanted.decide(key, viewOf({ virtual: [virtualOf()], host: [hostOf()] }), undefined);
    expect(told(plan)).toBe('delete host');
    // It was read just now; a live look would find it and give up.
    expect(only(plan, 'delete').onlyIfAbsent).toBeUndefined();
  });

  test('what is ignored is left alone, whatever the host has', () => {
    expect(
      toy({ ignores: () => true }).decide(key, viewOf({ virtual: [virtualOf()], host: [hostOf()] }), undefined).actions,
    ).toEqual([]);
  });

  test('waiting creates nothing and warns nobody; refused warns', () => {
    const view = viewOf({ virtual: [virtualOf()] });
    const waiting = toy({ toHost: () => ({ is: 'waiting', why: 'later' }) }).decide(key, view, undefined);
    expect(waiting).toMatchObject({ actions: [], why: 'later' });
    const refused = toy({ toHost: () => ({ is: 'refused', why: 'not here' }) }).decide(key, view, undefined);
    expect(refused.actions).toEqual([
      expect.objectContaining({ do: 'warn', reason: 'SyncError', message: 'not here' }),
    ]);
  });

  test('a taken host name is told the tenant without naming the host, and looked at again [CORE-34]', () => {
    const plan = toy().decide(key, viewOf({ virtual: [virtualOf()], host: hostSides.foreign }), undefined);
    expect(only(plan, 'warn').message).not.toMatch(/-x-|tenant-a/);
    expect(plan.againInMs).toBe(60_000);
  });

  test('a refusal of the host is told in the words of the virtual cluster [I7]', () => {
    const view = viewOf({ virtual: [virtualOf()] });
    const message =
      'POST /apis/toys.example/v1/namespaces/tenant-a/widgets: widgets "web-x-shop-x-vc1" is forbidden in namespace tenant-a';
    const [warning] = toy().onRefusal?.(key, message, view) ?? [];
    expect(warning).toMatchObject({
      do: 'warn',
      message: 'Error syncing: widgets "web" is forbidden in namespace shop',
    });
  });

  test("keys: a virtual object is its own, a host object that of its origin, anybody else's none [CORE-01, CORE-05]", () => {
    const keys = (side: 'host' | 'virtual', changed: Widget): readonly string[] =>
      toy().keysOf({ side, kind: widgets, object: changed }, viewOf({}));
    expect(keys('virtual', virtualOf())).toEqual([key]);
    expect(keys('host', hostOf())).toEqual([key]);
    expect(keys('host', object(widgets, hostKey))).toEqual([]);
    expect(keys('host', { ...hostOf(), metadata: { ...hostOf().metadata, name: 'copied-by-an-operator' } })).toEqual(
      [],
    );
  });

  test('asks the host for no more than its verbs need', () => {
    expect(toy().hostRules).toEqual([
      {
        apiGroups: ['toys.example'],
        resources: ['widgets'],
        verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
      },
    ]);
  });
});
