/**
 * `vcluster_cluster` and its data sources with a real Terraform against a real host API server without nodes: everything that
 * needs no running pod. The life of a virtual cluster that runs: cluster.node.test.ts.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import { applyRelease, readRelease } from '../../operations/release.ts';
import { run } from '../../scripts/lib/command.ts';
import { issueKubeconfig } from '../../testbed/index.ts';
import { makeNamespace, startStage } from '../operations/stage.ts';
import type { Stage } from '../operations/stage.ts';
import { Workspace } from './cluster-workspace.ts';

let stage: Stage;
let workspace: Workspace;
let folder: string;

/** A virtual cluster as HCL. */
function hcl(name: string, more = ''): string {
  return `resource "vcluster_cluster" "it" {\n  name = "${name}"\n  ${more}\n}`;
}

async function makeChart(name: string, version: string): Promise<string> {
  const chart = await mkdtemp(join(folder, 'chart-'));
  await writeFile(
    join(chart, 'Chart.yaml'),
    `apiVersion: v2\nname: ${name}\nversion: ${version}\nappVersion: ${version}\n`,
  );
  return chart;
}

beforeAll(async () => {
  stage = await startStage('cluster');
  folder = await mkdtemp(join(tmpdir(), 'cluster-kube-'));
});

afterAll(async () => {
  await stage?.stop();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  workspace = await Workspace.open(stage.plane.kubeconfigPath);
});

afterEach(async () => {
  await workspace[Symbol.asyncDispose]();
});

describe('the plan of a creation', () => {
  test('knows what it can know, keeps the id unknown, and finds nothing in the way', async () => {
    const said = await workspace.plan(
      hcl('new', 'sync = { from_host = { nodes = { selector = { labels = { a = "b" } } } } }'),
    );
    expect(said.exitCode, said.text).toBe(2);
    expect(said.text).toMatch(/id += \(known after apply\)/);
    expect(said.text).toMatch(/endpoint += \(known after apply\)/);
    expect(said.text).toMatch(/namespace += "new"/);
    expect(said.text).toMatch(/labels += \{ \+ "a" = "b" \}/);
    expect(said.text).not.toMatch(/Warning|Error/);
  });

  test('is possible while the host cluster is not known', async () => {
    workspace.configureProvider('config_path = terraform_data.host.output');
    const said = await workspace.plan(`resource "terraform_data" "host" { input = "/x" }\n${hcl('new')}`);
    expect(said.exitCode, said.text).toBe(2);
    expect(said.text).not.toMatch(/Warning|Error/);
  });

  test('is possible while values are not known', async () => {
    const said = await workspace.plan(
      `resource "terraform_data" "it" { input = "x" }
       ${hcl('new', 'labels = { x = terraform_data.it.output }\n values = ["logging: {level: ${terraform_data.it.output}}"]')}`,
    );
    expect(said.exitCode, said.text).toBe(2);
  });
});

describe('bad input is refused at plan', () => {
  test.each<[string, string, readonly string[]]>([
    ['a word', 'logging = { level = "debig" }', ['logging.level must be one of', 'Did you mean "debug"?']],
    [
      'a version that is not supported',
      'kubernetes_version = "1.12"',
      ['Kubernetes 1.12 is not supported. Supported are'],
    ],
    ['a release that does not exist', 'kubernetes_version = "1.36.99"', ['Kubernetes 1.36.99 does not exist.']],
    ['a lifecycle', 'namespace_lifecycle = "adpot"', ['namespace_lifecycle = "adpot"', 'Did you mean "adopt"?']],
    ['a namespace', 'namespace = "Team_A"', ['namespace = "Team_A"', 'the name of a namespace']],
    [
      'a quantity',
      'control_plane = { syncer = { resources = { requests = { cpu = "lots" } } } }',
      ['control_plane.syncer.resources must be', 'map of quantities'],
    ],
    [
      'an operator of a toleration',
      'control_plane = { stateful_set = { scheduling = { tolerations = [{ operator = "Exist" }] } } }',
      ['control_plane.stateful_set.scheduling.tolerations[0].operator must be one of', 'Did you mean "Exists"?'],
    ],
    [
      'an option in values',
      'values = ["a: 1", "sync:\\n  toHost:\\n    pod: {}"]',
      ['Line 3: sync.toHost.pod is not an option. Did you mean sync.toHost.pods?'],
    ],
    [
      'a contradiction',
      'kubernetes_version = "1.36"\n values = ["controlPlane: {distro: {k8s: {version: \\"1.35\\"}}}"]',
      ['kubernetes_version is "1.36", and values[0] line 1 is "1.35"'],
    ],
    [
      'labels of a namespace that is not ours',
      'namespace_lifecycle = "keep"\n namespace_labels = { a = "b" }',
      ['namespace_labels would do nothing'],
    ],
    ['a duration', 'timeouts = { create = "5 minutes" }', ['a duration such as']],
    [
      'an attribute',
      'namespcae = "a"',
      ['An argument named "namespcae" is not expected here. Did you mean "namespace"?'],
    ],
    ['a chart', 'chart_path = "/nowhere"', ['/nowhere', 'no folder with a Helm chart']],
  ])('%s', async (_, more, words) => {
    const said = await workspace.plan(hcl('bad', more));
    expect(said.exitCode, said.text).toBe(1);
    for (const word of words) expect(said.text).toContain(word);
  });

  test('a name', async () => {
    const said = await workspace.plan(hcl('Bad_Name'));
    expect(said.text).toContain('The name "Bad_Name" cannot be used');
    expect((await workspace.plan(hcl(`n${'0'.repeat(60)}`))).text).toContain('has 61 characters');
  });

  test('a misspelt option inside of an object, which Terraform itself drops, leaves a warning', async () => {
    const said = await workspace.plan(hcl('new', 'sync = { from_host = { nods = {} } }'));
    expect(said.text).toContain('Nothing that is known is set in sync.from_host.');
    expect(said.text).toContain('Known here: nodes.');
  });

  test('a chart that is too old', async () => {
    const chart = await makeChart('vcluster', '0.0.1');
    const said = await workspace.plan(hcl('bad', `chart_path = ${JSON.stringify(chart)}`));
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('too old');
    expect(said.text).toContain('0.0.1');
  });

  test('a value that looks like a secret leaves a warning without the value', async () => {
    const token = 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl';
    const said = await workspace.plan(
      hcl('new', `control_plane = { service_monitor = { annotations = { t = "${token}" } } }`),
    );
    expect(said.text).toContain('controlPlane.serviceMonitor.annotations.t looks like a token');
  });
});

