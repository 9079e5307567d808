/**
 * The quickstart's story as assertions, on a real node with the real chart, image and Terraform providers, through the same
 * functions as scripts/quickstart.ts. The tests of this file build on each other, in order: a virtual cluster is applied, used,
 * planned again and destroyed.
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { preflight } from '../operations/preflight.ts';
import { findHost, hostProblem, provideImage } from '../scripts/lib/host.ts';
import { kubeconfigOf, TUNNEL_PATIENCE_MS, writeKubeconfig } from '../scripts/lib/inside.ts';
import { Kubectl } from '../scripts/lib/kubectl.ts';
import type { PortForward } from '../scripts/lib/kubectl.ts';
import { leftovers } from '../scripts/lib/leftovers.ts';
import { checkPrerequisites } from '../scripts/lib/prerequisites.ts';
import { root, synthesise } from '../scripts/lib/stack.ts';
import { deployApplication, execute, fetchByName, greeting, pairPods, readLogs } from '../scripts/lib/story-inside.ts';
import { Terraform } from '../scripts/lib/terraform.ts';
import { toStderr as log } from '../testbed/index.ts';

const problem = hostProblem();
const own = { name: 'qs-own', namespace: 'qs-own' } as const;
const guest = { name: 'qs-guest', namespace: 'qs-shared' } as const;

let folder: string;
let host: Kubectl;
let terraform: Terraform;
let inside: Kubectl;
let tunnel: PortForward | undefined;

function stackOf(name: string, props?: object): Parameters<typeof synthesise>[0] {
  const program = join(root, 'test', 'support', 'two-clusters.ts');
  const env = { STACK: name, ...(props && { PROPS: JSON.stringify(props) }) };
  return { program, stack: name, outdir: join(folder, name), env };
}

async function removeNamespaces(of: Kubectl): Promise<void> {
  await of.run(['delete', 'namespace', own.namespace, guest.namespace, '--ignore-not-found']);
}

/** Everything long enough to be key material, in the forms in which it could stand in a file. */
async function secretWords(namespace: string, name: string): Promise<readonly string[]> {
  const secret = await host.tryGet('secret', name, namespace);
  const values = Object.values(secret?.data ?? {});
  expect(values.length).toBeGreaterThan(0);
  const texts = values.flatMap((value) => [value, Buffer.from(value, 'base64').toString('latin1')]);
  return texts.flatMap((text) => text.match(/[\w+/=-]{40,}/g) ?? []);
}

/** A pod of the host cluster that asks for `url` with the keys of the Secret and prints status and answer. */
function hostPod(url: string): object {
  const read = "const file = (key) => require('fs').readFileSync('/secret/' + key);";
  const tls = "{ca: file('certificate-authority'), cert: file('client-certificate'), key: file('client-key')}";
  const print = "(r) => { process.stdout.write(r.statusCode + ' '); r.pipe(process.stdout); }";
  const container = {
    name: 'node',
    image: 'ghcr.io/cdktf-vcluster/syncer:0.1.0',
    command: ['/usr/local/bin/node', '-e', `${read} require('https').get(${JSON.stringify(url)}, ${tls}, ${print})`],
    volumeMounts: [{ name: 'secret', mountPath: '/secret' }],
  };
  const volumes = [{ name: 'secret', secret: { secretName: `vc-${own.name}` } }];
  const spec = { restartPolicy: 'Never', containers: [container], volumes };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'host-client', namespace: own.namespace }, spec };
}

/** Applies a stack that must fail; returns what Terraform said, on one line. */
async function failedApply(props: object): Promise<string> {
  await using wrong = await Terraform.open(await synthesise(stackOf('wrong', props), host.kubeconfig), host.kubeconfig);
  await wrong.init();
  const said = await wrong.apply().then(() => 'applied', String);
  return said.replaceAll(/\s+/g, ' ');
}

