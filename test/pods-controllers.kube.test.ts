/**
 * Pods of the controllers of a virtual cluster: the real controller manager makes, counts and replaces pods between two real API
 * servers, and must find them to behave as in any cluster.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Audit, between } from './support/audit.ts';
import { isStatus } from '../syncer/model/errors.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { endpointSlices, pods, services } from '../syncer/model/kubernetes.ts';
import type { EndpointSlice, Pod, PodSpec } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { secondLook } from './support/census.ts';
import { untilRefused } from './support/admission.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, syncerUsers } from './support/pair.ts';
import { ended, kindOf, onNode, PodStage, running } from './support/pod-stage.ts';

const jobs = kindOf('batch', 'v1', 'jobs', 'Job');
const statefulSets = kindOf('apps', 'v1', 'statefulsets', 'StatefulSet');
const daemonSets = kindOf('apps', 'v1', 'daemonsets', 'DaemonSet');
const deployments = kindOf('apps', 'v1', 'deployments', 'Deployment');
const quotas = kindOf('', 'v1', 'resourcequotas', 'ResourceQuota');
const claims = kindOf('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim');
const trackedByJob = 'batch.kubernetes.io/job-tracking';
const containers = [{ name: 'app', image: 'app:1' }];

let stage: PodStage;
let audit: Audit;

beforeAll(async () => {
  audit = await Audit.of(syncerUsers.virtual);
  stage = await PodStage.open('pods-controllers', { apiServerArgs: { host: [], virtual: audit.args } });
  await stage.node('hand');
});

afterAll(async () => {
  await stage.close();
  await audit.remove();
});

async function podsOf(side: 'host' | 'virtual', app: string): Promise<readonly Pod[]> {
  const scope = { namespace: side === 'host' ? hostNamespace : namespace };
  const { items } = await stage.pair[side].list(pods, scope, AbortSignal.timeout(10_000));
  return (items as readonly Pod[]).filter(({ metadata }) => metadata.labels?.['app'] === app);
}

function template(app: string, spec: Partial<PodSpec> = {}): object {
  return { metadata: { labels: { app } }, spec: { containers, ...spec } };
}

/** The one pod that a controller has made. */
async function podOf(app: string, passes: (pod: Pod) => boolean = () => true): Promise<Pod> {
  return eventually(`the pod of ${app}`, async () => (await podsOf('virtual', app)).find(passes));
}

function isReady(conditions: unknown): boolean {
  return (conditions as { ready?: boolean } | undefined)?.ready === true;
}

async function get(
  kind: Kind,
  name: string,
): Promise<KubeObject & { readonly status?: Readonly<Record<string, unknown>> }> {
  return eventually(`${kind.kind} ${name}`, () => stage.pair.virtual.get(kind, { namespace, name }));
}

describe('Jobs', () => {
  const job = (name: string): KubeObject => {
    const spec = { backoffLimit: 0, template: template(name, { restartPolicy: 'Never', ...onNode('hand') }) };
    return made(jobs, { name }, { spec });
  };

  test.each([
    ['well', 0, 'Complete'],
    ['badly', 1, 'Failed'],
  ])('see how their pods ended: %s [POD-25, POD-26, POD-100]', async (name, exitCode, outcome) => {
    await stage.pair.virtual.create(jobs, job(name));
    const pod = await podOf(name);
    expect(pod.metadata.finalizers).toEqual([trackedByJob]);
    await stage.report(pod.metadata.name, running);
    await stage.report(pod.metadata.name, ended(exitCode));
    await until('the Job to know', async () => {
      const conditions = ((await get(jobs, name)).status?.['conditions'] ?? []) as readonly { type: string }[];
      return conditions.some(({ type }) => type === outcome);
    });
    // Counted, so nothing holds the pod any more; it stays to be read until somebody deletes it.
    const counted = await podOf(name, ({ metadata }) => (metadata.finalizers ?? []).length === 0);
    expect(counted.metadata.deletionTimestamp).toBeUndefined();
    const host = await stage.hostWhen(pod.metadata.name);
    expect(host.metadata.finalizers).toBeUndefined();
    await stage.remove('host', host, 0);
    await stage.gone('virtual', pod.metadata.name, counted.metadata.uid);
    expect(Number((await get(jobs, name)).status?.[exitCode === 0 ? 'succeeded' : 'failed'])).toBe(1);
  });

  test('keep a deleted pod until they have counted it: the host pod is gone at once, and nobody keeps trying [POD-26, POD-27]', async () => {
    const { virtual, virtualPlane } = stage.pair;
    await virtual.create(jobs, job('counting'));
    const pod = await podOf('counting');
    const { name, uid } = pod.metadata;
    await stage.report(name, running);
    await stage.running(name);
    await virtualPlane.stop('kube-controller-manager');
    await stage.remove('virtual', pod, 0);
    await until('the host pod to go', async () => (await stage.host(name)) === undefined || (await leftToEnd(name)));
    await stage.idle();
    const before = await audit.counts();
    expect((await stage.virtual(name))?.metadata).toMatchObject({ uid, finalizers: [trackedByJob] });
    await secondLook(stage.pair);
    const deletes = between(before, await audit.counts()).get('delete pods') ?? 0;
    expect(deletes).toBeLessThanOrEqual(1);
    expect((await stage.virtual(name))?.metadata).toMatchObject({ uid, finalizers: [trackedByJob] });
    await virtualPlane.start('kube-controller-manager');
    await stage.gone('virtual', name, uid);
  });

  /** A kubelet ends the containers of a pod that is being deleted. */
  async function leftToEnd(name: string): Promise<boolean> {
    const host = await stage.host(name);
    if (host?.metadata.deletionTimestamp !== undefined) await stage.remove('host', host, 0);
    return (await stage.host(name)) === undefined;
  }
});

