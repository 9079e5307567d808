/** What was changed outside is seen and put back; what is deleted is gone completely, or what is left is named. Real host, real helm. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { listClusters, readCluster } from '../../operations/cluster.ts';
import { deleteCluster, LeftoversError } from '../../operations/delete.ts';
import { findDrift } from '../../operations/drift.ts';
import { kinds } from '../../operations/host.ts';
import type { ClusterRef } from '../../operations/types.ts';
import { revisionsOf } from '../../operations/release-record.ts';
import { applyRelease, readRelease } from '../../operations/release.ts';
import type { WantedRelease } from '../../operations/release.ts';
import { failureOf, makeNamespace, roleBindings, roles, startStage } from './stage.ts';
import type { Stage } from './stage.ts';

const chart = join(import.meta.dirname, '../../chart');
let stage: Stage;

const wantedOf = (name: string, values: WantedRelease['values'] = {}): WantedRelease => ({
  name,
  namespace: name,
  values,
});

beforeAll(async () => {
  stage = await startStage('drift');
});

afterAll(async () => {
  await stage?.stop();
});

/** Readiness needs a node: what is looked at here is everything else. */
async function drift(wanted: WantedRelease): Promise<readonly string[]> {
  const lines = await findDrift(stage.host, wanted);
  return lines.filter((line) => !line.startsWith('not ready: ') && !line.includes('with the kubeconfig is gone'));
}

async function removeRevisions({ namespace, name }: ClusterRef): Promise<void> {
  const { host } = stage;
  const revisions = await host.list(kinds.secrets, namespace, { labelSelector: revisionsOf(name) });
  await Promise.all(revisions.map(({ metadata }) => host.delete(kinds.secrets, { namespace, name: metadata.name })));
}