describe('what is on the host is looked at while planning', () => {
  test('a name that another release has', async () => {
    await makeNamespace(stage.host, 'taken');
    const chart = await makeChart('other', '1.2.3');
    await run(stage.helm, [
      'install',
      'taken',
      chart,
      '--namespace',
      'taken',
      '--kubeconfig',
      stage.plane.kubeconfigPath,
    ]);
    const said = await workspace.plan(hcl('taken', 'namespace_lifecycle = "adopt"'));
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toMatch(/taken.*chart "?other"?/);
  });

  test('a namespace that exists, and how to use it', async () => {
    await makeNamespace(stage.host, 'there');
    const said = await workspace.plan(hcl('it', 'namespace = "there"'));
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('Namespace "there" exists already');
    expect(said.text).toMatch(/"adopt".*"keep"/);
    const adopting = await workspace.plan(hcl('it', 'namespace = "there"\n namespace_lifecycle = "adopt"'));
    expect(adopting.exitCode, adopting.text).toBe(2);
    const keeping = await workspace.plan(hcl('it', 'namespace = "not-there"\n namespace_lifecycle = "keep"'));
    expect(keeping.text).toContain('Namespace "not-there" does not exist');
  });

  test('a namespace that is being deleted', async () => {
    await stage.host.create(kinds.namespaces, undefined, { metadata: { name: 'leaving' } });
    const finalizers = ['example.com/hold'];
    const configMap = { metadata: { name: 'hold', finalizers } };
    await stage.host.create(kinds.configMaps, 'leaving', configMap);
    await stage.host.delete(kinds.namespaces, { name: 'leaving' });
    const said = await workspace.plan(hcl('leaving'));
    await stage.host.patch(
      kinds.configMaps,
      { namespace: 'leaving', name: 'hold' },
      { metadata: { finalizers: null } },
    );
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('Namespace "leaving" is being deleted');
  });

  test('rights that are missing: a warning at plan, refused at apply before anything is written', async () => {
    const { plane } = stage;
    const server = { server: plane.url, pki: plane.pki, leaf: { commonName: 'nobody' } };
    const kubeconfig = await issueKubeconfig(plane.dir, 'nobody', server);
    workspace.configureProvider(`config_path = ${JSON.stringify(kubeconfig)}`);
    const planned = await workspace.plan(hcl('norights'));
    expect(planned.exitCode, planned.text).toBe(2);
    expect(planned.text).toMatch(/Warning: .*(may not|forbidden|rights)/i);
    const applied = await workspace.apply(hcl('norights'));
    expect(applied.exitCode, applied.text).toBe(1);
    expect(applied.text).toMatch(/Error: .*namespaces/);
    expect(await stage.host.tryGet(kinds.namespaces, { name: 'norights' })).toBeUndefined();
    expect(await workspace.state()).toEqual({});
  });
});

describe('a host that cannot be asked', () => {
  test.each<[string, () => string, readonly string[]]>([
    ['nobody answers', () => 'host = "https://127.0.0.1:1"\n token = "x"', ['127.0.0.1:1', 'refused']],
    [
      'wrong context',
      () => `config_path = ${JSON.stringify(stage.plane.kubeconfigPath)}\n config_context = "prod"`,
      ['"prod"'],
    ],
    ['no kubeconfig', () => 'config_path = "/nowhere/config"', ['/nowhere/config']],
    ['wrong token', () => `host = ${JSON.stringify(stage.plane.url)}\n token = "x"\n insecure = true`, ['401']],
  ])('%s: a warning at plan, an error at apply, with what to do', async (_, provider, words) => {
    workspace.configureProvider(provider());
    const planned = await workspace.plan(hcl('unasked'));
    expect(planned.exitCode, planned.text).toBe(2);
    expect(planned.text).toContain('The apply will look again, before it writes anything.');
    const applied = await workspace.apply(hcl('unasked'));
    expect(applied.exitCode, applied.text).toBe(1);
    for (const word of words) expect(applied.text.replaceAll(' ', '')).toContain(word.replaceAll(' ', ''));
    expect(await workspace.state()).toEqual({});
  });
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
    values = [jsonencode({ global = { note = "x" } })]`;

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
      data "vcluster_clusters" "gold" { labels = { tier = "gold" } }
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
});
