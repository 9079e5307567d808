/**
 * Operations on a real node: a virtual cluster comes up, is looked at, sleeps and wakes with what runs in it, and goes without a
 * trace; and what is said about those that do not come up. The tests of a block build on each other, in order.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listClusters, readCluster } from '../../operations/cluster.ts';
import { deleteCluster } from '../../operations/delete.ts';
import { findDrift } from '../../operations/drift.ts';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { applyNamespace } from '../../operations/namespace.ts';
import { pauseCluster, resumeCluster } from '../../operations/pause.ts';
import { applyRelease } from '../../operations/release.ts';
import type { WantedRelease } from '../../operations/release.ts';
import { NotReadyError, waitUntilReady } from '../../operations/wait.ts';
import { findHost, hostProblem, provideImage } from '../../scripts/lib/host.ts';
import { Inside } from '../../scripts/lib/inside.ts';
import type { StatefulSet } from '../../operations/pods.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { deployApplication, pairPods } from '../../scripts/lib/story-inside.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import { resolveBinary, toStderr as log } from '../../testbed/index.ts';
import { eventually } from '../support/eventually.ts';
import { failureOf } from './stage.ts';

const problem = hostProblem();
/** Seconds on a quiet machine; nothing is asserted about it. */
const readyMs = 280_000;
const main = { name: 'ops-main', namespace: 'ops-main' } as const;
const broken = { name: 'ops-bad', namespace: 'ops-bad' } as const;
const wanted: WantedRelease = { ...main, values: { logging: { level: 'info' } }, labels: { team: 'operations' } };

let folder: string;
let kubectl: Kubectl;
let host: Host;

async function remove(ref: { readonly name: string; readonly namespace: string }): Promise<void> {
  await deleteCluster(host, ref, { lifecycle: 'create', timeoutMs: readyMs });
}

