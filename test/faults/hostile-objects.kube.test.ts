/**
 * Hostile names and metadata, on real API servers with the real syncer between them. Whatever a tenant calls or marks an object,
 * it gets a host object of its own or a refusal that it can read, and never one that means something else there.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { KubeObject, OwnerReference, StringMap } from '../../syncer/model/object.ts';
import { idle } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { hostNamespace, releaseName } from '../support/pair.ts';
import {
  configMapOf,
  expectNothingOfTheHost,
  isLong,
  podOf,
  random,
  secretOf,
  seed,
  serviceOf,
  shop,
  Stage,
} from './hostile.ts';

const reserved = 'vcluster.loft.sh/';
const uidKey = `${reserved}object-uid`;

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('hostile-objects');
});

afterAll(() => stage.close());

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('Nothing to pick from.');
  return item;
}

function ownerOf(host: KubeObject | undefined): string | undefined {
  return host?.metadata.annotations?.[uidKey];
}

/** A name that the API takes, made of what is dangerous in names. */
function hostileName(): string {
  const parts = ['a', 'x', '-x-', '-', '.', '0', 'team-a', 'tenant-a', 'b-x-c'];
  const text = Array.from({ length: pick([2, 3, 30, 90]) }, () => pick(parts)).join('');
  const labels = text
    .slice(0, pick([62, 63, 64, 100, 253]))
    .split('.')
    .map((label) => label.replace(/^-+/u, '').slice(0, 63).replace(/-+$/u, ''));
  return labels.filter((label) => label !== '').join('.') || 'x';
}