describe('StatefulSets', () => {
  test('never have two pods of one identity: the next one comes when the host pod is really gone [POD-33, POD-34]', async () => {
    const spec = {
      replicas: 1,
      serviceName: 'db',
      selector: { matchLabels: { app: 'db' } },
      template: template('db', { ...onNode('hand'), terminationGracePeriodSeconds: 40 }),
    };
    await stage.pair.virtual.create(statefulSets, made(statefulSets, { name: 'db' }, { spec }));
    await podOf('db');
    await stage.report('db-0', running);
    const { virtual, host } = await stage.running('db-0');
    await stage.remove('virtual', virtual);
    await stage.hostWhen('db-0', ({ metadata }) => metadata.deletionTimestamp !== undefined);
    // Its last words are still brought to the same virtual pod.
    await stage.report('db-0', { ...running, reason: 'Leaving' });
    await stage.virtualWhen('db-0', ({ status }) => status?.['reason'] === 'Leaving');
    expect((await podsOf('virtual', 'db')).map(({ metadata }) => metadata.uid)).toEqual([virtual.metadata.uid]);
    expect((await podsOf('host', 'db')).map(({ metadata }) => metadata.uid)).toEqual([host.metadata.uid]);
    await stage.end('db-0');
    const next = await podOf('db', ({ metadata }) => metadata.uid !== virtual.metadata.uid);
    expect(next.metadata.name).toBe('db-0');
    const replaced = await stage.hostWhen('db-0', ({ metadata }) => metadata.uid !== host.metadata.uid);
    expect(replaced.metadata.annotations?.['vcluster.loft.sh/object-uid']).toBe(next.metadata.uid);
  });
});

describe('Deployments', () => {
  test('become available, and their Services have the ready addresses of the host pods as endpoints [POD-90, POD-99]', async () => {
    const { virtual } = stage.pair;
    const spec = { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: template('web') };
    await virtual.create(
      services,
      made(services, { name: 'web' }, { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } }),
    );
    await virtual.create(deployments, made(deployments, { name: 'web' }, { spec }));
    await until('it to be available', async () => (await get(deployments, 'web')).status?.['availableReplicas'] === 2);
    const endpoints = await eventually('its endpoints', async () => {
      const found = (await slicesOf('web')).flatMap((slice) => slice.endpoints ?? []);
      return found.length === 2 && found.every(({ conditions }) => isReady(conditions)) ? found : undefined;
    });
    const addresses = (await podsOf('host', 'web')).map(({ status }) => status?.podIP ?? 'none');
    expect(endpoints.flatMap((endpoint) => endpoint.addresses).toSorted()).toEqual(addresses.toSorted());
  });

  async function slicesOf(service: string): Promise<readonly EndpointSlice[]> {
    const { items } = await stage.pair.virtual.list(endpointSlices, { namespace }, AbortSignal.timeout(10_000));
    return (items as readonly EndpointSlice[]).filter(
      ({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === service,
    );
  }

  test('make a new pod for one that the host has taken away [POD-22, TOP-01]', async () => {
    const [victim] = await podsOf('host', 'web');
    if (victim === undefined) throw new Error('no pod to delete');
    await stage.remove('host', victim);
    await until('two pods that run, none of them the old one', async () => {
      const found = await podsOf('host', 'web');
      const again = found.some(({ metadata }) => metadata.uid === victim.metadata.uid);
      return !again && found.filter(({ status }) => status?.phase === 'Running').length === 2;
    });
    await until('it to be available', async () => (await get(deployments, 'web')).status?.['availableReplicas'] === 2);
    const former = victim.metadata.annotations?.['vcluster.loft.sh/object-uid'];
    const isThere = async (): Promise<boolean> =>
      (await podsOf('virtual', 'web')).some(({ metadata }) => metadata.uid === former);
    await expect.poll(isThere).toBe(false);
  });
});

describe('DaemonSets', () => {
  test('have a pod on each node that the virtual cluster shows, marked for drains and the autoscaler of the host [POD-12, POD-165, POD-167]', async () => {
    await stage.create('shows-the-node', { nodeSelector: { 'kubernetes.io/hostname': 'kwok-1' } });
    await stage.running('shows-the-node');
    const toleration = [{ operator: 'Exists' }];
    const spec = {
      selector: { matchLabels: { app: 'agent' } },
      template: template('agent', { tolerations: toleration }),
    };
    await stage.pair.virtual.create(daemonSets, made(daemonSets, { name: 'agent' }, { spec }));
    const pod = await podOf('agent', ({ spec: { nodeName } }) => nodeName === 'kwok-1');
    const host = await stage.hostWhen(pod.metadata.name);
    expect(host.spec).toMatchObject({
      nodeName: 'kwok-1',
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['kwok-1'] }] }],
          },
        },
      },
    });
    expect(host.metadata.annotations).toMatchObject({
      'cluster-autoscaler.kubernetes.io/daemonset-pod': 'true',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
      'vcluster.loft.sh/owner-set-kind': 'DaemonSet',
    });
    const bare = await stage.hostWhen('shows-the-node');
    // So a drain of the host takes it without being forced to (docs/pods.md).
    expect(bare.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: 'Service', controller: true })]);
    expect(bare.metadata.annotations).toMatchObject({ 'cluster-autoscaler.kubernetes.io/safe-to-evict': 'false' });
    expect(bare.metadata.annotations).not.toHaveProperty('cluster-autoscaler.kubernetes.io/daemonset-pod');
  });
});

