/**
 * One lifecycle for every resource, on real API servers with the real syncer between them: made, changed, tampered with, looked
 * at a second time, deleted from either side. Fed from the registry.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kindText } from '../syncer/model/kind.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { configMaps, events, namespaces, nodes, pods, services } from '../syncer/model/kubernetes.ts';
import { isDeleting } from '../syncer/model/object.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import type { Host, Virtual } from '../syncer/model/side.ts';
import { samples } from './samples/index.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import type { Sample } from './samples/sample.ts';
import { census, idle, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, releaseName, startPair } from './support/pair.ts';
import type { Pair } from './support/pair.ts';

const patience = { timeout: 20_000, interval: 40 };

let pair: Pair;
let releaseUid: string | undefined;

beforeAll(async () => {
  pair = await startPair(process.env['CONFORMANCE_PAIR'] ?? 'conformance');
  await pair.virtual.create(namespaces, { metadata: { name: namespace } });
  releaseUid = (await pair.host.get(services, { namespace: hostNamespace, name: releaseName }))?.metadata.uid;
});

afterAll(() => pair.stop());

function hostOf(kind: Kind, name: string): Promise<Host<KubeObject> | undefined> {
  return pair.host.get(kind, { namespace: hostNamespace, name: hostNameOf(name) });
}

function virtualOf(kind: Kind, name: string): Promise<Virtual<KubeObject> | undefined> {
  return pair.virtual.get(kind, { namespace, name });
}

async function remove(side: 'host' | 'virtual', kind: Kind, object: KubeObject | undefined): Promise<void> {
  const { name = '', namespace: of = '', uid = '' } = object?.metadata ?? {};
  if (object !== undefined) await pair[side].remove(kind, { namespace: of, name }, { uid });
}

async function makeIfAbsent(kind: Kind, object: KubeObject): Promise<void> {
  const found = await virtualOf(kind, object.metadata.name);
  if (found === undefined || isDeleting(found)) await make(kind, object);
}

/** Makes an object, again where there has been one: a finalizer may keep that for a moment. */
async function make(kind: Kind, object: KubeObject): Promise<KubeObject> {
  await until('the former one to be gone', async () => (await virtualOf(kind, object.metadata.name)) === undefined);
  return pair.virtual.create(kind, object);
}

/** Does something while the syncer has crashed, and starts it again. */
async function away<T>(meanwhile: () => Promise<T>): Promise<T> {
  await pair.syncer.stop('SIGKILL');
  try {
    return await meanwhile();
  } finally {
    await pair.syncer.start();
  }
}

/** Fully synced and at rest: pods run, and whatever the host had to say has come back. */
async function settled({ kind, object }: Sample): Promise<void> {
  await eventually('the host object', () => hostOf(kind, object.metadata.name));
  if (kind.plural === pods.plural) {
    await until('the pod to run', async () => {
      const pod = await virtualOf(kind, object.metadata.name);
      return (pod as { status?: { phase?: string } } | undefined)?.status?.phase === 'Running';
    });
  }
  await idle(pair.syncer);
}

/** One without a sample fails in samples.test.ts. */
const tried = [...samples].flatMap(([name, sample]) =>
  sample === undefined || 'why' in sample ? [] : [[name, sample] as const],
);
describe.each(tried)('%s', (_name, sample) => {
  lifecycle(sample);
});