describe('drift', () => {
  const wanted = wantedOf('drifted', {
    controlPlane: {
      distro: { k8s: { apiServer: { resources: { requests: { cpu: '0.5', memory: '262144Ki' } } } } },
      statefulSet: {
        scheduling: {
          tolerations: [
            { key: 'a', operator: 'Exists' },
            { operator: 'Exists', effect: 'NoExecute' },
          ],
        },
      },
    },
    tracing: { endpoint: 'http://collector:4318', headersSecret: 'headers' },
  });

  test('is none right after an installation and after an upgrade, whatever the host has added', async () => {
    const { host } = stage;
    await makeNamespace(host, 'drifted');
    await applyRelease(host, wanted);
    expect(await drift(wanted)).toEqual([]);
    await host.patch(kinds.services, wanted, { metadata: { labels: { theirs: 'x' }, annotations: { mesh: 'on' } } });
    expect(await drift(wanted)).toEqual([]);
    await applyRelease(host, wanted);
    expect(await drift(wanted)).toEqual([]);
  });

  test('is told as lines: objects edited or gone, values changed by somebody else; applying repairs all of it', async () => {
    const { host, helm, plane } = stage;
    const { name, namespace } = wanted;
    await host.patch(kinds.services, wanted, { spec: { ports: [{ name: 'https', port: 444, targetPort: 6443 }] } });
    await host.delete(roleBindings, { namespace, name: `vc-${name}` });
    await host.patch(roles, { namespace, name: `vc-${name}` }, { rules: [] });
    const args = [
      'upgrade',
      name,
      chart,
      '-n',
      namespace,
      '--kubeconfig',
      plane.kubeconfigPath,
      '--reuse-values',
      '--set',
      'logging.level=debug',
    ];
    expect(await drift(wanted)).toEqual([
      expect.stringMatching(/^Role vc-drifted: rules: \[\{.* → none$/),
      'RoleBinding vc-drifted is gone',
      'Service drifted: spec.ports[https].port: 443 → 444',
    ]);
    await applyRelease(host, wanted);
    expect(await drift(wanted)).toEqual([]);
    const child = spawn(helm, args, { stdio: 'ignore' });
    await once(child, 'exit');
    expect(await drift(wanted)).toEqual(['logging.level: none → "debug"']);
    await applyRelease(host, wanted);
    expect(await drift(wanted)).toEqual([]);
  });

  test('is a release that is missing, and installing it again takes its objects back', async () => {
    const { host } = stage;
    await removeRevisions(wanted);
    expect(await drift(wanted)).toEqual(['release drifted is missing']);
    expect(await readCluster(host, wanted)).toMatchObject({ phase: 'Pending', versions: { kubernetes: '1.36.3' } });
    const { metadata } = await host.get(kinds.persistentVolumeClaims, { namespace: 'drifted', name: 'data-drifted-0' });
    expect(await applyRelease(host, wanted)).toMatchObject({ status: 'deployed', revision: 1 });
    expect(await drift(wanted)).toEqual([]);
    const after = await host.get(kinds.persistentVolumeClaims, { namespace: 'drifted', name: 'data-drifted-0' });
    expect(after.metadata.uid).toBe(metadata.uid);
  });
});

describe('deletion', () => {
  test('leaves nothing of it and everything else, also without a release', async () => {
    const { host } = stage;
    await makeNamespace(host, 'gone');
    const wanted = wantedOf('gone');
    await applyRelease(host, wanted);
    await host.create(kinds.configMaps, 'gone', { metadata: { name: 'theirs' } });
    const service = await host.get(kinds.services, wanted);
    const owner = { apiVersion: 'v1', kind: 'Service', name: 'gone', uid: service.metadata.uid };
    const synced = {
      name: 'a-x-b-x-gone',
      labels: { 'vcluster.loft.sh/managed-by': 'gone' },
      ownerReferences: [owner],
    };
    await host.create(kinds.configMaps, 'gone', { metadata: synced });
    expect((await readCluster(host, wanted))?.syncedObjects).toMatchObject({ configmaps: 1, pods: 0 });
    await removeRevisions(wanted);
    expect(await deleteCluster(host, wanted)).toEqual({ kept: [] });
    expect(await readCluster(host, wanted)).toBeUndefined();
    const left = await host.list(kinds.configMaps, 'gone');
    expect(left.map(({ metadata }) => metadata.name)).toEqual(['kube-root-ca.crt', 'theirs']);
  });

  test('keeps a volume that is to be retained, and says so', async () => {
    const { host } = stage;
    await makeNamespace(host, 'retained');
    const volumeClaim = { retentionPolicy: 'Retain' };
    await applyRelease(host, wantedOf('retained', { controlPlane: { statefulSet: { persistence: { volumeClaim } } } }));
    expect(await deleteCluster(host, wantedOf('retained'))).toEqual({
      kept: ['persistentvolumeclaims/data-retained-0: its retention policy is Retain'],
    });
    // Again finds it as it was left.
    expect((await deleteCluster(host, wantedOf('retained'))).kept).toHaveLength(1);
  });

  test('of one whose name a Service of somebody else has leaves that Service, and waits for nothing of it', async () => {
    const { host } = stage;
    await makeNamespace(host, 'theirs');
    const service = { metadata: { name: 'theirs' }, spec: { ports: [{ port: 80 }] } };
    const { metadata } = await host.create(kinds.services, 'theirs', service);
    const owner = { apiVersion: 'v1', kind: 'Service', name: 'theirs', uid: metadata.uid };
    await host.create(kinds.configMaps, 'theirs', { metadata: { name: 'goes-with-it', ownerReferences: [owner] } });
    expect((await failureOf(applyRelease(host, wantedOf('theirs')))).message).toContain('exists already');
    expect(await deleteCluster(host, wantedOf('theirs'))).toEqual({ kept: [] });
    expect(await host.tryGet(kinds.services, { namespace: 'theirs', name: 'theirs' })).toBeDefined();
  });

  test('says what is left and what holds it, and goes on where it was', async () => {
    const { host } = stage;
    await makeNamespace(host, 'held');
    await applyRelease(host, wantedOf('held'));
    const service = { namespace: 'held', name: 'held-headless' };
    await host.patch(kinds.services, service, { metadata: { finalizers: ['example.com/hold'] } });
    const error = await failureOf(deleteCluster(host, wantedOf('held'), { timeoutMs: 0 }));
    expect(error).toBeInstanceOf(LeftoversError);
    expect(error.message).toContain('services/held-headless waits for example.com/hold');
    await host.patch(kinds.services, service, { metadata: { finalizers: null } });
    expect(await deleteCluster(host, wantedOf('held'))).toEqual({ kept: [] });
    expect(await readRelease(host, wantedOf('held'))).toBeUndefined();
  });
});

test('listClusters() finds by namespace and label, and leaves others of that name out', async () => {
  const { host } = stage;
  for (const name of ['list-b', 'list-a']) {
    await makeNamespace(host, name);
    await applyRelease(host, { ...wantedOf(name), labels: { fleet: 'one', role: name } });
  }
  await host.create(kinds.statefulSets, 'default', {
    metadata: { name: 'another', labels: { app: 'vcluster' } },
    spec: {
      selector: { matchLabels: { app: 'another' } },
      serviceName: 'another',
      replicas: 0,
      template: { metadata: { labels: { app: 'another' } }, spec: { containers: [{ name: 'x', image: 'x' }] } },
    },
  });
  const names = async (...filter: Parameters<typeof listClusters>[1][]): Promise<readonly string[]> =>
    (await listClusters(host, filter[0])).map(({ name }) => name);
  expect(await names({ labels: { fleet: 'one' } })).toEqual(['list-a', 'list-b']);
  expect(await names({ labels: { fleet: 'one', role: 'list-b' } })).toEqual(['list-b']);
  expect(await names({ namespace: 'list-a' })).toEqual(['list-a']);
  expect(await names()).not.toContain('another');
});
