/**
 * `vcluster_kubeconfig_secret` through its life with a real Terraform: made, looked at, repaired, rotated, changed, removed. What is known
 * of it and what nobody may know: kubeconfig-secret-state.kube.test.ts.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import { accountKey, roleBindings, secretKey, SecretStage } from './kubeconfig-secret-stage.ts';

const { namespaces, secrets, serviceAccounts, statefulSets } = kinds;

let stage: SecretStage;

describe('vcluster_kubeconfig_secret', () => {
  beforeAll(async () => {
    stage = await SecretStage.open('kubeconfig-secret');
  });

  afterAll(() => stage?.[Symbol.asyncDispose]());

  test('gives a tenant exactly what its role allows, where the virtual cluster says that it is, and is stable', async () => {
    await stage.applied();
    expect(parseKubeconfig(await stage.content()).server).toBe(stage.planes[1].url);
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/default/pods')).toBe(200);
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/default/secrets')).toBe(403);
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/kube-system/pods')).toBe(403);
    await stage.noChange();
  });

  test.each([
    ['the Secret is deleted', () => stage.host.delete(secrets, secretKey), 'Secret ci/team-a is gone'],
    [
      'the Secret is edited',
      () => stage.host.patch(secrets, secretKey, { data: { config: 'e30=' } }),
      'Secret ci/team-a was edited',
    ],
    [
      'the binding is deleted',
      async () => {
        const { metadata } = (await stage.binding()) ?? { metadata: { name: '' } };
        await stage.virtual.delete(roleBindings, { namespace: 'default', name: metadata.name });
      },
      'RoleBinding kubeconfig-team-a-',
    ],
    [
      'the service account is deleted, and the token with it',
      () => stage.virtual.delete(serviceAccounts, accountKey),
      'service account kube-system/ci inside is gone',
    ],
  ])('%s: the plan says so, apply repairs it', async (_what, harm, line) => {
    await harm();
    expect(await stage.change()).toContain(line);
    await stage.applied();
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/default/pods')).toBe(200);
    await stage.noChange();
  });

  test('less than a third of its life left: planned with the reason, then a new token', async () => {
    const path = join(stage.stack.folder, 'terraform.tfstate');
    const state = (await stage.stack.written()).get(path) ?? '';
    const before = await stage.content();
    const hours = (count: number): string => new Date(Date.now() + count * 3_600_000).toISOString();
    const aged = state
      .replace(/"issued_at": "[^"]*"/, `"issued_at": "${hours(-3)}"`)
      .replace(/"expires_at": "[^"]*"/, `"expires_at": "${hours(1)}"`);
    await stage.stack.writeFile('terraform.tfstate', aged);
    expect(await stage.change()).toContain("less than a third of the token's life is left");
    await stage.applied();
    expect(await stage.content()).not.toBe(before);
    await stage.noChange();
  });

  test('rotate_when_changed gives a new token', async () => {
    const before = await stage.content();
    await stage.applied({ rotate_when_changed: '{ release = "2" }' });
    expect(await stage.content()).not.toBe(before);
    await stage.noChange();
  });

  test('another role: the binding is made anew, also at another scope; labels come and go', async () => {
    await stage.applied({ role: '{ name = "view" }', labels: '{ team = "a" }' });
    expect(await stage.binding()).toMatchObject({ roleRef: { name: 'view' } });
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/kube-system/pods')).toBe(200);
    expect((await stage.host.tryGet(secrets, secretKey))?.metadata.labels).toEqual({ team: 'a' });
    await stage.applied();
    await expect.poll(() => stage.asTenant('/api/v1/namespaces/kube-system/pods')).toBe(403);
    expect((await stage.host.tryGet(secrets, secretKey))?.metadata.labels ?? {}).toEqual({});
  });

  test('as Argo CD wants it', async () => {
    await stage.applied({ format: '"argocd"' });
    expect((await stage.host.tryGet(secrets, secretKey))?.metadata.labels).toEqual({
      'argocd.argoproj.io/secret-type': 'cluster',
    });
    expect(await stage.content('server')).toBe(stage.planes[1].url);
    expect(JSON.parse(await stage.content('config'))).toMatchObject({ bearerToken: expect.stringContaining('.') });
    await stage.noChange();
  });

  test('bad input is refused at plan, at its place', async () => {
    const odd = { labels: '{ team = "not valid!" }', role: '{ name = ".." }' };
    await stage.stack.write(stage.hcl({ cluster_id: '"team-a"', format: '"argo"', ...odd }));
    const values = await stage.stack.plan();
    expect(values.exitCode).toBe(1);
    expect(values.text).toContain('the id of a virtual cluster, "<host namespace>/<name>"');
    expect(values.text).toContain('"not valid!" cannot be the value of a label');
    expect(values.text).toContain('It must be the name of a role');
    expect(values.text).toContain('Did you mean "argocd"?');
    await stage.stack.write(stage.hcl({ role: '{ kind = "Role", name = "x" }' }));
    const role = await stage.stack.plan();
    expect(role.exitCode).toBe(1);
    expect(role.text).toContain('A Role is in a namespace');
  });

  test('a role or a namespace that is not there is named, and where to correct it', async () => {
    await stage.stack.write(stage.hcl({ role: '{ name = "nobody" }' }));
    const role = await stage.stack.apply();
    expect(role.exitCode).toBe(1);
    expect(role.text).toContain('There is no ClusterRole "nobody" in the virtual cluster');
    await stage.stack.write(stage.hcl({ name: '"other"', service_account: '{ name = "ci", namespace = "nowhere" }' }));
    const namespace = await stage.stack.apply();
    expect(namespace.exitCode).toBe(1);
    expect(namespace.text).toContain('There is no namespace "nowhere" in the virtual cluster');
    await stage.stack.destroy();
  });

  test("a Secret that is somebody else's is left alone", async () => {
    await stage.host.create(secrets, 'ci', { metadata: { name: 'team-a' }, data: { config: 'eA==' } });
    await stage.stack.write(stage.hcl());
    const said = await stage.stack.apply();
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain('Secret ci/team-a exists already on the host');
    expect(await stage.content()).toBe('x');
    await stage.stack.destroy();
    expect(await stage.content()).toBe('x');
    await stage.host.delete(secrets, secretKey);
  });

  test('destroy removes what was made, and a service account that was there before stays', async () => {
    await stage.virtual.create(namespaces, undefined, { metadata: { name: 'theirs' } });
    const theirs = { namespace: 'theirs', name: 'mine' };
    await stage.virtual.create(serviceAccounts, 'theirs', { metadata: { name: 'mine' } });
    await stage.applied({ service_account: '{ name = "mine", namespace = "theirs" }' });
    expect((await stage.stack.destroy()).exitCode).toBe(0);
    expect(await stage.virtual.tryGet(serviceAccounts, theirs)).toBeDefined();
    await stage.applied();
    expect(await stage.virtual.tryGet(serviceAccounts, accountKey)).toBeDefined();
    expect((await stage.stack.destroy()).exitCode).toBe(0);
    expect(await stage.virtual.tryGet(serviceAccounts, accountKey)).toBeUndefined();
    expect(await stage.binding()).toBeUndefined();
    expect(await stage.host.tryGet(secrets, secretKey)).toBeUndefined();
  });

  test('a paused virtual cluster keeps nobody from planning or destroying, and what is left is said', async () => {
    await stage.applied();
    const key = { namespace: 'team', name: 'team-a' };
    await stage.host.patch(statefulSets, key, { metadata: { annotations: { 'loft.sh/paused': 'true' } } });
    const planned = await stage.stack.plan();
    expect(planned.exitCode, planned.text).toBe(0);
    expect(planned.text).toContain('was checked on the host only');
    const said = await stage.stack.destroy();
    expect(said.exitCode, said.text).toBe(0);
    expect(said.text).toContain('service account kube-system/ci is left');
    expect(await stage.host.tryGet(secrets, secretKey)).toBeUndefined();
  });
});
