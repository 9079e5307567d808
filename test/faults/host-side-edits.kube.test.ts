/**
 * People and controllers on the host that change, damage or delete what the syncer has put there. docs/who-wins.md says who wins;
 * whatever happens stays with the one object that it was done to. SEED=<number> repeats a run.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Service } from '../../syncer/model/kubernetes.ts';
import { keyOf } from '../../syncer/model/object.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import { secondLook } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { hostNamespace, releaseName, releaseServiceIp } from '../support/pair.ts';
import { configMapOf, podOf, random, secretOf, seed, serviceOf, shop, Stage } from './hostile.ts';

const reserved = 'vcluster.loft.sh/';
const uidKey = `${reserved}object-uid`;
const bookkeeping = ['object-name', 'object-namespace', 'object-uid', 'object-kind', 'object-host-name'].concat(
  'object-host-namespace',
  'last-agreed',
);
const makers: readonly (readonly [Kind, (metadata: Metadata) => KubeObject])[] = [
  [configMaps, configMapOf],
  [secrets, secretOf],
  [services, serviceOf],
  [pods, podOf],
];

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('host-side-edits');
});

afterAll(() => stage.close());

/** What must be right of a host object, whoever has had his hands on it. */
function essence({ metadata, ...object }: KubeObject & { readonly spec?: { readonly selector?: unknown } }): object {
  const ours = (map: Readonly<Record<string, string>> = {}): object =>
    Object.fromEntries(
      Object.entries(map).filter(([key]) => key.startsWith(reserved) && key !== `${reserved}object-version`),
    );
  const { name, ownerReferences } = metadata;
  return {
    name,
    labels: ours(metadata.labels),
    annotations: ours(metadata.annotations),
    owners: ownerReferences?.map(({ kind, uid, controller }) => ({ kind, uid, controller })),
    selector: object.spec?.selector,
  };
}

interface Damage {
  readonly what: string;
  /** A merge patch. */
  readonly patch: object;
}

/** Every single mark taken away, taken from another object, and made rubbish. */
function damages(other: KubeObject): readonly Damage[] {
  const values = (key: string): readonly (readonly [string, string | null])[] => [
    ['removed', null],
    ['of another', other.metadata.annotations?.[key] ?? other.metadata.labels?.[key] ?? 'x'],
    ['rubbish', 'x'.repeat(1 + Math.floor(random() * 50))],
  ];
  const of = (field: 'labels' | 'annotations', name: string): readonly Damage[] =>
    values(`${reserved}${name}`).map(([what, value]) => ({
      what: `${field} ${name} ${what}`,
      patch: { metadata: { [field]: { [`${reserved}${name}`]: value } } },
    }));
  const stranger = { apiVersion: 'v1', kind: 'ConfigMap', name: 'nobody', uid: '0-0', controller: true };
  return [
    ...bookkeeping.flatMap((name) => of('annotations', name)),
    ...['managed-by', 'namespace'].flatMap((name) => of('labels', name)),
    { what: 'owners removed', patch: { metadata: { ownerReferences: null } } },
    { what: 'controller given up', patch: { metadata: { ownerReferences: [ownedBy(other, false)] } } },
    { what: 'owned by a stranger', patch: { metadata: { ownerReferences: [ownedBy(other, false), stranger] } } },
  ].filter(({ what }) => !what.includes('stranger') || other.metadata.ownerReferences !== undefined);
}

function ownedBy({ metadata }: KubeObject, controller: boolean): object {
  return { ...metadata.ownerReferences?.[0], controller };
}

describe(`what the syncer notes on host objects, damaged one by one (SEED=${seed})`, () => {
  test.each(makers)(
    'is put right, by a new host object at the worst, and nothing else is touched: $plural [F69, F75] [ANN-02, NAM-30, NAM-32] [I3]',
    async (kind, make) => {
      const bystander = await stage.create(kind, make({ name: 'bystander' }));
      const other = await stage.onHost(kind, 'bystander', ({ spec }: { spec?: { nodeName?: string } } & KubeObject) =>
        kind === pods ? spec?.nodeName !== undefined : true,
      );
      if (kind === pods) await stage.running('bystander');
      const cases = damages(other).map((damage, index) => ({ ...damage, name: `victim-${index}` }));
      await Promise.all(cases.map(({ name }) => stage.create(kind, make({ name }))));
      const before = new Map<string, KubeObject>();
      for (const { name } of cases) before.set(name, await stage.onHost(kind, name));
      if (kind === pods) await Promise.all(cases.map(({ name }) => stage.running(name)));
      const calm = (await stage.host(kind, 'bystander'))?.metadata.resourceVersion;
      await Promise.all(cases.map(({ name, patch }) => stage.pair.host.patch(kind, stage.hostKey(name), patch)));
      const outcomes = await Promise.all(
        cases.map(async ({ name, what }) => [what, await outcome(kind, name, before.get(name))]),
      );
      const odd = outcomes.filter(([what = '', is]) => is !== 'put right' && !what.includes('object-uid'));
      expect(odd).toEqual([]);
      expect((await stage.host(kind, 'bystander'))?.metadata.resourceVersion).toBe(calm);
      expect(await stage.virtual(kind, 'bystander')).toMatchObject({ metadata: { uid: bystander.metadata.uid } });
      expect(await stage.writtenAtRest()).toEqual([]);
      await stage.clear();
    },
  );

  /** A pod whose identity is in doubt ends on both sides: its controller makes another (POD-03). */
  async function outcome(kind: Kind, name: string, before: KubeObject | undefined): Promise<string> {
    return eventually(`${kind.kind} ${name} to be put right`, async () => {
      const [host, virtual] = [await stage.host(kind, name), await stage.virtual(kind, name)];
      if (kind === pods && host === undefined && virtual === undefined) return 'ended';
      if (host === undefined || virtual === undefined || before === undefined) return undefined;
      return JSON.stringify(essence(host)) === JSON.stringify(essence(before)) ? 'put right' : undefined;
    });
  }
});

