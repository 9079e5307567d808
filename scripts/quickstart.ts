/**
 * The whole product in one command: a host cluster, a virtual cluster made in it by Terraform from a CDKTF stack, and an
 * application running inside. Ends with exit code 0 only when every step was seen to work; a second run goes on from what is
 * there. `--destroy` removes the stack and checks that nothing of it is left.
 */
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { findHost } from './lib/host.ts';
import type { Host } from './lib/host.ts';
import { Inside, kubeconfigOf, writeKubeconfig } from './lib/inside.ts';
import { Kubectl } from './lib/kubectl.ts';
import { leftovers } from './lib/leftovers.ts';
import { checkPrerequisites } from './lib/prerequisites.ts';
import { outFolder, quickstartStack, root, synthesise } from './lib/stack.ts';
import { explain, Story } from './lib/steps.ts';
import { deployApplication, execute, fetchByName, pairPods, readLogs } from './lib/story-inside.ts';
import { Terraform } from './lib/terraform.ts';

const team = { name: 'team-a', namespace: 'team-a' } as const;
const kubeconfigFile = join(outFolder, `${team.name}.kubeconfig`);

async function create(): Promise<void> {
  const story = new Story(7);
  const host = await prepareHost(story);
  await story.step('The virtual cluster, by Terraform from examples/quickstart/main.ts', () => applyStack(story, host));
  await using inside = await story.step('Inside the virtual cluster', () => lookInside(story, host));
  await story.step('An application in it', () => runApplication(story, inside));
  await story.step('The same pods on the host', () => lookFromOutside(story, host, inside));
  await goOn(story, host, inside.direct);
}

async function prepareHost(story: Story): Promise<Host> {
  const { kubectl } = await story.step('What this machine needs', async () => {
    const found = await checkPrerequisites(story.note);
    story.note(`node ${process.versions.node}, terraform ${found.terraformVersion}, kubectl at ${found.kubectl}`);
    return found;
  });
  return story.step('A host cluster with the syncer image', () => findHost(kubectl, story.note));
}

async function applyStack(story: Story, host: Host): Promise<void> {
  const folder = await synthesise(quickstartStack, host.kubectl.kubeconfig);
  story.note(`synthesised to ${relative(root, folder)}`);
  await using terraform = await Terraform.open(folder, host.kubectl.kubeconfig);
  await terraform.init();
  if ((await terraform.addresses()).length === 0) await host.refuseUnlessFit(team);
  await terraform.apply(story.note);
  story.show('terraform output', JSON.stringify(await terraform.outputs()));
}

async function lookInside(story: Story, host: Host): Promise<Inside> {
  const inside = await Inside.open(host.kubectl, team, kubeconfigFile);
  story.note(
    `kubeconfig from Secret ${team.namespace}/vc-${team.name}, ${inside.direct ? 'directly to its Service' : 'through a port-forward'}`,
  );
  for (const command of ['version', 'get namespaces', 'get nodes']) {
    story.show(`kubectl ${command}`, await inside.kubectl.run(command.split(' ')));
  }
  return inside;
}

async function runApplication(story: Story, { kubectl }: Inside): Promise<void> {
  story.show('kubectl apply -f examples/quickstart/web.yaml', await deployApplication(kubectl));
  const get = ['get', 'deployments,services,pods', '-n', 'default', '-o', 'wide'];
  story.show('kubectl get deployments,services,pods -o wide', await kubectl.run(get));
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
  const file = relative(process.cwd(), kubeconfigFile);
  if (!direct) {
    const config = await kubeconfigOf(host.kubectl, team);
    await writeKubeconfig(kubeconfigFile, config.replace(/^current-context:.*$/m, 'current-context: port-forward'));
  }
  const hostOption = `--kubeconfig ${host.kubectl.kubeconfig}`;
  const kubectl = await shortName(host.kubectl.binary);
  const lines = [
    ...(direct ? [] : [`${kubectl} ${hostOption} -n ${team.namespace} port-forward svc/${team.name} 8443:443 &`]),
    `export KUBECONFIG=${file}`,
    `${kubectl} get pods --all-namespaces            # inside the virtual cluster`,
    `${kubectl} create deployment more --image=docker.io/library/busybox:1.36 -- sleep 100000`,
    `${kubectl} ${hostOption} -n ${team.namespace} get pods   # the same on the host`,
    'npm run quickstart -- --destroy                  # remove the virtual cluster and all in it',
    ...(host.isTestbed ? ['npm run testbed -- down                          # remove the host cluster'] : []),
  ];
  story.chapter(`${team.name} is running. How to go on:`, lines);
}

async function destroy(): Promise<void> {
  const story = new Story(3);
  const host = await prepareHostForRemoval(story);
  await story.step('Removing the stack', async () => {
    const folder = await synthesise(quickstartStack, host.kubectl.kubeconfig);
    await using terraform = await Terraform.open(folder, host.kubectl.kubeconfig);
    await terraform.init();
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
