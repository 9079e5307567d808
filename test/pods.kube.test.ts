/**
 * What can change in a pod that is there, between two real API servers: metadata, ephemeral containers, resizes. The host API
 * server's audit log counts what the syncer wrote: the changes arrive once, and a second look adds nothing.
 */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Audit, between } from './support/audit.ts';
import { isStatus } from '../syncer/model/errors.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { configMaps, events, namespaces, pods } from '../syncer/model/kubernetes.ts';
import type { Container, Event, Pod } from '../syncer/model/kubernetes.ts';
import { keyOf } from '../syncer/model/object.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { equal } from '../syncer/translate/equality.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { census, idle, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, syncerUsers } from './support/pair.ts';
import type { Pair } from './support/pair.ts';
import { PodStage } from './support/pod-stage.ts';

const limitRanges: Kind = { group: '', version: 'v1', plural: 'limitranges', kind: 'LimitRange', namespaced: true };
const signal = new AbortController().signal;

let stage: PodStage;
let pair: Pair;
let audit: Audit;
let before: ReadonlyMap<string, number>;

beforeAll(async () => {
  audit = await Audit.of(syncerUsers.host);
  stage = await PodStage.open('pods', { apiServerArgs: { host: audit.args, virtual: [] } });
  ({ pair } = stage);
});

afterAll(async () => {
  await stage.close();
  await audit.remove();
});

async function hostOf(name: string): Promise<Pod | undefined> {
  return (await pair.host.get(pods, { namespace: hostNamespace, name: hostNameOf(name) })) as Pod | undefined;
}

async function virtualOf(name: string): Promise<Pod | undefined> {
  return (await pair.virtual.get(pods, { namespace, name })) as Pod | undefined;
}

async function running(name: string, containers: readonly Container[]): Promise<void> {
  await pair.virtual.create(pods, made(pods, { name }, { spec: { containers } }));
  await until(`pod ${name} to run`, async () => (await virtualOf(name))?.status?.phase === 'Running');
  await idle(pair.syncer);
  before = await audit.counts();
}

/** What the syncer has written to pods of the host since the pod ran, once it has nothing more to do. */
async function written(): Promise<Readonly<Record<string, number>>> {
  await idle(pair.syncer);
  const counts = between(before, await audit.counts());
  return Object.fromEntries([...counts].filter(([what]) => what.includes(' pods')));
}

async function expectNoMoreWrites(): Promise<void> {
  await idle(pair.syncer);
  const [seen, counts] = [await census(pair), await audit.counts()];
  await secondLook(pair);
  expect(await census(pair)).toEqual(seen);
  expect([...between(counts, await audit.counts())].filter(([what]) => what.includes(' pods'))).toEqual([]);
}