describe.skipIf(problem !== undefined)(`operations${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ops-'));
    process.env['VCLUSTER_HELM'] = await resolveBinary('helm', log);
    const found = await findHost(process.env['KUBECTL'] ?? (await resolveBinary('kubectl', log)), log);
    await provideImage(found, log);
    kubectl = found.kubectl;
    host = await openHost({ kubeconfig: kubectl.kubeconfig });
    await Promise.all([remove(main), remove(broken)]);
  });

  afterAll(async () => {
    if (host !== undefined) await Promise.all([remove(main), remove(broken)]);
    host?.close();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  describe('a virtual cluster', () => {
    test('is made, and is Running when the wait is over; nothing has drifted', async () => {
      await applyNamespace(host, { name: main.namespace, lifecycle: 'create', cluster: main.name });
      await applyRelease(host, wanted, { log });
      const young = await readCluster(host, main);
      expect(young).toMatchObject({ phase: 'Pending', endpoint: undefined, labels: { team: 'operations' } });
      await waitUntilReady(host, main, { log, timeoutMs: readyMs });
      expect(await readCluster(host, main)).toMatchObject({
        phase: 'Running',
        conditions: ['ReleaseDeployed', 'ControlPlaneReady', 'SyncerReady', 'KubeconfigPublished'].map((type) => ({
          type,
          status: 'True',
        })),
        endpoint: expect.stringMatching(/^https:\/\/ops-main\.ops-main(:443)?$/),
        clusterCaCertificate: expect.stringContaining('BEGIN CERTIFICATE'),
        versions: { kubernetes: '1.36.3', chart: '0.1.0', syncer: '0.1.0' },
        syncedObjects: { services: 1 },
        paused: false,
      });
      expect(await findDrift(host, wanted, { paused: false })).toEqual([]);
      expect((await listClusters(host, { labels: { team: 'operations' } })).map(({ name }) => name)).toEqual([
        'ops-main',
      ]);
    });

    test('drifts when somebody changes it, and applying repairs it', async () => {
      await host.patch(kinds.services, main, { spec: { ports: [{ name: 'https', port: 444, targetPort: 6443 }] } });
      expect(await findDrift(host, wanted)).toEqual(['Service ops-main: spec.ports[https].port: 443 → 444']);
      await applyRelease(host, wanted);
      expect(await findDrift(host, wanted)).toEqual([]);
    });

    test('sleeps: its pods are gone, also after an upgrade, and its data is kept', async () => {
      await using inside = await Inside.open(kubectl, main, join(folder, 'kubeconfig'));
      await deployApplication(inside.kubectl);
      const { changed, warnings } = await pauseCluster(host, main, { log });
      expect({ changed, warnings }).toEqual({
        changed: true,
        warnings: [expect.stringContaining('client-x-default-x-ops-main')],
      });
      expect(warnings.join()).not.toContain('web-');
      expect(await host.list(kinds.pods, main.namespace)).toEqual([]);
      expect(await readCluster(host, main)).toMatchObject({ phase: 'Paused', paused: true });
      expect(await findDrift(host, wanted, { paused: true })).toEqual([]);
      expect(await findDrift(host, wanted, { paused: false })).toEqual(['paused: false → true']);
      await applyRelease(host, { ...wanted, values: { logging: { level: 'debug' } } });
      expect((await host.get(kinds.statefulSets, main)).spec).toMatchObject({ replicas: 0 });
      expect(await pauseCluster(host, main)).toMatchObject({ changed: false });
      expect((await failureOf(waitUntilReady(host, main, { timeoutMs: 0 }))).message).toContain('It is paused.');
    });

    test('wakes, and what has a controller comes back', async () => {
      expect(await resumeCluster(host, main, { log })).toBe(true);
      expect(await resumeCluster(host, main)).toBe(false);
      await waitUntilReady(host, main, { log, timeoutMs: readyMs });
      await using inside = await Inside.open(kubectl, main, join(folder, 'kubeconfig'));
      await inside.kubectl.run(['rollout', 'status', 'deployment/web', '--timeout=120s']);
      const pairs = await eventually(
        'the old pods to be gone',
        async () => {
          const found = await pairPods(inside.kubectl, kubectl, main).catch(() => []);
          return found.length === 2 ? found : undefined;
        },
        120_000,
      );
      expect(pairs.map((pair) => pair.host).join()).not.toContain('client-x-');
      expect(await findDrift(host, { ...wanted, values: { logging: { level: 'debug' } } }, { paused: false })).toEqual(
        [],
      );
    });

    test('goes, and leaves nothing', async () => {
      expect(await deleteCluster(host, main, { lifecycle: 'create', log })).toEqual({ kept: [] });
      expect(await readCluster(host, main)).toBeUndefined();
      expect(await host.tryGet(kinds.namespaces, { name: main.namespace })).toBeUndefined();
      expect(await leftovers(kubectl, main.namespace)).toEqual([]);
      expect(await deleteCluster(host, main, { lifecycle: 'create' })).toEqual({ kept: [] });
    });
  });

  describe('what is said about one that does not come up', () => {
    /** Applies values that cannot work; gives back what is said once `isSeen` says that the host has come to its end. */
    async function complaint(values: WantedRelease['values'], isSeen: RegExp): Promise<Error> {
      await applyRelease(host, { ...broken, values });
      return failedWith(isSeen);
    }

    function failedWith(isSeen: RegExp): Promise<Error> {
      return eventually(
        `${isSeen}`,
        async () => {
          const error = await failureOf(waitUntilReady(host, broken, { timeoutMs: 0 }));
          return isSeen.test(error.message) ? error : undefined;
        },
        120_000,
      );
    }

    test('a pod that the quota refuses', async () => {
      await applyNamespace(host, { name: broken.namespace, lifecycle: 'create', cluster: broken.name });
      const quotas = { group: '', version: 'v1', plural: 'resourcequotas' };
      await host.create(quotas, broken.namespace, {
        metadata: { name: 'small' },
        spec: { hard: { 'requests.memory': '100Mi' } },
      });
      const error = await complaint({}, /exceeded quota/);
      expect(error).toBeInstanceOf(NotReadyError);
      expect(error.message).toMatch(
        /^Virtual cluster ops-bad did not become ready within 0s: The host refuses pod ops-bad\/ops-bad-0: exceeded quota: small, /,
      );
      expect(error.message).toContain('Raise the ResourceQuota of namespace "ops-bad"');
      await host.delete(quotas, { namespace: broken.namespace, name: 'small' });
    });

    test('a pod that finds no node', async () => {
      const scheduling = { nodeSelector: { nowhere: 'x' } };
      const error = await complaint({ controlPlane: { statefulSet: { scheduling } } }, /finds no node/);
      expect(error.message).toMatch(/Pod ops-bad\/ops-bad-0 finds no node: 0\/1 nodes are available: /);
      expect(error.message).toContain('controlPlane.statefulSet.scheduling');
    });

    test('an image that does not exist', async () => {
      const etcd = { image: 'localhost:1/no/etcd:9' };
      const error = await complaint({ controlPlane: { backingStore: { etcd } } }, /cannot be pulled/);
      expect(error.message).toMatch(
        /Image localhost:1\/no\/etcd:9 of container etcd in pod ops-bad\/ops-bad-0 cannot be pulled \((ErrImagePull|ImagePullBackOff)\): .*connection refused/,
      );
    });

    test('a component that needs more memory than it may have', async () => {
      const resources = { requests: { memory: '24Mi' }, limits: { memory: '24Mi' } };
      const error = await complaint({ controlPlane: { distro: { k8s: { apiServer: { resources } } } } }, /OOMKilled/);
      expect(error.message).toMatch(
        /kube-apiserver of pod ops-bad\/ops-bad-0 was ended because it needed more memory than its limit of 24Mi/,
      );
      expect(error.message).toContain('Raise its memory limit');
    });

    test('a component that ends again and again, with what it said last', async () => {
      await applyRelease(host, { ...broken, values: {} });
      const { spec } = await host.get<StatefulSet>(kinds.statefulSets, broken);
      const [pki, ...others] = spec.template.spec.initContainers ?? [];
      const initContainers = [{ ...pki, args: ['pki', '--no-such-flag'] }, ...others];
      await host.patch(kinds.statefulSets, broken, { spec: { template: { spec: { initContainers } } } });
      const error = await failedWith(/Container pki of pod .*restarted.*no-such-flag/s);
      expect(error.message).toMatch(
        /Container pki of pod ops-bad\/ops-bad-0 ended with exit code 1, and was restarted/,
      );
      expect(error.message).toMatch(/Last lines of pki:\n {2}.*no-such-flag/s);
    });

    test('and the next apply, with values that work, repairs it', async () => {
      await applyRelease(host, { ...broken, values: {} });
      await waitUntilReady(host, broken, { log, timeoutMs: readyMs });
      expect(await findDrift(host, { ...broken, values: {} })).toEqual([]);
    });
  });
});