function contentOf(object: object): string {
  return JSON.stringify((object as { readonly data?: object }).data);
}

describe('what an administrator of the host changes', () => {
  async function edit(kind: Kind, name: string, patch: object): Promise<KubeObject> {
    return stage.pair.host.patch(kind, stage.hostKey(name), patch);
  }

  test('content of the tenant: his is put back, and he sees nothing of it [F75] [CS-05] [I2]', async () => {
    await stage.create(configMaps, configMapOf('edited', { a: '1' }));
    await stage.create(services, serviceOf('edited'));
    for (const kind of [configMaps, services]) await stage.onHost(kind, 'edited');
    await edit(configMaps, 'edited', { data: { a: 'theirs', b: 'theirs' } });
    await edit(services, 'edited', { spec: { selector: { app: 'theirs' }, ports: [{ port: 81 }] } });
    await stage.onHost(configMaps, 'edited', ({ data }) => JSON.stringify(data) === '{"a":"1"}');
    const service = await stage.onHost(services, 'edited', ({ spec }) => spec.ports?.[0]?.port === 80);
    expect(service.spec.selector).toMatchObject({ app: 'web', [`${reserved}namespace`]: shop });
    expect((await stage.virtual(services, 'edited'))?.spec).toMatchObject({ selector: { app: 'web' } });
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.clear();
  });

  test('labels and annotations of his own: they stay; the tenant never sees those that give orders to the host [F75] [LAB-03, LAB-13]', async () => {
    await stage.create(configMaps, configMapOf({ name: 'labelled', labels: { tier: 'front' } }));
    await stage.onHost(configMaps, 'labelled');
    const own = { 'istio.io/rev': 'x', 'velero.io/exclude-from-backup': 'true', 'cost-center': 'x' };
    await edit(configMaps, 'labelled', { metadata: { labels: own, finalizers: ['host.example.com/hold'] } });
    await stage.pair.virtual.patch(configMaps, { namespace: shop, name: 'labelled' }, { data: { a: '2' } });
    const host = await stage.onHost(configMaps, 'labelled', ({ data }) => data?.['a'] === '2');
    expect(host.metadata).toMatchObject({ labels: { ...own, tier: 'front' }, finalizers: ['host.example.com/hold'] });
    expect(await stage.writtenAtRest()).toEqual([]);
    const virtual = await stage.virtual(configMaps, 'labelled');
    expect(Object.keys(virtual?.metadata.labels ?? {})).not.toContain('istio.io/rev');
    expect(virtual?.metadata.finalizers ?? []).toEqual([]);
    await edit(configMaps, 'labelled', { metadata: { finalizers: null } });
    await stage.clear();
  });

  test.each([
    { kind: configMaps.kind, of: configMaps, object: configMapOf('frozen', { a: '1' }), patch: { data: { a: '2' } } },
    { kind: secrets.kind, of: secrets, object: secretOf('frozen'), patch: { data: { key: 'bmV3' } } },
  ])(
    'an object that may be changed into one that may not: it is made again with what the tenant wants: $kind [F75, F73] [CS-08]',
    async ({ of: kind, object, patch }) => {
      await stage.create(kind, object);
      const before = await stage.onHost<KubeObject>(kind, 'frozen');
      await edit(kind, 'frozen', { immutable: true });
      await stage.pair.virtual.patch(kind, { namespace: shop, name: 'frozen' }, patch);
      const after = await stage.onHost<KubeObject>(
        kind,
        'frozen',
        (found) => found.metadata.uid !== before.metadata.uid && contentOf(found) === contentOf(patch),
      );
      expect(after).not.toHaveProperty('immutable');
      await stage.clear();
    },
  );

  test('a finalizer of his on a Service that the tenant deletes and makes again: the new one waits, and comes [F75, F73] [SVC-12, ABU-24]', async () => {
    const first = await stage.create(services, serviceOf('held'));
    const held = await stage.onHost(services, 'held');
    await edit(services, 'held', { metadata: { finalizers: ['host.example.com/hold'] } });
    await stage.remove('virtual', services, first);
    const second = await stage.create(services, serviceOf('held'));
    await until('the old one to be on its way out', async () => {
      const host = await stage.host(services, 'held');
      return host?.metadata.deletionTimestamp !== undefined && host.metadata.uid === held.metadata.uid;
    });
    await stage.alive('beside-held');
    expect((await stage.virtual(services, 'held'))?.metadata.uid).toBe(second.metadata.uid);
    await edit(services, 'held', { metadata: { finalizers: null } });
    const host = await stage.onHost(services, 'held', ({ metadata }) => metadata.uid !== held.metadata.uid);
    expect(host.metadata.annotations?.[uidKey]).toBe(second.metadata.uid);
    expect((await stage.virtual(services, 'held'))?.metadata.uid).toBe(second.metadata.uid);
    await stage.clear();
  });

  test('he deletes a pod: it ends for the tenant, too, and is not made again in silence [F75] [CORE-26, POD-03, POD-22] [I4]', async () => {
    const pod = await stage.run('deleted');
    await stage.remove('host', pods, await stage.host(pods, 'deleted'));
    await stage.gone('virtual', pods, pod);
    expect(await stage.writtenAtRest()).toEqual([]);
    expect(await stage.host(pods, 'deleted')).toBeUndefined();
  });
});