function lifecycle(sample: Sample): void {
  const { kind, object, needs = [], update, hostEdit, report } = sample;
  const { name } = object.metadata;

  beforeAll(async () => {
    for (const [needed, it] of needs) await makeIfAbsent(needed, it);
    await make(kind, object);
  });

  afterAll(async () => {
    await remove('virtual', kind, await virtualOf(kind, name));
    for (const [needed, it] of needs) await remove('virtual', needed, await virtualOf(needed, it.metadata.name));
  });

  test('made in the virtual cluster: the host gets it, named, labelled, annotated and owned [NAM-01] [NAM-32] [ANN-01]', async () => {
    const host = await eventually('the host object', () => hostOf(kind, name));
    const virtual = await virtualOf(kind, name);
    expect(host).toMatchObject(sample.host);
    expect(host.metadata).toMatchObject({
      labels: { 'vcluster.loft.sh/managed-by': releaseName, 'vcluster.loft.sh/namespace': namespace },
      annotations: {
        'vcluster.loft.sh/object-name': name,
        'vcluster.loft.sh/object-namespace': namespace,
        'vcluster.loft.sh/object-uid': virtual?.metadata.uid,
        'vcluster.loft.sh/object-kind': kindText(kind),
        'vcluster.loft.sh/object-host-name': hostNameOf(name),
        'vcluster.loft.sh/object-host-namespace': hostNamespace,
        note: 'one',
      },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: releaseName, uid: releaseUid, controller: true }],
    });
    expect(host.metadata.labels).not.toHaveProperty('release');
  });

  test('a second look writes nothing on either side [I2]', async () => {
    await settled(sample);
    const before = await census(pair);
    await secondLook(pair);
    expect(await census(pair)).toEqual(before);
  });

  test('changed by the tenant: the host follows', async () => {
    await pair.virtual.patch(kind, { namespace, name }, update.patch);
    await expect.poll(() => hostOf(kind, name), patience).toMatchObject(update.result);
  });

  test('changed on the host where the tenant decides: put right again, and the tenant sees nothing of it [F75]', async () => {
    await settled(sample);
    const before = await virtualOf(kind, name);
    const key = { namespace: hostNamespace, name: hostNameOf(name) };
    const edited = await pair.host.patch(kind, key, hostEdit.patch);
    await until(
      'the edit to be noticed',
      async () => (await hostOf(kind, name))?.metadata.resourceVersion !== edited.metadata.resourceVersion,
    );
    await expect.poll(() => hostOf(kind, name), patience).toMatchObject(hostEdit.result);
    await idle(pair.syncer);
    expect(await virtualOf(kind, name)).toEqual(before);
  });

  test('labels and annotations: both sides may change them, and changes made while the syncer was away are told apart [LAB-08, ANN-03, CORE-13, CORE-15, CORE-16, TOP-06]', async () => {
    await settled(sample);
    const key = { namespace: hostNamespace, name: hostNameOf(name) };
    const patched = (labels: object, annotations: object): object => ({ metadata: { labels, annotations } });
    await away(async () => {
      await pair.host.patch(kind, key, patched({ 'host.io/zone': 'a', app: 'host' }, { 'host.io/seen': 'yes' }));
      await pair.virtual.patch(kind, { namespace, name }, patched({ tier: 'tenant' }, { mine: 'yes' }));
    });
    const both = {
      labels: { 'host.io/zone': 'a', app: 'host', tier: 'tenant' },
      annotations: { 'host.io/seen': 'yes', mine: 'yes' },
    };
    await expect.poll(() => virtualOf(kind, name), patience).toMatchObject({ metadata: both });
    await expect.poll(() => hostOf(kind, name), patience).toMatchObject({ metadata: both });
    // Both have changed the same label: the tenant's value wins. What the host takes away again goes on both sides.
    await away(async () => {
      await pair.host.patch(kind, key, patched({ tier: 'host', 'host.io/zone': null }, { 'host.io/seen': null }));
      await pair.virtual.patch(kind, { namespace, name }, patched({ tier: 'mine' }, { mine: null }));
    });
    const end = { labels: { app: 'host', tier: 'mine' } };
    await expect.poll(() => hostOf(kind, name), patience).toMatchObject({ metadata: end });
    await expect
      .poll(async () => (await virtualOf(kind, name))?.metadata.labels?.['host.io/zone'], patience)
      .toBeUndefined();
    await idle(pair.syncer);
    const [host, virtual] = [await hostOf(kind, name), await virtualOf(kind, name)];
    expect(virtual).toMatchObject({ metadata: end });
    for (const gone of ['host.io/seen', 'mine']) {
      expect(host?.metadata.annotations).not.toHaveProperty([gone]);
      expect(virtual?.metadata.annotations ?? {}).not.toHaveProperty([gone]);
    }
  });

  test.runIf(report !== undefined)('reported by the host: the tenant sees it [CORE-03]', async () => {
    await settled(sample);
    await pair.host.patch(kind, { namespace: hostNamespace, name: hostNameOf(name) }, report?.patch ?? {}, 'status');
    await expect.poll(() => virtualOf(kind, name), patience).toMatchObject(report?.result ?? {});
  });

  test(`deleted on the host by somebody: ${sample.whenHostDeleted} [CORE-26, F75]`, async () => {
    await settled(sample);
    const [host, virtual] = [await hostOf(kind, name), await virtualOf(kind, name)];
    const outcome = async (): Promise<string> => {
      const now = [(await hostOf(kind, name))?.metadata.uid, (await virtualOf(kind, name))?.metadata.uid] as const;
      if (now.every((uid) => uid === undefined)) return 'virtual is deleted';
      const again = now[0] !== undefined && now[0] !== host?.metadata.uid && now[1] === virtual?.metadata.uid;
      return again ? 'host is made again' : 'neither';
    };
    await remove('host', kind, host);
    await expect.poll(outcome, patience).toBe(sample.whenHostDeleted);
    await idle(pair.syncer);
    expect(await outcome()).toBe(sample.whenHostDeleted);
  });

  test('deleted by the tenant: the host object goes, also when the syncer was not there to see it [OPS-06]', async () => {
    await makeIfAbsent(kind, object);
    await settled(sample);
    await remove('virtual', kind, await virtualOf(kind, name));
    await expect.poll(() => hostOf(kind, name), patience).toBeUndefined();

    await make(kind, object);
    await settled(sample);
    await away(async () => {
      const { uid = '' } = (await virtualOf(kind, name))?.metadata ?? {};
      await pair.virtual.remove(kind, { namespace, name }, { uid, graceSeconds: 0 });
    });
    await expect.poll(() => hostOf(kind, name), patience).toBeUndefined();
  });

  test('made again under the same name while the syncer was away: the host object is of the new one [CORE-10]', async () => {
    await make(kind, object);
    await settled(sample);
    const { uid = '' } = (await virtualOf(kind, name))?.metadata ?? {};
    const next = await away(async () => {
      await pair.virtual.remove(kind, { namespace, name }, { uid, graceSeconds: 0 });
      return make(kind, object);
    });
    await expect
      .poll(() => hostOf(kind, name), patience)
      .toMatchObject({ metadata: { annotations: { 'vcluster.loft.sh/object-uid': next.metadata.uid } } });
  });

  test('a host object that is not ours but has its name: left alone, and the tenant is told [NAM-30] [CORE-34]', async () => {
    const other = `${name}-taken`;
    const key = { namespace: hostNamespace, name: hostNameOf(other) };
    const foreign = await pair.host.create(kind, { ...object, metadata: { ...key, labels: { app: 'theirs' } } });
    const virtual = await pair.virtual.create(kind, { ...object, metadata: { ...object.metadata, name: other } });
    const warning = await eventually('a warning', async () => {
      const { items } = await pair.virtual.list(events, { namespace }, AbortSignal.timeout(5_000));
      return items.find(
        (event) => (event as { involvedObject?: { uid?: string } }).involvedObject?.uid === virtual.metadata.uid,
      );
    });
    expect(warning).toMatchObject({
      type: 'Warning',
      reason: 'SyncError',
      message: expect.stringContaining('Another object on the host'),
    });
    expect(JSON.stringify(warning)).not.toMatch(/-x-|tenant-a/);
    await remove('virtual', kind, virtual);
    await idle(pair.syncer);
    const left = await pair.host.get(kind, key);
    expect(left?.metadata.uid).toBe(foreign.metadata.uid);
    expect(left?.metadata.labels).toEqual(foreign.metadata.labels);
    await remove('host', kind, left);
  });
}

