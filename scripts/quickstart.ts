/**
 * The whole product in one command: a host cluster, a virtual cluster made in it by Terraform from a CDKTF stack, and an
 * application running inside. Ends with exit code 0 only when every step was seen to work; a second run goes on from what is
 * there. `--destroy` removes the stack and checks that nothing of it is left.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { rm } from 'node:fs/promises';
import { preflight } from '../operations/preflight.ts';
import { findHost, provideImage, tryFindHost } from './lib/host.ts';
import type { Host } from './lib/host.ts';
import { Inside, kubeconfigOf, writeKubeconfig } from './lib/inside.ts';
import { leftovers } from './lib/leftovers.ts';
import { checkPrerequisites } from './lib/prerequisites.ts';
import type { Prerequisites } from './lib/prerequisites.ts';
import { openQuickstart } from './lib/quickstart-stack.ts';
import { outFolder, root } from './lib/stack.ts';
import { explain, Story } from './lib/steps.ts';
import { deployApplication, execute, fetchByName, pairPods, readLogs } from './lib/story-inside.ts';
import type { Terraform } from './lib/terraform.ts';

const team = { name: 'team-a', namespace: 'team-a' } as const;
const kubeconfigFile = join(outFolder, `${team.name}.kubeconfig`);

async function create(): Promise<void> {
  const story = new Story(8);
  const { host, terraform } = await prepareHost(story);
  await story.step('Is the host fit for it', () => checkHost(story, host));
  await story.step('Virtual cluster, by Terraform from examples/quickstart', () => applyStack(story, host, terraform));
  await using inside = await story.step('Inside the virtual cluster', () => lookInside(story, host));
  await story.step('An application in it', () => runApplication(story, inside));
  await story.step('The same pods on the host', () => lookFromOutside(story, host, inside));
  await goOn(story, host, inside.direct);
}

async function prepareHost(story: Story): Promise<{ readonly host: Host; readonly terraform: string }> {
  const { kubectl, terraform } = await story.step('What this machine needs', () => prerequisites(story));
  const host = await story.step('Host cluster', () => findHost(kubectl, story.note));
  await story.step('Image of the syncer', () => provideImage(host, story.note));
  return { host, terraform };
}

async function prerequisites(story: Story): Promise<Prerequisites> {
  const found = await checkPrerequisites(story.note);
  const { kubectl, terraform, terraformVersion } = found;
  story.note(`node ${process.versions.node}, terraform ${terraformVersion} at ${terraform}, kubectl at ${kubectl}`);
  return found;
}

async function checkHost(story: Story, host: Host): Promise<void> {
  const problems = await preflight({ kubeconfig: host.kubectl.kubeconfig, ...team });
  if (problems.length > 0) throw new Error(`Nothing was changed. ${problems.join('\n')}`);
  story.note(`it can run a virtual cluster, this account may make one, and namespace ${team.namespace} holds no other`);
}

async function applyStack(story: Story, host: Host, binary: string): Promise<void> {
  const { kubeconfig } = host.kubectl;
  await using terraform = await openQuickstart({ binary, kubeconfig, note: story.note });
  await refuseForeignNamespace(host, terraform);
  await terraform.apply(story.note);
  story.show('terraform output', JSON.stringify(await terraform.outputs()));
}

/** Terraform would say so as well, but not what to do about it. */
async function refuseForeignNamespace(host: Host, terraform: Terraform): Promise<void> {
  if ((await terraform.addresses()).length > 0) return;
  if ((await host.kubectl.tryGet('namespace', team.namespace)) === undefined) return;
  const state = relative(root, join(terraform.folder, 'terraform.tfstate'));
  throw new Error(
    `The host has a namespace ${team.namespace} that is not known to this stack (${state} is empty or gone). ` +
      `Nothing was changed. If it is left from an earlier quickstart, remove it and run this again:\n` +
      `  ${host.kubectl.binary} --kubeconfig=${host.kubectl.kubeconfig} delete namespace ${team.namespace}`,
  );
}

