/**
 * Claims between two real API servers, with the host's real volume controller: bound there, shown here, enlarged from here. The
 * virtual cluster knows neither volumes nor classes.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kind } from '../syncer/model/kind.ts';
import { events, namespaces, pods } from '../syncer/model/kubernetes.ts';
import type { Event, Pod } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { persistentVolumeClaims } from '../syncer/resources/persistentvolumeclaims.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { census, idle, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, startPair } from './support/pair.ts';
import type { Pair } from './support/pair.ts';

interface Claim extends KubeObject {
  readonly spec: { readonly volumeName?: string; readonly storageClassName?: string; readonly resources: object };
  readonly status?: { readonly phase?: string; readonly capacity?: object };
}

const { kind: claims } = persistentVolumeClaims;
const clusterScoped = { namespaced: false, version: 'v1' } as const;
const volumes: Kind = { ...clusterScoped, group: '', plural: 'persistentvolumes', kind: 'PersistentVolume' };
const classes: Kind = { ...clusterScoped, group: 'storage.k8s.io', plural: 'storageclasses', kind: 'StorageClass' };
const size = (storage: string): object => ({ requests: { storage } });
const isDefault = { 'storageclass.kubernetes.io/is-default-class': 'true' };

let pair: Pair;

beforeAll(async () => {
  pair = await startPair('claims');
  await pair.virtual.create(namespaces, { metadata: { name: namespace } });
  await pair.host.create(classes, {
    metadata: { name: 'fast', annotations: isDefault },
    provisioner: 'kubernetes.io/no-provisioner',
    allowVolumeExpansion: true,
  } as KubeObject);
  await Promise.all(['pv-1', 'pv-2', 'pv-3'].map(volume));
});

afterAll(() => pair.stop());

async function volume(name: string): Promise<void> {
  const capacity = { storage: '5Gi' };
  const spec = { capacity, accessModes: ['ReadWriteOnce'], storageClassName: 'fast', hostPath: { path: '/tmp' } };
  await pair.host.create(volumes, { metadata: { name }, spec } as KubeObject);
}

function claim(name: string, spec: object = {}): Promise<KubeObject> {
  const asked = { accessModes: ['ReadWriteOnce'], resources: size('1Gi'), ...spec };
  return pair.virtual.create(claims, made(claims, { name }, { spec: asked }));
}

async function virtualOf(name: string): Promise<Claim | undefined> {
  return (await pair.virtual.get(claims, { namespace, name })) as Claim | undefined;
}

async function hostOf(name: string): Promise<Claim | undefined> {
  const key = { namespace: hostNamespace, name: hostNameOf(name) };
  return (await pair.host.get(claims, key)) as Claim | undefined;
}

async function bound(name: string): Promise<Claim> {
  return eventually(`claim ${name} to be bound`, async () => {
    const found = await virtualOf(name);
    return found?.status?.phase === 'Bound' ? found : undefined;
  });
}

async function running(name: string): Promise<Pod> {
  await until(`pod ${name} to run`, async () => {
    const pod = (await pair.virtual.get(pods, { namespace, name })) as Pod | undefined;
    return pod?.status?.phase === 'Running';
  });
  return (await pair.host.get(pods, { namespace: hostNamespace, name: hostNameOf(name) })) as Pod;
}

async function remove(kind: Kind, name: string): Promise<void> {
  const { uid = '' } = (await pair.virtual.get(kind, { namespace, name }))?.metadata ?? {};
  await pair.virtual.remove(kind, { namespace, name }, { uid, graceSeconds: 0 });
}

const containers = [{ name: 'c', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/data' }] }];

describe('claims', () => {
  test('without a class get the default of the host, and are shown bound with what was chosen there [PVC-01, PVC-04, PVC-07, PVC-08]', async () => {
    await claim('data');
    await bound('data');
    await idle(pair.syncer);
    const [virtual, host] = [await virtualOf('data'), await hostOf('data')];
    expect(virtual?.spec).toMatchObject({ storageClassName: 'fast', volumeName: host?.spec.volumeName });
    expect(virtual?.status).toEqual(host?.status);
    expect(virtual?.metadata.annotations).toMatchObject({ 'pv.kubernetes.io/bind-completed': 'yes' });
  });

  test('are found by the pods that use them, also those that a pod brings along [PVC-12, POD-101, POD-102]', async () => {
    const mine = { name: 'v', persistentVolumeClaim: { claimName: 'data' } };
    const template = { spec: { accessModes: ['ReadWriteOnce'], resources: size('1Gi'), storageClassName: 'fast' } };
    const own = { name: 'own', ephemeral: { volumeClaimTemplate: template } };
    await pair.virtual.create(pods, made(pods, { name: 'user' }, { spec: { containers, volumes: [mine, own] } }));
    const host = await running('user');
    expect(host.spec.volumes).toContainEqual({ name: 'v', persistentVolumeClaim: { claimName: hostNameOf('data') } });
    expect(host.spec.volumes).toContainEqual({
      name: 'own',
      persistentVolumeClaim: { claimName: hostNameOf('user-own') },
    });
    expect((await bound('user-own')).metadata.ownerReferences).toMatchObject([{ kind: 'Pod', name: 'user' }]);
  });

  test('are left in peace once they are bound [I2]', async () => {
    await idle(pair.syncer);
    const before = await census(pair);
    await secondLook(pair);
    expect(await census(pair)).toEqual(before);
  });

  test('grow when the tenant says so, where the class of the host allows it [PVC-06]', async () => {
    await pair.virtual.patch(claims, { namespace, name: 'data' }, { spec: { resources: size('2Gi') } });
    await expect.poll(async () => (await hostOf('data'))?.spec.resources, { timeout: 20_000 }).toEqual(size('2Gi'));
  });

  test('cannot ask for a volume by its name or its labels, and say why [PVC-16, ABU-15]', async () => {
    const refused = await claim('thief', { volumeName: 'pv-3', storageClassName: '' });
    const warning = await eventually('a warning', async () => {
      const { items } = await pair.virtual.list(events, { namespace }, AbortSignal.timeout(5_000));
      return (items as readonly Event[]).find(({ involvedObject }) => involvedObject.uid === refused.metadata.uid);
    });
    expect(warning).toMatchObject({ reason: 'SyncError', message: expect.stringContaining('spec.volumeName') });
    expect(await hostOf('thief')).toBeUndefined();
    await remove(claims, 'thief');
  });

  test('stay as long as a pod uses them, and go on both sides after it [PVC-10]', async () => {
    await remove(claims, 'data');
    await until(
      'the host claim to be on its way out',
      async () => (await hostOf('data'))?.metadata.deletionTimestamp !== undefined,
    );
    expect(await virtualOf('data')).toBeDefined();
    await remove(pods, 'user');
    for (const name of ['data', 'user-own']) {
      await until(`claim ${name} to be gone on the host`, async () => (await hostOf(name)) === undefined);
      await until(`claim ${name} to be gone`, async () => (await virtualOf(name)) === undefined);
    }
  });
});
