/**
 * `vcluster_cluster` and its data sources with a real Terraform against a real host API server without nodes: everything that
 * needs no running pod. The life of a virtual cluster that runs: cluster.node.test.ts.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import { applyRelease, readRelease } from '../../operations/release.ts';
import { distinct, rightsToGrant, rightsToInstall } from '../../operations/rights.ts';
import { installForeign, kubeconfigOf, makeNamespace, startStage } from '../operations/stage.ts';
import type { Stage } from '../operations/stage.ts';
import { clusterHcl as hcl, Workspace } from './cluster-workspace.ts';

let stage: Stage;
let workspace: Workspace;

beforeAll(async () => {
  stage = await startStage('cluster');
});

afterAll(async () => {
  await stage?.stop();
});

beforeEach(async () => {
  workspace = await Workspace.open(stage.plane.kubeconfigPath);
});

afterEach(async () => {
  await workspace[Symbol.asyncDispose]();
});

describe('a creation that does not become ready', () => {
  test('says why, is tainted, is not protected, and is gone after a destruction', async () => {
    const more = 'deletion_protection = true\n timeouts = { create = "10s" }';
    const said = await workspace.apply(hcl('unready', more));
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('did not become ready within');
    expect(said.text).toContain('terraform untaint');
    const { 'vcluster_cluster.it': stored } = await workspace.state();
    expect(stored).toMatchObject({ tainted: true, values: { id: 'unready/unready', name: 'unready' } });
    const planned = await workspace.plan(hcl('unready', more));
    expect(planned.text).toContain('is tainted, so must be replaced');
    expect(planned.text).not.toContain('There is a virtual cluster');
    const destroyed = await workspace.destroy();
    expect(destroyed.exitCode, destroyed.text).toBe(0);
    expect(await stage.host.tryGet(kinds.namespaces, { name: 'unready' })).toBeUndefined();
  });

  test('keeps what was made when it is interrupted', async () => {
    const { process, ended } = await workspace.begin(hcl('broken-off'));
    await expect
      .poll(() => readRelease(stage.host, { namespace: 'broken-off', name: 'broken-off' }), { timeout: 60_000 })
      .toBeDefined();
    process.kill('SIGINT');
    const said = await ended;
    expect(said.exitCode, said.text).toBe(1);
    const { 'vcluster_cluster.it': stored } = await workspace.state();
    expect(stored, said.text).toMatchObject({ tainted: true, values: { id: 'broken-off/broken-off' } });
    const destroyed = await workspace.destroy();
    expect(destroyed.exitCode, destroyed.text).toBe(0);
    expect(await stage.host.tryGet(kinds.namespaces, { name: 'broken-off' })).toBeUndefined();
  });
});

describe('a release that is there already', () => {
  const ref = { namespace: 'imported', name: 'team' } as const;
  const values = {
    controlPlane: {
      distro: { k8s: { version: '1.36' } },
      syncer: { resources: { requests: { cpu: 2, memory: '96Mi' } } },
    },
    sync: { toHost: { pods: { translateImage: { 'a.B/c': 'd' }, schedulerNames: [] } } },
    global: { note: 'x' },
  };
  const written = `namespace = "imported"
    namespace_lifecycle = "keep"
    kubernetes_version = "1.36"
    labels = { tier = "gold" }
    control_plane = { syncer = { resources = { requests = { cpu = 2, memory = "96Mi" } } } }
    sync = { to_host = { pods = { translate_image = { "a.B/c" = "d" }, scheduler_names = [] } } }
    values = ["# not as it was written\\nglobal:\\n  note: x\\n"]`;

  beforeAll(async () => {
    await makeNamespace(stage.host, ref.namespace);
    await applyRelease(stage.host, { ...ref, values, labels: { tier: 'gold' } });
  });

  test('is not taken over by a creation, which says how to import it', async () => {
    const said = await workspace.apply(hcl('team', 'namespace = "imported"\n namespace_lifecycle = "keep"'));
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('terraform import <address of this resource> imported/team');
    expect(await workspace.state()).toEqual({});
  });

  test('is imported with its values as attributes; what is planned then is only to wait for it', async () => {
    await workspace.write(hcl('team', written));
    const imported = await workspace.run(['import', 'vcluster_cluster.it', 'imported/team']);
    expect(imported.exitCode, imported.text).toBe(0);
    const { 'vcluster_cluster.it': stored } = await workspace.state();
    expect(stored?.values).toMatchObject({
      id: 'imported/team',
      namespace_lifecycle: 'keep',
      kubernetes_version: '1.36',
      labels: { tier: 'gold' },
      control_plane: { distro: null, syncer: { resources: { requests: { cpu: '2' } } } },
      deletion_protection: false,
      pause: false,
    });
    const planned = await workspace.plan(hcl('team', written));
    // Without a node it is never ready, and that is all that is different.
    expect(planned.text).not.toMatch(/~ (sync|control_plane|values|labels|kubernetes_version) /);
    expect(planned.text).not.toMatch(/(sync|values|global|controlPlane)\.?\S*: .* → /);
  });

  test.each<[string, string, RegExp]>([
    [
      'a volume of another size',
      'control_plane = { stateful_set = { persistence = { volume_claim = { size = "9Gi" } } } }',
      /Kubernetes does not let the volume claims of a StatefulSet change/,
    ],
    [
      'another domain',
      'networking = { advanced = { cluster_domain = "x.local" } }',
      /certificates, DNS records and running pods/,
    ],
    ['an older minor', 'kubernetes_version = "1.35"', /a store that was written by a newer minor version/],
  ])('is replaced for %s, with the reason', async (_, more, reason) => {
    const keep = 'namespace = "imported"\n namespace_lifecycle = "keep"';
    await workspace.write(hcl('team', keep));
    await workspace.run(['import', 'vcluster_cluster.it', 'imported/team']);
    const said = await workspace.plan(hcl('team', `${keep}\n${more}`));
    expect(said.exitCode, said.text).toBe(2);
    expect(said.text).toContain('must be replaced');
    expect(said.text).toMatch(reason);
    expect(said.text).toContain('Everything in virtual cluster imported/team will be lost');
  });

  test('is replaced when its name or its namespace changes', async () => {
    await workspace.write(hcl('team', 'namespace = "imported"\n namespace_lifecycle = "keep"'));
    await workspace.run(['import', 'vcluster_cluster.it', 'imported/team']);
    const renamed = await workspace.plan(hcl('team-b', 'namespace = "imported"\n namespace_lifecycle = "keep"'));
    expect(renamed.text).toMatch(/name changes: its objects on the host carry the name/);
    const moved = await workspace.plan(hcl('team', 'namespace = "other"'));
    expect(moved.text).toMatch(/namespace changes: objects on the host cannot move/);
  });

  test('is not imported, nor found, when it is of another product', async () => {
    await makeNamespace(stage.host, 'foreign');
    await installForeign(stage, 'foreign');
    await workspace.write(hcl('foreign'));
    const imported = await workspace.run(['import', 'vcluster_cluster.it', 'foreign/foreign']);
    expect(imported.exitCode, imported.text).toBe(1);
    expect(imported.text).toMatch(/It is of the chart vcluster [\d.]+, which is none of this project\./);
    const found = await workspace.plan('data "vcluster_cluster" "it" { name = "foreign" }');
    expect(found.text).toContain('There is no virtual cluster foreign/foreign');
  });

  test.each([
    ['team', 'must be the namespace on the host and the name'],
    ['imported/none', 'There are: imported/team'],
  ])('is not found by the id %s', async (id, words) => {
    await workspace.write(hcl('team'));
    const said = await workspace.run(['import', 'vcluster_cluster.it', id]);
    expect(said.exitCode).toBe(1);
    expect(said.text).toContain(words);
  });

  test('is found by the data sources: by id, by name, by labels, by namespace', async () => {
    const applied = await workspace.apply(`
      data "vcluster_cluster" "by_id" { id = "imported/team" }
      data "vcluster_cluster" "by_name" {
        name      = "team"
        namespace = "imported"
      }
      data "vcluster_clusters" "gold" { labels = { tier = "gold", none = null } }
      data "vcluster_clusters" "none" { labels = { tier = "silver" } }
      data "vcluster_clusters" "there" { namespace = "imported" }
      data "vcluster_clusters" "elsewhere" { namespace = "default" }`);
    expect(applied.exitCode, applied.text).toBe(0);
    const state = await workspace.state();
    const one = { id: 'imported/team', name: 'team', namespace: 'imported', labels: { tier: 'gold' }, paused: false };
    const kubeconfig_secret = { name: 'vc-team', namespace: 'imported' };
    expect(state['data.vcluster_cluster.by_id']?.values).toMatchObject({ ...one, kubeconfig_secret });
    expect(state['data.vcluster_cluster.by_name']?.values).toMatchObject(one);
    const found = (name: string): unknown => state[`data.vcluster_clusters.${name}`]?.values['clusters'];
    expect(found('gold')).toMatchObject([one]);
    expect(found('there')).toMatchObject([one]);
    expect([found('none'), found('elsewhere')]).toEqual([[], []]);
  });

  test('is missed by a data source with words', async () => {
    const said = await workspace.plan('data "vcluster_cluster" "it" { name = "nobody" }');
    expect(said.text).toContain('There is no virtual cluster nobody/nobody');
    expect((await workspace.plan('data "vcluster_cluster" "it" {}')).text).toContain('Set `id`');
  });

  test('is looked at in vain with words while the host is down, and found again after it', async () => {
    const keep = 'namespace = "imported"\n namespace_lifecycle = "keep"';
    await workspace.write(hcl('team', keep));
    await workspace.run(['import', 'vcluster_cluster.it', 'imported/team']);
    await stage.plane.stop('kube-apiserver', 'SIGKILL');
    const down = await workspace.plan(hcl('team', keep));
    await stage.plane.start('kube-apiserver');
    await stage.plane.waitReady();
    expect(down.exitCode, down.text).toBe(1);
    expect(down.text).toMatch(/Error: The host cluster at \S+ cannot be reached/);
    expect(down.text).toContain('nothing listens there');
    expect((await workspace.plan(hcl('team', keep))).exitCode).toBe(2);
  });
});

test('an account with rights in one namespace alone can keep it: create, look, import, destroy', async () => {
  await makeNamespace(stage.host, 'fenced');
  // Just what is said to be needed, which is not to read the namespace itself.
  const rights = distinct([...rightsToInstall('fenced'), ...rightsToGrant('fenced')]);
  const rules = rights.map(({ group, resource, verb }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs: [verb],
  }));
  const kubeconfig = await kubeconfigOf(stage, 'fenced', 'fenced', rules);
  workspace.configureProvider(`config_path = ${JSON.stringify(kubeconfig)}`);
  const config = hcl('fenced', 'namespace_lifecycle = "keep"\n timeouts = { create = "5s" }');
  const created = await workspace.apply(config);
  // Without a node it is never ready; all else went well.
  expect(created.text).toContain('did not become ready within 5s');
  expect((await workspace.plan(config)).text).toContain('is tainted, so must be replaced');
  await workspace.run(['state', 'rm', 'vcluster_cluster.it']);
  const imported = await workspace.run(['import', 'vcluster_cluster.it', 'fenced/fenced']);
  expect(imported.exitCode, imported.text).toBe(0);
  expect((await workspace.state())['vcluster_cluster.it']?.values).toMatchObject({ namespace_lifecycle: 'keep' });
  const destroyed = await workspace.destroy();
  expect(destroyed.exitCode, destroyed.text).toBe(0);
  expect(await readRelease(stage.host, { namespace: 'fenced', name: 'fenced' })).toBeUndefined();
});