describe('quotas [POD-177]', () => {
  const quota = (of: string): KubeObject =>
    made(quotas, { name: 'few', namespace: of }, { spec: { hard: { 'count/pods': '0' } } });

  test('of the tenant are held by the virtual API server: nothing reaches the host', async () => {
    await stage.namespace('tight');
    await stage.pair.virtual.create(quotas, quota('tight'));
    await untilRefused(stage.pair.virtual, 'tight', 'exceeded quota');
    const refused = stage.pair.virtual.create(
      pods,
      made(pods, { name: 'one', namespace: 'tight' }, { spec: { containers } }),
    );
    await expect(refused).rejects.toSatisfy((error: unknown) => isStatus(error, 403));
    await stage.idle();
    const key = { namespace: hostNamespace, name: 'one-x-tight-x-team-a' };
    expect(await stage.pair.host.get(pods, key)).toBeUndefined();
  });

  test('of the host are told to the tenant: the pod waits, can be deleted, and comes once there is room [POD-13, POD-163, CORE-07]', async () => {
    const limit = await stage.pair.host.create(quotas, quota(hostNamespace));
    await untilRefused(stage.pair.host, hostNamespace, 'exceeded quota');
    const [waits, given] = [await stage.create('waits-for-room'), await stage.create('given-up')];
    for (const pod of [waits, given]) {
      const { message = '' } = await stage.warning(pod.metadata.uid, 'exceeded quota');
      expect(message).not.toMatch(/-x-|tenant-a/);
    }
    expect((await stage.virtual('waits-for-room'))?.status?.phase).toBe('Pending');
    await stage.remove('virtual', given);
    await stage.gone('virtual', 'given-up', given.metadata.uid);
    await stage.remove('host', limit, undefined, quotas);
    expect((await stage.running('waits-for-room')).virtual.metadata.uid).toBe(waits.metadata.uid);
    expect(await stage.host('given-up')).toBeUndefined();
  });
});

describe('generic ephemeral volumes [POD-102]', () => {
  test('are claims of the virtual cluster: its controllers make them and leave them to the host to be bound [TOP-10]', async () => {
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    const volumes = [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: claim } } }];
    const { metadata } = await stage.create('with-scratch', { volumes });
    const owned = await get(claims, 'with-scratch-scratch');
    expect(owned.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: 'Pod', uid: metadata.uid })]);
    const host = await stage.hostWhen('with-scratch');
    expect(host.spec.volumes).toContainEqual({
      name: 'scratch',
      persistentVolumeClaim: { claimName: hostNameOf('with-scratch-scratch') },
    });
    await stage.idle();
    // A host that saw the template would make a claim of its own, named after the host pod.
    const { items } = await stage.pair.host.list(claims, { namespace: hostNamespace }, AbortSignal.timeout(10_000));
    expect(items.filter((each) => each.metadata.name === `${host.metadata.name}-scratch`)).toEqual([]);
    expect((await get(claims, 'with-scratch-scratch')).status?.['phase']).toBe('Pending');
  });
});