describe(`names (SEED=${seed})`, () => {
  const chosen: readonly (readonly [string, string])[] = [
    ['a-x-b', 'n'],
    ['a', 'b-x-c'],
    ['a-x-b', 'b-x-c'],
    ['a', 'x'],
    ['a-x-x', 'x'],
    ['l'.repeat(253), 'n'],
    [`${'l'.repeat(252)}m`, 'n'],
    ['kube-root-ca.crt-x-n-x-team-a', 'n'],
    ['team-a', 'a'.repeat(63)],
    ['vc-team-a', 'n'],
  ];

  test('of all lengths, with dots and with our own separator in them: each object has a host object of its own, or its tenant a warning [F59] [NAM-02, NAM-06, NAM-07] [ABU-08] [I3] [I7]', async () => {
    const namespaces = ['b-x-c', 'n', 'x', 'a'.repeat(63)];
    for (const name of namespaces) await stage.namespace(name);
    const generated = Array.from({ length: isLong ? 500 : 50 }, () => [hostileName(), pick(namespaces)] as const);
    const tuples = new Map([...chosen, ...generated].map(([name, of]) => [`${of}/${name}`, { name, namespace: of }]));
    const objects = await Promise.all(
      [...tuples].map(([tuple, metadata]) => stage.create(configMaps, configMapOf(metadata, { tuple }))),
    );
    await Promise.all(objects.map((object) => syncedOrRefused(object)));
    const uids = new Map(objects.map(({ metadata: { name, namespace, uid } }) => [uid, `${namespace}/${name}`]));
    const hosts = (await stage.list('host', configMaps)).filter((host) => uids.has(ownerOf(host)));
    expect(new Set(hosts.map((host) => ownerOf(host))).size).toBe(hosts.length);
    for (const host of hosts) {
      expect(host.metadata.name.length).toBeLessThanOrEqual(63);
      expect(host.data).toEqual({ tuple: uids.get(ownerOf(host)) });
    }
    expect(await stage.writtenAtRest()).toEqual([]);
    await Promise.all(objects.map((object) => stage.remove('virtual', configMaps, object)));
    await until('all host objects to go', async () =>
      (await stage.list('host', configMaps)).every((host) => !uids.has(ownerOf(host))),
    );
  });

  async function syncedOrRefused(object: KubeObject): Promise<void> {
    const { name, namespace = '', uid } = object.metadata;
    await until(`${namespace}/${name} to be on the host or refused`, async () => {
      if (ownerOf(await stage.host(configMaps, name, namespace)) === uid) return true;
      const [warning] = await stage.warnings(object);
      if (warning === undefined) return false;
      expectNothingOfTheHost((warning.message ?? '').replaceAll(name, '').replaceAll(namespace, ''));
      return true;
    });
  }

  test('two origins of one host name: the first keeps it, the second is told, and gets it when the first has gone [F59] [NAM-06, NAM-30] [ABU-08]', async () => {
    await stage.namespace('c');
    await stage.namespace('e-x-c');
    const first = await stage.create(configMaps, configMapOf({ name: 'a-x-e', namespace: 'c' }));
    await eventually('the first', () => stage.host(configMaps, 'a-x-e', 'c'));
    const second = await stage.create(configMaps, configMapOf({ name: 'a', namespace: 'e-x-c' }));
    await stage.warning(second, 'Another object on the host has the name');
    expect(ownerOf(await stage.host(configMaps, 'a', 'e-x-c'))).toBe(first.metadata.uid);
    await stage.remove('virtual', configMaps, first);
    await until('the second', async () => ownerOf(await stage.host(configMaps, 'a', 'e-x-c')) === second.metadata.uid);
    await stage.remove('virtual', configMaps, second);
  });

  test("the host's own kube-root-ca.crt is never touched: pods get the virtual one beside it [NAM-09]", async () => {
    const key = { namespace: hostNamespace, name: 'kube-root-ca.crt' };
    const before = await eventually("the host's own", () => stage.pair.host.get(configMaps, key));
    const pod = await stage.run('with-ca');
    const copy = await stage.onHost(configMaps, 'kube-root-ca.crt');
    const own = await stage.virtual(configMaps, 'kube-root-ca.crt');
    expect(copy.data).toEqual(own?.data);
    expect(copy.data).not.toEqual((before as typeof copy).data);
    await stage.remove('virtual', pods, pod);
    await stage.gone('host', configMaps, copy);
    expect(await stage.pair.host.get(configMaps, key)).toEqual(before);
  });

  test('a Service whose name begins with a digit is on the host, or its tenant reads why not [NAM-08]', async () => {
    // A virtual API server that is as strict as an old host says so itself.
    const outcome = await stage.create(services, serviceOf('1web')).then(
      ({ metadata }) =>
        eventually('it to be synced', async () => {
          const host = await stage.host(services, '1web');
          return ownerOf(host) === metadata.uid ? 'on the host' : undefined;
        }),
      (error: unknown) => String(error),
    );
    expect(outcome).toMatch(/^on the host$|a DNS-1035 label must/u);
  });
});