/** A kubeconfig for a service account of the host that was granted nothing. */
async function accountWithoutRights(): Promise<string> {
  const file = join(folder, 'no-rights.kubeconfig');
  const config: { users: { user: object }[] } = JSON.parse(
    await host.run(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']),
  );
  const token = (await host.run(['create', 'token', 'default', '-n', guest.namespace])).trim();
  for (const entry of config.users) entry.user = { token };
  await writeFile(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}

describe.skipIf(problem !== undefined)(`quickstart${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'quickstart-'));
    const { kubectl } = await checkPrerequisites(log);
    const found = await findHost(kubectl, log);
    await provideImage(found, log);
    host = found.kubectl;
    await removeNamespaces(host);
    await host.run(['create', 'namespace', guest.namespace]);
    terraform = await Terraform.open(await synthesise(stackOf('two'), host.kubeconfig), host.kubeconfig);
    await terraform.init();
  });

  afterAll(async () => {
    await tunnel?.[Symbol.asyncDispose]();
    await terraform?.[Symbol.asyncDispose]();
    if (host !== undefined) await removeNamespaces(host);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('terraform apply makes both virtual clusters, ready', async () => {
    await terraform.apply(log);
    expect(await terraform.outputs()).toEqual({ namespace: own.namespace, secret: `vc-${own.name}` });
  });

  test('the kubeconfig of the Secret works from this machine through a port-forward', async () => {
    const file = join(folder, 'own.kubeconfig');
    tunnel = await host.portForward(own.namespace, own.name, 8443);
    await writeKubeconfig(file, await kubeconfigOf(host, own));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    inside = new Kubectl(host.binary, file, TUNNEL_PATIENCE_MS);
    await inside.run(['config', 'use-context', 'port-forward']);
    const namespaces = await inside.run(['get', 'namespaces', '-o', 'jsonpath={.items[*].metadata.name}']);
    expect(namespaces.split(' ').toSorted()).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system']);
  });

  test('the Secret gives a pod of the host cluster access, over verified TLS', async () => {
    const server = `https://${own.name}.${own.namespace}`;
    expect(await kubeconfigOf(host, own)).toMatch(new RegExp(`server: "?${server}(:443)?"?$`, 'm'));
    await host.run(['apply', '-f', '-'], { input: JSON.stringify(hostPod(`${server}/api/v1/namespaces`)) });
    const pod = ['pod/host-client', '-n', own.namespace];
    await host.run(['wait', ...pod, '--for=jsonpath={.status.phase}=Succeeded', '--timeout=60s']);
    expect(await host.run(['logs', ...pod])).toMatch(/^200 [\s\S]*"kube-system"/);
    await host.run(['delete', ...pod, '--now']);
  });

  test('a Deployment runs, its Service is reached by name, logs and exec work [POD-170]', async () => {
    await deployApplication(inside);
    expect(await fetchByName(inside, 'http://web/index.html')).toContain(greeting);
    expect(await fetchByName(inside, 'http://web.default.svc.cluster.local/index.html')).toContain(greeting);
    expect(await readLogs(inside, '/index.html')).toMatch(/index\.html/);
    expect(await execute(inside)).toMatch(/^hello from inside the virtual cluster\nweb-/);
  });

  test('each pod runs on the host under its host name, in the one host namespace [NAM-01]', async () => {
    const pairs = await pairPods(inside, host, own);
    expect(pairs).toHaveLength(3);
    const format = 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\\n"}{end}';
    const everywhere = (await host.run(['get', 'pods', '--all-namespaces', '-o', format])).split('\n');
    const tenantPods = everywhere.filter((place) => place.endsWith(`-x-default-x-${own.name}`));
    expect(tenantPods.toSorted()).toEqual(pairs.map((pair) => `${own.namespace}/${pair.host}`).toSorted());
  });

  test('a second plan and a second apply change nothing', async () => {
    const plan = await terraform.plan();
    expect(plan.text).toContain('No changes.');
    expect(plan.changes).toBe(false);
    const said: string[] = [];
    await terraform.apply((line) => said.push(line));
    expect(said.join('\n')).toMatch(/0 added, 0 changed, 0 destroyed/);
  });

  test('no byte of a key, certificate or token stands in state or plan', async () => {
    const planFile = join(folder, 'plan');
    await terraform.plan(planFile);
    const texts = [
      await readFile(join(terraform.folder, 'terraform.tfstate'), 'utf8'),
      await terraform.show(),
      await terraform.show(planFile),
    ];
    const words = [
      ...(await secretWords(own.namespace, `vc-${own.name}`)),
      ...(await secretWords(own.namespace, `${own.name}-certs`)),
    ];
    expect(words.length).toBeGreaterThan(20);
    for (const text of texts) expect(words.filter((word) => text.includes(word))).toEqual([]);
  });

  test.each([
    [
      'an unknown key',
      { values: { controlPlane: { statefulset: {} } } },
      /statefulset is not an option\. Did you mean controlPlane\.statefulSet\?/,
    ],
    ['a bad name', { name: 'Wrong' }, /The name "Wrong" cannot be used/],
    ['a name that is too long', { name: 'w'.repeat(64) }, /has 64 characters/],
    ['a version that does not exist', { kubernetesVersion: '1.36.99' }, /Kubernetes 1\.36\.99 does not exist/],
  ])('synthesis refuses %s', async (_what, props, message) => {
    await expect(synthesise(stackOf('wrong', props), host.kubeconfig)).rejects.toThrow(message);
  });

  test('a namespace that already holds a virtual cluster is refused, and nothing is made [NAM-13]', async () => {
    expect(await failedApply({ namespace: guest.namespace, namespaceLifecycle: 'keep' })).toContain(
      'Namespace "qs-shared" already holds the virtual cluster "qs-guest"',
    );
    const names = await host.everythingIn(guest.namespace);
    expect(names.filter((name) => name.includes('wrong'))).toEqual([]);
  });

  test('preflight refuses an account without enough rights, and a namespace that is taken', async () => {
    const kubeconfig = await accountWithoutRights();
    for (const namespace of ['qs-absent', guest.namespace]) {
      const problems = await preflight({ kubeconfig, name: 'wrong', namespace });
      expect(problems).toEqual([expect.stringContaining(`no rights in namespace "${namespace}"`)]);
    }
    const taken = { kubeconfig: host.kubeconfig, name: 'wrong', namespace: guest.namespace };
    expect(await preflight(taken)).toEqual([expect.stringMatching(/already holds the virtual cluster "qs-guest"/)]);
    expect(await preflight({ kubeconfig: host.kubeconfig, ...guest })).toEqual([]);
  });

  test('a namespace that exists is not taken over', async () => {
    expect(await failedApply({ namespace: guest.namespace })).toMatch(/namespaces "qs-shared" already exists/);
  });

  test('terraform destroy leaves nothing on the host', async () => {
    await tunnel?.[Symbol.asyncDispose]();
    await terraform.destroy(log);
    expect(await host.tryGet('namespace', own.namespace)).toBeUndefined();
    expect(await leftovers(host, own.namespace)).toEqual([]);
    expect(await leftovers(host, guest.namespace)).toEqual([]);
    expect(await terraform.addresses()).toEqual([]);
  });
});
