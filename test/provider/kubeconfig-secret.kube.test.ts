/**
 * `vcluster_kubeconfig_secret` with a real Terraform between two real API servers: the host, where the Secret is, and the virtual cluster,
 * where the service account is. No node is needed: the virtual cluster is published at an address that is reached directly.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host, HostKind } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import type { HostObject } from '../../operations/types.ts';
import { VirtualApi } from '../../operations/virtual-api.ts';
import { controlPlaneDir, silent, startControlPlane } from '../../testbed/index.ts';
import type { ControlPlane } from '../../testbed/index.ts';
import { Stack } from './kubeconfig-stage.ts';

const serviceCidr = '10.96.0.0/16';
const { namespaces, secrets, serviceAccounts, statefulSets } = kinds;
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;
const roleBindings: HostKind = { ...rbac, plural: 'rolebindings' };
const clusterRoleBindings: HostKind = { ...rbac, plural: 'clusterrolebindings' };
const secretKey = { namespace: 'ci', name: 'team-a' };
const accountKey = { namespace: 'kube-system', name: 'ci' };

let planes: readonly [ControlPlane, ControlPlane];
let host: Host;
let virtual: Host;
let stack: Stack;

/** The resource as HCL; later arguments win. */
function hcl(args: Readonly<Record<string, string>> = {}): string {
  const all = {
    cluster_id: '"team/team-a"',
    namespace: '"ci"',
    name: '"team-a"',
    service_account: '{ name = "ci" }',
    role: '{ name = "view", namespace = "default" }',
    expiration_seconds: '3600',
    server: JSON.stringify(planes[1].url),
    ...args,
  };
  const lines = Object.entries(all).map(([key, value]) => `  ${key} = ${value}\n`);
  return `resource "vcluster_kubeconfig_secret" "it" {\n${lines.join('')}}\n`;
}

async function applied(args: Readonly<Record<string, string>> = {}): Promise<void> {
  await stack.write(hcl(args));
  const said = await stack.apply();
  expect(said.exitCode, said.text).toBe(0);
}

/** What a plan that must change something says. */
async function change(): Promise<string> {
  const said = await stack.plan();
  expect(said.exitCode, said.text).toBe(2);
  expect(said.text).toContain('will be updated in-place');
  return said.text;
}

async function noChange(): Promise<void> {
  const said = await stack.plan();
  expect(said.exitCode, said.text).toBe(0);
}

async function content(key = 'config'): Promise<string> {
  const secret = await host.tryGet(secrets, secretKey);
  return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
}

/** The status of a request with what the Secret holds. */
async function asTenant(path: string): Promise<number> {
  const { server, certificateAuthority: ca, token } = parseKubeconfig(await content());
  const api = new VirtualApi({ server: new URL(server), ca, token, insecure: false }, 'team-a');
  return (await api.ask({ path })).status;
}

async function binding(): Promise<(HostObject & { readonly roleRef?: unknown }) | undefined> {
  const lists = await Promise.all([roleBindings, clusterRoleBindings].map((kind) => virtual.list(kind, undefined)));
  return lists.flat().find(({ metadata }) => metadata.name.startsWith('kubeconfig-team-a-'));
}