describe('our own labels and annotations, forged', () => {
  const marks = ['object-name', 'object-namespace', 'object-uid', 'object-kind', 'object-host-name', 'managed-by'];
  const others = ['last-agreed', 'object-version', 'skip-backsync', 'skip-translate', 'block-deletion', 'token-secret'];

  /** Values as another object has them, and rubbish. */
  function forged(other: KubeObject): StringMap {
    const values = [other.metadata.name, other.metadata.uid ?? '', shop, 'true', '', '{', '[null]', 'x'.repeat(60)];
    return Object.fromEntries([...marks, ...others].map((key) => [`${reserved}${key}`, pick(values)]));
  }

  const makers = [
    [configMaps, configMapOf],
    [secrets, secretOf],
    [services, serviceOf],
    [pods, podOf],
  ] as const;

  test.each(makers)(
    'are written from what is true, whatever the tenant says, for as long as the object lives: $plural [F60] [ANN-02, LAB-06] [ABU-06]',
    async (kind, make) => {
      const other = await stage.create(kind, make('victim'));
      const victim = await stage.onHost(kind, 'victim');
      const forgery = { ...forged(other), note: 'own' };
      const labels = { [`${reserved}namespace`]: 'kube-system', [`${reserved}managed-by`]: 'x', release: releaseName };
      const object = await stage.create(kind, make({ name: 'forger', annotations: forgery, labels }));
      const expectTrue = (host: KubeObject, note: string): void => {
        const { annotations, labels: found } = host.metadata;
        expect(annotations).toMatchObject({
          note,
          [uidKey]: object.metadata.uid,
          [`${reserved}object-name`]: 'forger',
        });
        expect(annotations).not.toHaveProperty([`${reserved}skip-backsync`]);
        expect(annotations).not.toHaveProperty([`${reserved}block-deletion`]);
        expect(found).toMatchObject({ [`${reserved}namespace`]: shop, [`${reserved}managed-by`]: releaseName });
        expect(found).not.toHaveProperty('release');
      };
      expectTrue(await stage.onHost(kind, 'forger'), 'own');
      const again = { metadata: { annotations: { ...forged(other), note: 'again' } } };
      await stage.pair.virtual.patch(kind, { namespace: shop, name: 'forger' }, again);
      const host = await stage.onHost(kind, 'forger', ({ metadata }) => metadata.annotations?.['note'] === 'again');
      expectTrue(host, 'again');
      await stage.remove('virtual', kind, object);
      await stage.gone('host', kind, host);
      expect((await stage.host(kind, 'victim'))?.metadata.uid).toBe(victim.metadata.uid);
      await stage.remove('virtual', kind, other);
    },
  );

  const kept = ['null', '5', '"x"', '[]', '{', '{"ports":7}', '{"type":"ExternalName"}', '{"clusterIPs":{}}'];

  test.each(kept)(
    'the note that a Service leaves itself between two addresses, forged as %s: no trouble but its own [F60] [F71] [SVC-25]',
    async (note) => {
      const metadata = { name: 'between', annotations: { [`${reserved}moving-service`]: note } };
      const spec = { type: 'ExternalName', externalName: 'pending.invalid', selector: null, ports: null };
      const object = await stage.create(services, serviceOf(metadata, spec));
      await stage.alive('still-alive');
      expect(await stage.unexpected()).toEqual([]);
      await stage.remove('virtual', services, object);
      await until('its host object to go', async () => (await stage.host(services, 'between')) === undefined);
    },
  );
});

describe('labels and annotations that the host acts upon', () => {
  const orders = {
    'sidecar.istio.io/inject': 'true',
    'azure.workload.identity/use': 'true',
    'eks.amazonaws.com/fargate-profile': 'x',
    'kueue.x-k8s.io/queue-name': 'x',
    grafana_datasource: '1',
    release: releaseName,
  };

  test('do not get there, and Services still find their pods by them [LAB-03, LAB-11, LAB-12] [ABU-06, ABU-07]', async () => {
    const annotations = { 'replicator.v1.mittwald.de/replicate-from': 'kube-system/root', note: 'kept' };
    const pod = await stage.create(pods, podOf({ name: 'orders', labels: { ...orders, app: 'web' }, annotations }));
    const service = await stage.create(services, serviceOf('orders', { selector: orders }));
    const [hostPod, hostService] = [await stage.onHost(pods, 'orders'), await stage.onHost(services, 'orders')];
    const labels = hostPod.metadata.labels ?? {};
    expect(Object.keys(labels).filter((key) => key in orders)).toEqual([]);
    expect(labels).toMatchObject({ app: 'web', ...hostService.spec.selector });
    expect(Object.keys(hostService.spec.selector ?? {}).length).toBe(Object.keys(orders).length + 2);
    expect(hostPod.metadata.annotations).toMatchObject({ note: 'kept' });
    expect(JSON.stringify(hostPod.metadata.annotations)).not.toContain('replicate-from"');
    await stage.remove('virtual', pods, pod);
    await stage.remove('virtual', services, service);
  });

  test("a Secret that looks like a record of Helm's is none on the host [CS-06, CS-09] [ABU-06]", async () => {
    const labels = { owner: 'helm', name: releaseName, status: 'deployed', version: '9' };
    const name = `sh.helm.release.v1.${releaseName}.v9`;
    const annotations = { 'kubernetes.io/service-account.name': 'default' };
    const forged = await stage.create(secrets, secretOf({ name, labels, annotations }, { type: 'helm.sh/release.v1' }));
    const host = await stage.onHost(secrets, name);
    expect(host.type).toBe('Opaque');
    expect(host.metadata.labels).not.toHaveProperty('owner');
    expect(host.metadata.annotations).not.toHaveProperty(['kubernetes.io/service-account.name']);
    await stage.remove('virtual', secrets, forged);
  });
});