describe("the release's Service made again", () => {
  const key = { namespace: hostNamespace, name: releaseName };

  async function owners(): Promise<ReadonlySet<string>> {
    const lists = await Promise.all(makers.map(([kind]) => stage.list<KubeObject>('host', kind)));
    const refs = lists.flat().flatMap(({ metadata }) => metadata.ownerReferences ?? []);
    return new Set(refs.filter(({ kind }) => kind === 'Service').map(({ uid }) => uid));
  }

  async function makeAgain(): Promise<string> {
    const service = await stage.pair.host.get(services, key);
    await stage.remove('host', services, service);
    const { ports } = (service as Service).spec;
    const object = { metadata: key, spec: { ports, clusterIP: releaseServiceIp } };
    return (await stage.pair.host.create(services, object)).metadata.uid ?? '';
  }

  async function isComplete(uid: string): Promise<boolean> {
    const found = await owners();
    const made = makers.slice(0, 3).map(([kind]) => stage.host<KubeObject>(kind, 'survivor'));
    return (await Promise.all(made)).every((object) => object !== undefined) && found.size === 1 && found.has(uid);
  }

  test('while the syncer runs: what the host collects is made again for the tenant, who loses none of it, and all has the new owner [NAM-35] [D8]', async () => {
    const survivors = await Promise.all(
      makers
        .slice(0, 3)
        .map(async ([kind, make]) => [kind, await stage.create(kind, make({ name: 'survivor' }))] as const),
    );
    await stage.run('runner');
    for (const [kind] of survivors) await stage.onHost(kind, 'survivor');
    const uid = await makeAgain();
    await until('all to have the new owner', () => isComplete(uid));
    await stage.alive('after-the-change');
    await until('the collector to have nothing left to do', () => isComplete(uid));
    for (const [kind, { metadata }] of survivors) {
      expect((await stage.virtual(kind, 'survivor'))?.metadata.uid).toBe(metadata.uid);
    }
    await until('the kubeconfig to have it, too', async () => {
      const kubeconfig = await stage.pair.host.get(secrets, { namespace: hostNamespace, name: `vc-${releaseName}` });
      return kubeconfig?.metadata.ownerReferences?.[0]?.uid === uid;
    });
    // The next start notes the identity of the backing store on the new Service.
    await secondLook(stage.pair);
    expect(await stage.writtenAtRest()).toEqual([]);
  });

  test('while the syncer was away: the same once it is back [NAM-35] [CORE-15]', async () => {
    const before = await Promise.all(makers.slice(0, 3).map(([kind]) => stage.virtual<KubeObject>(kind, 'survivor')));
    await stage.pair.syncer.stop('SIGKILL');
    const uid = await makeAgain();
    await stage.pair.syncer.start();
    await until('all to have the new owner', () => isComplete(uid));
    const after = await Promise.all(makers.slice(0, 3).map(([kind]) => stage.virtual<KubeObject>(kind, 'survivor')));
    expect(after.map((object) => object?.metadata.uid)).toEqual(before.map((object) => object?.metadata.uid));
    expect(keyOf(after[0] ?? { metadata: { name: '' } })).toEqual({ namespace: shop, name: 'survivor' });
    await stage.clear();
  });
});