describe('vcluster_kubeconfig_secret', () => {
  beforeAll(async () => {
    const dir = (role: string): string => controlPlaneDir(`kubeconfig-secret-${role}`);
    const options = { serviceCidr, scheduler: false, log: silent };
    planes = await Promise.all([
      startControlPlane({ ...options, dir: dir('host'), role: 'host' }),
      startControlPlane({ ...options, dir: dir('virtual'), role: 'virtual' }),
    ]);
    host = await openHost({ kubeconfig: planes[0].kubeconfigPath });
    virtual = await openHost({ kubeconfig: planes[1].kubeconfigPath });
    for (const name of ['team', 'ci']) await host.create(namespaces, undefined, { metadata: { name } });
    const config = (await readFile(planes[1].kubeconfigPath)).toString('base64');
    await host.create(secrets, 'team', { metadata: { name: 'vc-team-a' }, data: { config } });
    const labels = { app: 'x' };
    const template = { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } };
    const spec = { replicas: 0, selector: { matchLabels: labels }, template };
    await host.create(statefulSets, 'team', { metadata: { name: 'team-a' }, spec });
    stack = await Stack.open(planes[0].kubeconfigPath);
  });

  afterAll(async () => {
    await stack?.[Symbol.asyncDispose]();
    host?.close();
    virtual?.close();
    await Promise.all((planes ?? []).map((plane) => plane.shutdown()));
  });

  test('gives a tenant exactly what its role allows, and is stable', async () => {
    await applied();
    expect(await asTenant('/api/v1/namespaces/default/pods')).toBe(200);
    expect(await asTenant('/api/v1/namespaces/default/secrets')).toBe(403);
    expect(await asTenant('/api/v1/namespaces/kube-system/pods')).toBe(403);
    await noChange();
  });

  test('no byte of the token is in the state or in a plan', async () => {
    await stack.plan(['-out=plan']);
    const token = parseKubeconfig(await content()).token ?? '';
    const parts = token.split('.');
    expect(parts).toHaveLength(3);
    for (const [path, text] of await stack.written()) {
      for (const part of parts.slice(1)) expect(text.includes(part), path).toBe(false);
    }
  });

  test.each([
    ['the Secret is deleted', () => host.delete(secrets, secretKey), 'Secret ci/team-a is gone'],
    [
      'the Secret is edited',
      () => host.patch(secrets, secretKey, { data: { config: 'e30=' } }),
      'Secret ci/team-a was edited',
    ],
    [
      'the binding is deleted',
      async () => {
        const { metadata } = (await binding()) ?? { metadata: { name: '' } };
        await virtual.delete(roleBindings, { namespace: 'default', name: metadata.name });
      },
      'RoleBinding kubeconfig-team-a-',
    ],
    [
      'the service account is deleted, and the token with it',
      () => virtual.delete(serviceAccounts, accountKey),
      'service account kube-system/ci inside is gone',
    ],
  ])('%s: the plan says so, apply repairs it', async (_what, harm, line) => {
    await harm();
    expect(await change()).toContain(line);
    await applied();
    expect(await asTenant('/api/v1/namespaces/default/pods')).toBe(200);
    await noChange();
  });

  test('less than a third of its life left: planned with the reason, then a new token', async () => {
    const path = join(stack.folder, 'terraform.tfstate');
    const state = (await stack.written()).get(path) ?? '';
    const before = await content();
    const hours = (count: number): string => new Date(Date.now() + count * 3_600_000).toISOString();
    const aged = state
      .replace(/"issued_at": "[^"]*"/, `"issued_at": "${hours(-3)}"`)
      .replace(/"expires_at": "[^"]*"/, `"expires_at": "${hours(1)}"`);
    await stack.writeFile('terraform.tfstate', aged);
    expect(await change()).toContain("less than a third of the token's life is left");
    await applied();
    expect(await content()).not.toBe(before);
    await noChange();
  });

  test('rotate_when_changed gives a new token', async () => {
    const before = await content();
    await applied({ rotate_when_changed: '{ release = "2" }' });
    expect(await content()).not.toBe(before);
    await noChange();
  });

  test('another role: the binding is made anew, also at another scope; labels come and go', async () => {
    await applied({ role: '{ name = "view" }', labels: '{ team = "a" }' });
    expect(await binding()).toMatchObject({ roleRef: { name: 'view' } });
    expect(await asTenant('/api/v1/namespaces/kube-system/pods')).toBe(200);
    expect((await host.tryGet(secrets, secretKey))?.metadata.labels).toEqual({ team: 'a' });
    await applied();
    expect(await asTenant('/api/v1/namespaces/kube-system/pods')).toBe(403);
    expect((await host.tryGet(secrets, secretKey))?.metadata.labels ?? {}).toEqual({});
  });

  test('as Argo CD wants it', async () => {
    await applied({ format: '"argocd"' });
    expect((await host.tryGet(secrets, secretKey))?.metadata.labels).toEqual({
      'argocd.argoproj.io/secret-type': 'cluster',
    });
    expect(await content('server')).toBe(planes[1].url);
    expect(JSON.parse(await content('config'))).toMatchObject({ bearerToken: expect.stringContaining('.') });
    await noChange();
  });

  test('bad input is refused at plan, at its place', async () => {
    await stack.write(hcl({ cluster_id: '"team-a"', format: '"argo"' }));
    const values = await stack.plan();
    expect(values.exitCode).toBe(1);
    expect(values.text).toContain('the id of a virtual cluster, "<host namespace>/<name>"');
    expect(values.text).toContain('Did you mean "argocd"?');
    await stack.write(hcl({ role: '{ kind = "Role", name = "x" }' }));
    const role = await stack.plan();
    expect(role.exitCode).toBe(1);
    expect(role.text).toContain('A Role is in a namespace');
  });

  test('a role or a namespace that is not there is named, and where to correct it', async () => {
    await stack.write(hcl({ role: '{ name = "nobody" }' }));
    const role = await stack.apply();
    expect(role.exitCode).toBe(1);
    expect(role.text).toContain('There is no ClusterRole "nobody" in the virtual cluster');
    await stack.write(hcl({ name: '"other"', service_account: '{ name = "ci", namespace = "nowhere" }' }));
    const namespace = await stack.apply();
    expect(namespace.exitCode).toBe(1);
    expect(namespace.text).toContain('There is no namespace "nowhere" in the virtual cluster');
    await stack.destroy();
  });

  test("a Secret that is somebody else's is left alone", async () => {
    await host.create(secrets, 'ci', { metadata: { name: 'team-a' }, data: { config: 'eA==' } });
    await stack.write(hcl());
    const said = await stack.apply();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain('Secret ci/team-a exists already on the host');
    expect(await content()).toBe('x');
    await stack.destroy();
    expect(await content()).toBe('x');
    await host.delete(secrets, secretKey);
  });

  test('destroy removes what was made, and a service account that was there before stays', async () => {
    await virtual.create(namespaces, undefined, { metadata: { name: 'theirs' } });
    const theirs = { namespace: 'theirs', name: 'mine' };
    await virtual.create(serviceAccounts, 'theirs', { metadata: { name: 'mine' } });
    await applied({ service_account: '{ name = "mine", namespace = "theirs" }' });
    expect((await stack.destroy()).exitCode).toBe(0);
    expect(await virtual.tryGet(serviceAccounts, theirs)).toBeDefined();
    await applied();
    expect(await virtual.tryGet(serviceAccounts, accountKey)).toBeDefined();
    expect((await stack.destroy()).exitCode).toBe(0);
    expect(await virtual.tryGet(serviceAccounts, accountKey)).toBeUndefined();
    expect(await binding()).toBeUndefined();
    expect(await host.tryGet(secrets, secretKey)).toBeUndefined();
  });

  test('a paused virtual cluster keeps nobody from planning or destroying, and what is left is said', async () => {
    await applied();
    const key = { namespace: 'team', name: 'team-a' };
    await host.patch(statefulSets, key, { metadata: { annotations: { 'loft.sh/paused': 'true' } } });
    const planned = await stack.plan();
    expect(planned.exitCode, planned.text).toBe(0);
    expect(planned.text).toContain('was checked on the host only');
    const said = await stack.destroy();
    expect(said.exitCode, said.text).toBe(0);
    expect(said.text).toContain('service account kube-system/ci is left');
    expect(await host.tryGet(secrets, secretKey)).toBeUndefined();
  });
});