describe('ephemeral containers [POD-83]', () => {
  const debug = {
    name: 'debug',
    image: 'busybox:1',
    targetContainerName: 'app',
    env: [{ name: 'POD', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
    envFrom: [{ configMapRef: { name: 'debug-settings' } }],
  };

  async function add(name: string, list: readonly Container[]): Promise<void> {
    await pair.virtual.patch(pods, { namespace, name }, { spec: { ephemeralContainers: list } }, 'ephemeralcontainers');
  }

  async function arrived(name: string, names: readonly string[]): Promise<Pod> {
    return eventually(`${names.join()} on the host`, async () => {
      const host = await hostOf(name);
      const have = (host?.spec.ephemeralContainers ?? []).map((each) => each.name);
      return names.every((each) => have.includes(each)) ? host : undefined;
    });
  }

  beforeAll(async () => {
    await pair.virtual.create(configMaps, made(configMaps, { name: 'debug-settings' }, { data: { a: '1' } }));
    await running('debugged', [{ name: 'app', image: 'app:1' }]);
  });

  beforeEach(async () => {
    before = await audit.counts();
  });

  test('one arrives once, translated, with the config map that it uses', async () => {
    await add('debugged', [debug]);
    const [host] = (await arrived('debugged', ['debug'])).spec.ephemeralContainers ?? [];
    expect(host).toMatchObject({
      image: 'busybox:1',
      targetContainerName: 'app',
      envFrom: [{ configMapRef: { name: hostNameOf('debug-settings') } }],
    });
    expect(host?.env).toContainEqual({
      name: 'POD',
      valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['vcluster.loft.sh/name']" } },
    });
    const copy = { namespace: hostNamespace, name: hostNameOf('debug-settings') };
    await until('the config map on the host', async () => (await pair.host.get(configMaps, copy)) !== undefined);
    expect(await written()).toEqual({ 'patch pods/ephemeralcontainers': 1 });
    await expectNoMoreWrites();
  });

  test('another one arrives beside one that the host itself has added, which the tenant does not see', async () => {
    const key = { namespace: hostNamespace, name: hostNameOf('debugged') };
    const have = (await hostOf('debugged'))?.spec.ephemeralContainers ?? [];
    const spec = { ephemeralContainers: [...have, { name: 'operator', image: 'x' }] };
    await pair.host.patch(pods, key, { spec }, 'ephemeralcontainers');
    await add('debugged', [
      ...((await virtualOf('debugged'))?.spec.ephemeralContainers ?? []),
      { name: 'two', image: 'y' },
    ]);
    const host = await arrived('debugged', ['debug', 'operator', 'two']);
    expect(host.spec.ephemeralContainers).toHaveLength(3);
    const names = (await virtualOf('debugged'))?.spec.ephemeralContainers?.map(({ name }) => name);
    expect(names).toEqual(['debug', 'two']);
    await expectNoMoreWrites();
  });

  test('one that the host has under the same name, is not replaced', async () => {
    await add('debugged', [
      ...((await virtualOf('debugged'))?.spec.ephemeralContainers ?? []),
      { name: 'operator', image: 'z' },
    ]);
    expect(await written()).toEqual({});
    expect((await hostOf('debugged'))?.spec.ephemeralContainers?.find(({ name }) => name === 'operator')?.image).toBe(
      'x',
    );
    const warnings = (await pair.virtual.list(events, { namespace }, signal)).items as readonly Event[];
    expect(warnings.filter(({ reason }) => reason === 'SyncError')).toEqual([]);
  });
});

describe('resize [POD-84]', () => {
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '64Mi' } };

  async function resize(name: string, cpu: string): Promise<void> {
    const containers = ((await virtualOf(name))?.spec.containers ?? []).map((container) => ({
      ...container,
      resources: { ...resources, requests: { ...resources.requests, cpu } },
    }));
    await pair.virtual.patch(pods, { namespace, name }, { spec: { containers } }, 'resize');
  }

  async function arrived(name: string, cpu: string): Promise<Pod> {
    return eventually(`${cpu} on the host`, async () => {
      const host = await hostOf(name);
      const { requests } = (host?.spec.containers[0]?.['resources'] ?? {}) as { requests?: { cpu?: string } };
      return requests?.cpu === cpu ? host : undefined;
    });
  }

  /** What a kubelet reports of its containers. API servers take no resize without it, and kwok says nothing of it (POD-86). */
  async function report(name: string, status: object): Promise<void> {
    const containerStatuses = ((await hostOf(name))?.status?.containerStatuses ?? []).map((each) => ({
      ...each,
      ...status,
    }));
    const key = { namespace: hostNamespace, name: hostNameOf(name) };
    await pair.host.patch(pods, key, { status: { containerStatuses } }, 'status');
    await until('what the kubelet reports to be known to the tenant', async () => {
      const [first] = (await virtualOf(name))?.status?.containerStatuses ?? [];
      return first !== undefined && equal(first, containerStatuses[0]);
    });
  }

  beforeAll(async () => {
    await running('resized', [{ name: 'app', image: 'app:1', resources }]);
    await report('resized', { resources });
    await idle(pair.syncer);
    before = await audit.counts();
  });

  test('arrives once, and is noted once, without a new pod', async () => {
    const old = await hostOf('resized');
    await resize('resized', '200m');
    const host = await arrived('resized', '200m');
    expect(host.metadata.uid).toBe(old?.metadata.uid);
    expect(host.metadata.generation).toBe((old?.metadata.generation ?? 0) + 1);
    expect(host.spec.containers[0]?.['resources']).toEqual({ ...resources, requests: { cpu: '200m', memory: '64Mi' } });
    expect(await written()).toEqual({ 'patch pods/resize': 1, 'patch pods': 1 });
    await expectNoMoreWrites();
  });

  test("the host's own resize stays, and the tenant's next one changes only what the tenant changes [POD-85]", async () => {
    const key = { namespace: hostNamespace, name: hostNameOf('resized') };
    const ofHost = { requests: { cpu: '200m', memory: '96Mi' }, limits: { memory: '128Mi' } };
    const containers = ((await hostOf('resized'))?.spec.containers ?? []).map((each) => ({
      ...each,
      resources: ofHost,
    }));
    await pair.host.patch(pods, key, { spec: { containers } }, 'resize');
    await expectNoMoreWrites();
    await resize('resized', '300m');
    const host = await arrived('resized', '300m');
    expect(host.spec.containers[0]?.['resources']).toEqual({ ...ofHost, requests: { cpu: '300m', memory: '96Mi' } });
    await expectNoMoreWrites();
  });

  test('its progress flows back with the status [POD-86]', async () => {
    await report('resized', { allocatedResources: { cpu: '200m', memory: '96Mi' } });
    const key = { namespace: hostNamespace, name: hostNameOf('resized') };
    const pending = { type: 'PodResizePending', status: 'True', reason: 'Deferred', message: 'Node is full' };
    const conditions = [...((await hostOf('resized'))?.status?.conditions ?? []), pending];
    await pair.host.patch(pods, key, { status: { conditions } }, 'status');
    const virtual = await eventually('the condition', async () => {
      const pod = await virtualOf('resized');
      return pod?.status?.conditions?.some(({ type }) => type === 'PodResizePending') === true ? pod : undefined;
    });
    expect(virtual.status?.conditions).toContainEqual(expect.objectContaining(pending));
  });

  test("that the host refuses is told in the tenant's words, holds up no status, and comes once it is allowed [CORE-07]", async () => {
    const key = { namespace: hostNamespace, name: hostNameOf('resized') };
    const limits = [{ type: 'Container', max: { memory: '64Mi' } }];
    const limit = made(limitRanges, { name: 'small', namespace: hostNamespace }, { spec: { limits } });
    const { uid = '' } = (await pair.host.create(limitRanges, limit)).metadata;
    await until('the limit to hold', () =>
      pair.host.patch(pods, key, { spec: {} }, 'resize').then(
        () => false,
        (error: unknown) => isStatus(error, 403),
      ),
    );
    await resize('resized', '400m');
    const warning = await eventually('the warning', async () => {
      const all = (await pair.virtual.list(events, { namespace }, signal)).items as readonly Event[];
      return all.find(({ reason, message = '' }) => reason === 'SyncError' && message.includes('maximum memory'));
    });
    expect(warning.message).toContain('"resized"');
    expect(warning.message).not.toContain(hostNamespace);
    await report('resized', { allocatedResources: { cpu: '300m', memory: '96Mi' } });
    await pair.host.remove(limitRanges, { namespace: hostNamespace, name: 'small' }, { uid });
    await arrived('resized', '400m');
    await expectNoMoreWrites();
  });
});