describe('what comes with pods', () => {
  test("their nodes and the events about them are shown under the tenant's names, and go with them [NODE-02] [EV-04]", async () => {
    const pod = await pair.virtual.create(
      pods,
      made(pods, { name: 'guest' }, { spec: { containers: [{ name: 'c', image: 'x' }] } }),
    );
    const node = await eventually('its node', () => pair.virtual.get(nodes, { namespace: '', name: 'kwok-1' }));
    expect(node).toMatchObject({
      status: { conditions: expect.arrayContaining([expect.objectContaining({ type: 'Ready', status: 'True' })]) },
    });
    const event = await eventually('the event of its scheduling', async () => {
      const { items } = await pair.virtual.list(events, { namespace }, AbortSignal.timeout(5_000));
      return items.find(
        (one) => one.metadata.name.startsWith('guest.') && (one as { reason?: string }).reason === 'Scheduled',
      );
    });
    expect(event).toMatchObject({
      message: 'Successfully assigned shop/guest to kwok-1',
      involvedObject: { uid: pod.metadata.uid },
    });
    await remove('virtual', pods, pod);
    await until('the pod to go', async () => (await hostOf(pods, 'guest')) === undefined);
  });

  test('config maps are on the host for as long as a pod uses them [CS-01] [CS-02]', async () => {
    const used = await pair.virtual.create(configMaps, made(configMaps, { name: 'used' }, { data: { a: 'b' } }));
    await pair.virtual.create(configMaps, made(configMaps, { name: 'unused' }, { data: { a: 'b' } }));
    const spec = { containers: [{ name: 'c', image: 'x' }], volumes: [{ name: 'v', configMap: { name: 'used' } }] };
    const pod = await pair.virtual.create(pods, made(pods, { name: 'user' }, { spec }));
    await eventually('the config map in use', () => hostOf(configMaps, 'used'));
    expect(await hostOf(configMaps, 'unused')).toBeUndefined();
    await remove('virtual', pods, pod);
    await until('the config map to go', async () => (await hostOf(configMaps, 'used')) === undefined);
    expect((await virtualOf(configMaps, 'used'))?.metadata.uid).toBe(used.metadata.uid);
  });
});