async function lookInside(story: Story, host: Host): Promise<Inside> {
  const inside = await Inside.open(host.kubectl, team, kubeconfigFile);
  story.note(
    `kubeconfig from Secret ${team.namespace}/vc-${team.name}, ${inside.direct ? 'directly to its Service' : 'through a port-forward'}`,
  );
  for (const command of ['version', 'get namespaces']) {
    story.show(`kubectl ${command}`, await inside.kubectl.run(command.split(' ')));
  }
  return inside;
}

async function runApplication(story: Story, { kubectl }: Inside): Promise<void> {
  story.show('kubectl apply -f examples/quickstart/web.yaml', await deployApplication(kubectl));
  const get = ['get', 'deployments,services,pods', '-n', 'default', '-o', 'wide'];
  story.show('kubectl get deployments,services,pods -o wide', await kubectl.run(get));
  story.show('kubectl get nodes', await kubectl.run(['get', 'nodes']));
  for (const url of ['http://web/index.html', 'http://web.default.svc.cluster.local/index.html']) {
    story.show(`kubectl exec client -- wget -qO- ${url}`, await fetchByName(kubectl, url));
  }
  story.show('kubectl logs -l app=web --prefix', await readLogs(kubectl, '/index.html'));
  story.show('kubectl exec deployment/web -- cat /page/index.html /etc/hostname', await execute(kubectl));
}

async function lookFromOutside(story: Story, host: Host, { kubectl }: Inside): Promise<void> {
  const pairs = await pairPods(kubectl, host.kubectl, team);
  story.show(
    `kubectl get pods -n ${team.namespace} -o wide   # on the host`,
    await host.kubectl.run(['get', 'pods', '-n', team.namespace, '-o', 'wide']),
  );
  story.note(`${pairs.length} of ${pairs.length} pods of the virtual cluster's namespace "default" run here`);
}

/** What the reader can do next; with the kubeconfig as the tenant would get it where a port-forward is needed. */
async function goOn(story: Story, host: Host, direct: boolean): Promise<void> {
  if (!direct) {
    const config = await kubeconfigOf(host.kubectl, team);
    await writeKubeconfig(kubeconfigFile, config.replace(/^current-context:.*$/m, 'current-context: port-forward'));
  }
  const { binary, kubeconfig } = host.kubectl;
  const onHost = `${binary} --kubeconfig=${kubeconfig} -n ${team.namespace}`;
  const inVirtual = `${binary} --kubeconfig=${relative(process.cwd(), kubeconfigFile)}`;
  const portForward = direct ? [] : [`${onHost} port-forward svc/${team.name} 8443:443 &`];
  story.ending(`${team.name} is running. How to go on:`, {
    'look inside': [...portForward, `${inVirtual} get pods --all-namespaces`],
    'change it': [`${inVirtual} scale deployment web --replicas=3`],
    'see it on the host': [`${onHost} get pods`],
    'read the program': ['examples/quickstart/main.ts'],
    'remove the virtual cluster': ['npm run quickstart -- --destroy'],
    ...(host.isTestbed && { 'remove the host cluster': ['npm run testbed -- down'] }),
  });
}

async function destroy(): Promise<void> {
  const story = new Story(3);
  const { kubectl, terraform: binary } = await story.step('What this machine needs', () => prerequisites(story));
  const host = await tryFindHost(kubectl);
  if (host === undefined) {
    story.note('No host cluster is up, so nothing of the quickstart is there.');
    return;
  }
  await story.step('Removing the stack', async () => {
    const { kubeconfig } = host.kubectl;
    await using terraform = await openQuickstart({ binary, kubeconfig, note: story.note });
    await terraform.destroy(story.note);
  });
  await story.step('Looking for anything left on the host', async () => {
    const left = await leftovers(host.kubectl, team.namespace);
    if (left.length > 0) throw new Error(`Still there in namespace ${team.namespace}: ${left.join(', ')}`);
    story.note(`nothing is left: every namespaced kind listed in ${team.namespace}, and no volume of it`);
  });
  await rm(kubeconfigFile, { force: true });
}

try {
  const { values } = parseArgs({ options: { destroy: { type: 'boolean', default: false } } });
  await (values.destroy ? destroy() : create());
} catch (error) {
  process.stderr.write(`\nThe quickstart stopped at ${explain(error)}\n`);
  process.exitCode = 1;
}
