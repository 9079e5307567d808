/**
 * The chart, the `pki` command and the preflight on a real host API server: what is created under Pod Security `restricted`,
 * what is refused before anything is, and that nothing is left.
 */
import { execFile } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host } from '../../operations/host.ts';
import { preflight } from '../../operations/preflight.ts';
import { rightsToGrant } from '../../operations/rights.ts';
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import { preparePki } from '../../syncer/pki/main.ts';
import {
  type ControlPlane,
  controlPlaneDir,
  issueKubeconfig,
  resolveBinary,
  silent,
  startControlPlane,
} from '../../testbed/index.ts';

const run = promisify(execFile);
const chart = join(import.meta.dirname, '../../chart');
const release = { name: 'team-a', namespace: 'tenants' };

let host: ControlPlane;
let api: Host;
let client: Client;
let helm = '';
let folder = '';

beforeAll(async () => {
  helm = await resolveBinary('helm', silent);
  folder = await mkdtemp(join(tmpdir(), 'install-test-'));
  host = await startControlPlane({
    dir: controlPlaneDir('install-host'),
    role: 'host',
    serviceCidr: '10.96.0.0/16',
    scheduler: false,
    log: silent,
  });
  api = await openHost({ kubeconfig: host.kubeconfigPath });
  client = new Client('host', kubeconfigAccess(host.kubeconfigPath));
  await create('/api/v1/namespaces', {
    metadata: { name: release.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
  await runHelm('install', release.name, chart);
});

afterAll(async () => {
  await host.shutdown();
  await rm(folder, { recursive: true });
});

async function create(path: string, object: object): Promise<void> {
  await api.request('POST', path, object);
}

async function runHelm(...args: readonly string[]): Promise<string> {
  const common = ['--kubeconfig', host.kubeconfigPath, '--namespace', release.namespace];
  return (await run(helm, [...args, ...common])).stdout;
}

async function names(path: string): Promise<readonly string[]> {
  const body = await api.request('GET', path);
  return (body as { items: readonly { metadata: { name: string } }[] }).items.map(({ metadata }) => metadata.name);
}

const inNamespace = (plural: string): string => `/api/v1/namespaces/${release.namespace}/${plural}`;

function kubeconfigOf(user: string): Promise<string> {
  return issueKubeconfig(host.dir, user, { server: host.url, pki: host.pki, leaf: { commonName: user } });
}

/** Gives a user a role in the namespace. */
async function bind(
  user: string,
  role: { readonly kind: 'Role' | 'ClusterRole'; readonly name: string },
): Promise<void> {
  await create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${release.namespace}/rolebindings`, {
    metadata: { name: user },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', ...role },
    subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
  });
}

/** What the namespace still holds of the release. */
async function leftovers(): Promise<readonly string[]> {
  const plurals = ['pods', 'services', 'secrets', 'configmaps', 'serviceaccounts', 'persistentvolumeclaims'];
  const found = await Promise.all(plurals.map((plural) => names(inNamespace(plural))));
  return found.flat().filter((name) => name.includes(release.name));
}

const read = (path: string): Promise<string> => readFile(join(folder, path), 'utf8');

describe('chart', () => {
  test('makes a pod that a `restricted` namespace admits', async () => {
    await expect.poll(() => names(inNamespace('pods')), { timeout: 10_000 }).toEqual(['team-a-0']);
  });

  test('refuses a second virtual cluster in the namespace, and creates nothing of it [NAM-13]', async () => {
    const refused = 'Namespace "tenants" already holds the virtual cluster "team-a", and a namespace holds one.';
    await expect(runHelm('install', 'team-b', chart)).rejects.toThrow(refused);
    expect(await names(inNamespace('services'))).toEqual(['team-a', 'team-a-headless']);
  });
});

describe('pki', () => {
  const options = { ...release, domain: 'cluster.local', egressSocket: '/run/vcluster/egress.sock' };
  const prepare = (out: string): Promise<void> => preparePki(client, { ...options, out: join(folder, out) });

  test('keeps authorities, signing key and service range from one start to the next', async () => {
    await prepare('first');
    await prepare('second');
    expect(await read('second/syncer/ca.key')).toBe(await read('first/syncer/ca.key'));
    expect(await read('second/apiserver/sa.key')).toBe(await read('first/apiserver/sa.key'));
    expect(await read('second/apiserver/serving.key')).not.toBe(await read('first/apiserver/serving.key'));
    const body = await api.request('GET', inNamespace('services/team-a'));
    const { clusterIP } = (body as { spec: { clusterIP: string } }).spec;
    expect(new X509Certificate(await read('first/apiserver/serving.crt')).checkIP(clusterIP)).toBe(clusterIP);
    const configMap = await api.request('GET', inNamespace('configmaps/team-a-control-plane'));
    expect(configMap).toMatchObject({ data: { serviceRange: '10.96.0.0/16' } });
  });

  test('started twice at once ends with one set of keys', async () => {
    await create(inNamespace('services'), { metadata: { name: 'twice' }, spec: { ports: [{ port: 443 }] } });
    const outs = ['left', 'right'];
    await Promise.all(outs.map((out) => preparePki(client, { ...options, name: 'twice', out: join(folder, out) })));
    const [left, right] = await Promise.all(outs.map((out) => readFile(join(folder, out, 'syncer/ca.key'), 'utf8')));
    expect(left).toBe(right);
  });

  test('leaves a Secret that it cannot use as it is, and says so', async () => {
    await create(inNamespace('services'), { metadata: { name: 'broken' }, spec: { ports: [{ port: 443 }] } });
    await create(inNamespace('secrets'), { metadata: { name: 'broken-certs' }, data: { 'ca.crt': 'bm90aGluZw==' } });
    const started = preparePki(client, { ...options, name: 'broken', out: join(folder, 'broken') });
    await expect(started).rejects.toThrow(
      'Secret tenants/broken-certs on the host holds the keys of the virtual cluster',
    );
    const body = await api.request('GET', inNamespace('secrets/broken-certs'));
    expect(body).toMatchObject({ data: { 'ca.crt': 'bm90aGluZw==' } });
  });
});

describe('preflight()', () => {
  test('finds nothing in the way of an admin', async () => {
    expect(await preflight({ name: 'x', namespace: 'not-yet-there', kubeconfig: host.kubeconfigPath })).toEqual([]);
    expect(await preflight({ ...release, kubeconfig: host.kubeconfigPath })).toEqual([]);
  });

  test('names the virtual cluster that the namespace already holds', async () => {
    const problems = await preflight({ ...release, name: 'team-b', kubeconfig: host.kubeconfigPath });
    expect(problems).toEqual([expect.stringContaining('already holds the virtual cluster "team-a"')]);
  });

  test('lists the rights that an account lacks [OPS-17]', async () => {
    const kubeconfig = await kubeconfigOf('weak');
    // Whatever else the syncer comes to need, this account has it.
    const groups = rightsToGrant('').map(({ group }) => group);
    const apiGroups = ['apps', ...new Set(groups)].filter((group) => group !== 'discovery.k8s.io');
    const rules = [{ apiGroups, resources: ['*'], verbs: ['*'] }];
    await create(`/apis/rbac.authorization.k8s.io/v1/namespaces/${release.namespace}/roles`, {
      metadata: { name: 'weak' },
      rules,
    });
    await bind('weak', { kind: 'Role', name: 'weak' });
    await expect
      .poll(() => preflight({ ...release, kubeconfig }), { timeout: 20_000 })
      .toEqual([
        'This account may not get, create, patch, delete roles.rbac.authorization.k8s.io in namespace "tenants".',
        'This account may not get, create, patch, delete rolebindings.rbac.authorization.k8s.io in namespace "tenants".',
        'This account may not list, watch endpointslices.discovery.k8s.io in namespace "tenants".',
        expect.stringContaining('Ask an administrator of the host cluster'),
      ]);
    expect(await preflight({ name: 'x', namespace: 'not-yet-there', kubeconfig })).toEqual([
      expect.stringContaining('has no rights in namespace "not-yet-there", or the namespace does not exist.'),
    ]);
  });

  test('says which rights the admin of a namespace lacks: readiness gates, ephemeral containers and resizes need them', async () => {
    const kubeconfig = await kubeconfigOf('namespace-admin');
    await bind('namespace-admin', { kind: 'ClusterRole', name: 'admin' });
    await expect
      .poll(() => preflight({ ...release, kubeconfig }), { timeout: 20_000 })
      .toEqual([
        'This account may not patch pods/ephemeralcontainers in namespace "tenants".',
        'This account may not patch pods/resize in namespace "tenants".',
        'This account may not patch pods/status in namespace "tenants".',
        expect.stringContaining('Ask an administrator of the host cluster'),
      ]);
  });
});

test('deleting the release leaves nothing of it [OPS-22]', async () => {
  await runHelm('uninstall', release.name);
  // No kubelet here that would report the pod's end.
  await client.remove(
    { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true },
    { namespace: release.namespace, name: 'team-a-0' },
    { uid: await uidOfPod(), graceSeconds: 0 },
  );
  await expect.poll(leftovers, { timeout: 20_000 }).toEqual([]);
});

/** A pod that no node has taken may be gone already. */
async function uidOfPod(): Promise<string> {
  const pod = await api.tryGet(kinds.pods, { namespace: release.namespace, name: 'team-a-0' });
  return pod?.metadata.uid ?? 'gone';
}