describe('metadata and references', () => {
  test('labels and annotations travel both ways, ours and those about the host do not [POD-88, LAB-08, ANN-03]', async () => {
    await stage.create('labelled', {}, { labels: { tier: 'one', zone: 'a' } });
    const { host, virtual } = await stage.running('labelled');
    await stage.pair.virtual.patch(pods, keyOf(virtual), { metadata: { labels: { tier: 'two', zone: null } } });
    await stage.hostWhen(
      'labelled',
      ({ metadata: { labels = {} } }) => labels['tier'] === 'two' && !('zone' in labels),
    );
    const onHost = { labels: { rack: '7' }, annotations: { scraped: 'yes' } };
    await stage.pair.host.patch(pods, keyOf(host), { metadata: onHost });
    const { metadata } = await stage.virtualWhen('labelled', (pod) => pod.metadata.labels?.['rack'] === '7');
    expect(metadata.labels).toEqual({ tier: 'two', rack: '7' });
    expect(metadata.annotations).toEqual({ scraped: 'yes' });
  });

  test('whatever wakes it, also when it has ended: its own change, its namespace, its host pod [POD-01, LAB-10]', async () => {
    await stage.namespace('woken', { labels: { team: 'a' } });
    const of = { name: 'done', namespace: 'woken' };
    const spec = { containers: [{ name: 'c', image: 'x' }] };
    const mine = await stage.pair.virtual.create(pods, made(pods, of, { spec }));
    const key = { namespace: hostNamespace, name: 'done-x-woken-x-team-a' };
    const host = (): Promise<KubeObject | undefined> => stage.pair.host.get(pods, key);
    // Not before kwok is done with it: it would take the end back.
    await until('the host pod to run', async () => ((await host()) as Pod | undefined)?.status?.phase === 'Running');
    await stage.pair.host.patch(pods, key, { status: { phase: 'Succeeded' } }, 'status');
    await until('its end to be known', async () => {
      const pod = (await stage.pair.virtual.get(pods, of)) as { status?: { phase?: string } } | undefined;
      return pod?.status?.phase === 'Succeeded';
    });
    const values = async (): Promise<readonly string[]> => Object.values((await host())?.metadata.labels ?? {});
    await stage.pair.virtual.patch(
      namespaces,
      { namespace: '', name: 'woken' },
      { metadata: { labels: { team: 'b' } } },
    );
    await until(
      'the label of the namespace',
      async () => (await values()).includes('b') && !(await values()).includes('a'),
    );
    await stage.pair.virtual.patch(pods, of, { metadata: { labels: { own: 'c' } } });
    await until('its own label', async () => (await values()).includes('c'));
    expect((await host())?.metadata.annotations?.['vcluster.loft.sh/object-uid']).toBe(mine.metadata.uid);
  });

  test('it is made before what it refers to, which comes when it is there [POD-07]', async () => {
    const spec = { volumes: [{ name: 'late', configMap: { name: 'late' } }] };
    await stage.create('early', spec);
    const host = await stage.hostWhen('early');
    expect(host.spec.volumes).toContainEqual(
      expect.objectContaining({ configMap: expect.objectContaining({ name: hostNameOf('late') }) }),
    );
    await stage.pair.virtual.create(configMaps, made(configMaps, { name: 'late' }, { data: { a: 'b' } }));
    await eventually('the config map', () =>
      stage.pair.host.get(configMaps, { namespace: hostNamespace, name: hostNameOf('late') }),
    );
  });
});