describe('owners and finalizers', () => {
  const never = 'example.com/never';

  /** Makes or changes a config map of the tenant, so that it has an owner and a finalizer. */
  async function givenTo(name: string, owner: OwnerReference): Promise<void> {
    if ((await stage.virtual(configMaps, name)) === undefined) await stage.create(configMaps, configMapOf(name));
    const metadata = { ownerReferences: [owner], finalizers: [never], annotations: { told: name } };
    await stage.pair.virtual.patch(configMaps, { namespace: shop, name }, { metadata });
  }

  test('of the tenant never get to the host: nothing there is collected for them [F61] [CORE-30, NAM-32, NAM-33]', async () => {
    const releaseKey = { namespace: hostNamespace, name: releaseName };
    const uidOf = (object: KubeObject | undefined): string => object?.metadata.uid ?? '';
    const release = uidOf(await stage.pair.host.get(services, releaseKey));
    await stage.create(configMaps, configMapOf('bystander'));
    const host = await stage.onHost(configMaps, 'bystander');
    const [one, two] = await Promise.all(['one', 'two'].map((name) => stage.create(configMaps, configMapOf(name))));
    const owner = (kind: string, name: string, uid: string): OwnerReference => ({
      apiVersion: 'v1',
      blockOwnerDeletion: true,
      kind,
      name,
      uid,
    });
    const owners = {
      one: owner('ConfigMap', 'two', uidOf(two)),
      two: owner('ConfigMap', 'one', uidOf(one)),
      three: owner('Service', releaseName, release),
      four: owner('ConfigMap', host.metadata.name, uidOf(host)),
      five: owner('Node', 'kwok-1', '00000000-0000-0000-0000-000000000000'),
    };
    for (const [name, each] of Object.entries(owners)) await givenTo(name, each);
    for (const name of ['one', 'two']) {
      await stage.onHost(configMaps, name, ({ metadata }) => metadata.annotations?.['told'] === name);
    }
    const copies = (await stage.list('host', configMaps)).filter((copy) => ownerOf(copy) !== undefined);
    const refs = copies.flatMap(({ metadata }) => metadata.ownerReferences ?? []);
    expect(refs).toEqual(
      copies.map(() => expect.objectContaining({ kind: 'Service', uid: release, controller: true })),
    );
    expect(copies.flatMap(({ metadata }) => metadata.finalizers ?? [])).toEqual([]);
    expect(uidOf(await stage.onHost(configMaps, 'bystander'))).toBe(uidOf(host));
    expect(uidOf(await stage.pair.host.get(services, releaseKey))).toBe(release);
    for (const name of Object.keys(owners)) {
      await stage.pair.virtual.patch(configMaps, { namespace: shop, name }, { metadata: { finalizers: null } });
    }
    await stage.clear();
  });

  test.each(makersOfAll())(
    'a finalizer that never clears: what runs on the host goes, the virtual object stays, and nobody writes meanwhile: $plural [F61] [CORE-29] [I2]',
    async (kind, make) => {
      const object = await stage.create(kind, make({ name: 'undying', finalizers: ['example.com/never'] }));
      const host = await stage.onHost(kind, 'undying');
      await idle(stage.pair.syncer);
      await stage.remove('virtual', kind, object);
      await stage.gone('host', kind, host);
      expect(await stage.writtenAtRest()).toEqual([]);
      expect((await stage.virtual(kind, 'undying'))?.metadata.uid).toBe(object.metadata.uid);
      await stage.pair.virtual.patch(kind, { namespace: shop, name: 'undying' }, { metadata: { finalizers: null } });
      await stage.gone('virtual', kind, object);
    },
  );

  function makersOfAll() {
    return [
      [configMaps, configMapOf],
      [services, serviceOf],
      [pods, podOf],
    ] as const;
  }
});
