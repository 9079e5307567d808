/**
 * The part of the quickstart that happens inside the virtual cluster and its mirror image on the host. Every function does one
 * thing, returns what it saw and throws when it did not see it, so that the story and its test cannot drift apart.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl, KubernetesObject } from './kubectl.ts';
import { root } from './stack.ts';

/** What the pages of the example say. */
export const greeting = 'hello from inside the virtual cluster';

/** kube-proxy and DNS follow a rollout by a moment. */
const PATIENCE_MS = 20_000;

const application = join(root, 'examples', 'quickstart', 'web.yaml');

/** Applies examples/quickstart/web.yaml and waits until two web servers and the client run. */
export async function deployApplication(inside: Kubectl): Promise<string> {
  // As in any new cluster: pods are refused until the controller manager has made the service account they run under.
  await inside.run(['wait', '-n', 'default', '--for=create', 'serviceaccount/default', '--timeout=60s']);
  const said = await inside.run(['apply', '-n', 'default', '-f', application]);
  await inside.run(['rollout', 'status', '-n', 'default', 'deployment/web', '--timeout=120s']);
  await inside.run(['wait', '-n', 'default', 'pod/client', '--for=condition=Ready', '--timeout=60s']);
  return said;
}

/** Asks for the page from another pod, by the Service's name; fails unless the right answer comes. */
export async function fetchByName(inside: Kubectl, url: string): Promise<string> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const result = await inside.attempt(['exec', '-n', 'default', 'client', '--', 'timeout', '3', 'wget', '-qO-', url]);
    if (result.exitCode === 0 && result.stdout.includes(greeting)) return result.stdout;
    if (Date.now() > deadlineMs)
      throw new Error(`A pod could not fetch ${url}: ${(result.stderr || result.stdout).trim()}`);
    await sleep(500);
  }
}

/** The web servers' logs; fails unless a request for `page` is in them (probes ask for another one). */
export async function readLogs(inside: Kubectl, page: string): Promise<string> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const logs = await inside.run(['logs', '-n', 'default', '--selector=app=web', '--prefix', '--tail=200']);
    const requests = logs.split('\n').filter((line) => line.includes(page));
    if (requests.length > 0) return requests.slice(-2).join('\n');
    if (Date.now() > deadlineMs) throw new Error(`No request for ${page} is in the web servers' logs:\n${logs}`);
    await sleep(500);
  }
}

/** Runs a command in one of the web servers. */
export function execute(inside: Kubectl): Promise<string> {
  return inside.run(['exec', '-n', 'default', 'deployment/web', '--', 'cat', '/page/index.html', '/etc/hostname']);
}

/** A tenant's pod and the one on the host that runs it. */
export interface PodPair {
  readonly virtual: string;
  readonly host: string;
}

/** Finds each pod of the virtual cluster's default namespace on the host; fails when one is not there or does not run. */
export async function pairPods(
  inside: Kubectl,
  host: Kubectl,
  address: { name: string; namespace: string },
): Promise<readonly PodPair[]> {
  const hostPods = new Map((await host.list('pods', address.namespace)).map((pod) => [pod.metadata.name, pod]));
  const virtualPods = await inside.list('pods', 'default');
  return virtualPods.map((pod) => {
    const name = `${pod.metadata.name}-x-default-x-${address.name}`;
    const twin = hostPods.get(name);
    if (!isRunning(twin))
      throw new Error(`Pod ${pod.metadata.name} should run on the host as ${address.namespace}/${name}, but does not`);
    return { virtual: pod.metadata.name, host: name };
  });
}

function isRunning(pod: KubernetesObject | undefined): boolean {
  return pod?.status?.['phase'] === 'Running';
}
