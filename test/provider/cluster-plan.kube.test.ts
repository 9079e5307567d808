/**
 * What `vcluster_cluster` says before anything is written, with a real Terraform against a real host API server without nodes.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { kinds } from '../../operations/host.ts';
import { run } from '../../scripts/lib/command.ts';
import { issueKubeconfig } from '../../testbed/index.ts';
import { makeNamespace, startStage } from '../operations/stage.ts';
import type { Stage } from '../operations/stage.ts';
import { clusterHcl as hcl, Workspace } from './cluster-workspace.ts';

let stage: Stage;
let workspace: Workspace;
let folder: string;

async function makeChart(name: string, version: string): Promise<string> {
  const chart = await mkdtemp(join(folder, 'chart-'));
  await writeFile(
    join(chart, 'Chart.yaml'),
    `apiVersion: v2\nname: ${name}\nversion: ${version}\nappVersion: ${version}\n`,
  );
  return chart;
}

beforeAll(async () => {
  stage = await startStage('cluster-plan');
  folder = await mkdtemp(join(tmpdir(), 'cluster-plan-'));
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
    ['a label', 'labels = { "team!" = "a" }', ['"team!" cannot be the key of a label']],
    ['a label of every one', 'labels = { release = "a" }', ['"release" is a label of every virtual cluster']],
    ['the value of a label', 'labels = { team = "a b" }', ['labels.team: "a b" cannot be the value of a label']],
    [
      'the key of an annotation',
      'namespace_annotations = { "team!" = "a" }',
      ['"team!" cannot be the key of an annotation'],
    ],
    [
      'an annotation of our own',
      'namespace_annotations = { "cdktf-vcluster/namespace-of" = "a" }',
      ['"cdktf-vcluster/namespace-of" is an annotation of the provider itself'],
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

  test('a helm that is none, at apply', async () => {
    const config = JSON.stringify(stage.plane.kubeconfigPath);
    workspace.configureProvider(`config_path = ${config}\n helm_path = "/bin/false"`);
    const said = await workspace.apply(hcl('no-helm'));
    await workspace.destroy();
    expect(said.exitCode, said.text).toBe(1);
    expect(said.text).toContain('The helm that helm_path names cannot be used');
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
    // It may be a resource of the same plan.
    expect(keeping.exitCode, keeping.text).toBe(2);
    const applied = await workspace.apply(hcl('it', 'namespace = "not-there"\n namespace_lifecycle = "keep"'));
    expect(applied.exitCode, applied.text).toBe(1);
    expect(applied.text).toMatch(/Error: The namespace is missing/);
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
    expect(planned.text).toContain('Warning: This account may not make a virtual cluster here');
    expect(planned.text).toContain('may not create namespaces');
    const applied = await workspace.apply(hcl('norights'));
    expect(applied.exitCode, applied.text).toBe(1);
    expect(applied.text).toMatch(/Error: .*namespaces/);
    expect(await stage.host.tryGet(kinds.namespaces, { name: 'norights' })).toBeUndefined();
    expect(await workspace.state()).toEqual({});
  });
});

describe('a host that cannot be asked', () => {
  test.each<[string, () => string, readonly string[]]>([
    ['nobody answers', () => 'host = "https://127.0.0.1:1"\n token = "x"', ['127.0.0.1:1', 'nothing listens there']],
    [
      'wrong context',
      () => `config_path = ${JSON.stringify(stage.plane.kubeconfigPath)}\n config_context = "prod"`,
      ['"prod"'],
    ],
    ['no kubeconfig', () => 'config_path = "/nowhere/config"', ['/nowhere/config']],
    [
      'wrong token',
      () => `host = ${JSON.stringify(stage.plane.url)}\n token = "x"\n insecure = true`,
      ['does not know this account', 'Log in again'],
    ],
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
