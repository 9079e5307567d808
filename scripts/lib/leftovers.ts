/**
 * Looks for what a removed virtual cluster may have left on the host. Lists every namespaced kind that the host serves, so a
 * kind that nobody thought of is found too. Only reads.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Kubectl } from './kubectl.ts';

/** What a namespace of the host's own making holds, whoever lives in it; and events, which the host forgets by itself. */
const ofTheHost = /^(configmap\/kube-root-ca\.crt|serviceaccount\/default|event(\.events\.k8s\.io)?\/.*)$/;

/** Volumes are deleted by their provisioner some time after the claim: it starts a pod for each. */
const PATIENCE_MS = 180_000;

/** Everything of a virtual cluster that is still there, after some patience with what the host removes in its own time. */
export async function leftovers(host: Kubectl, namespace: string): Promise<readonly string[]> {
  const deadlineMs = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = [...(await inNamespace(host, namespace)), ...(await volumesOf(host, namespace))];
    if (found.length === 0 || Date.now() > deadlineMs) return found;
    await sleep(500);
  }
}

async function inNamespace(host: Kubectl, namespace: string): Promise<readonly string[]> {
  const names = await host.everythingIn(namespace);
  return names.filter((name) => !ofTheHost.test(name));
}

async function volumesOf(host: Kubectl, namespace: string): Promise<readonly string[]> {
  const text = await host.run([
    'get',
    'persistentvolumes',
    '-o',
    'jsonpath={range .items[*]}{.spec.claimRef.namespace}/{.metadata.name}{"\\n"}{end}',
  ]);
  const mine = text.split('\n').filter((line) => line.startsWith(`${namespace}/`));
  return mine.map((line) => `persistentvolume/${line.slice(namespace.length + 1)}`);
}
