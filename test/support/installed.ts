/** A virtual cluster on the real node, put there by Helm as a user does it, for tests that need one and do not care how it came. */
import { join } from 'node:path';
import { findHost, provideImage } from '../../scripts/lib/host.ts';
import { run } from '../../scripts/lib/command.ts';
import type { VirtualClusterAddress } from '../../scripts/lib/inside.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { root } from '../../scripts/lib/stack.ts';
import { resolveBinary, toStderr as log } from '../../testbed/index.ts';

export interface InstalledCluster extends AsyncDisposable {
  /** The host. */
  readonly kubectl: Kubectl;
  readonly ref: VirtualClusterAddress;
}

/**
 * Installs it into a new namespace, by default of its own name, and waits until it is ready. Disposing has the namespace removed and
 * does not wait for that: installing again does.
 *
 * @param namespaceLabels of the new namespace, `key=value`
 */
export async function installCluster(
  at: string | VirtualClusterAddress,
  helmArgs: readonly string[] = [],
  namespaceLabels: readonly string[] = [],
): Promise<InstalledCluster> {
  const ref = typeof at === 'string' ? { name: at, namespace: at } : at;
  const { name, namespace } = ref;
  const kubectl = await nodeHost();
  await kubectl.run(['delete', 'namespace', namespace, '--ignore-not-found']);
  await kubectl.run(['create', 'namespace', namespace]);
  if (namespaceLabels.length > 0) await kubectl.run(['label', 'namespace', namespace, ...namespaceLabels]);
  const helm = await resolveBinary('helm', log);
  const target = ['-n', namespace, '--kubeconfig', kubectl.kubeconfig];
  await run(helm, ['install', name, join(root, 'chart'), ...target, '--wait', ...helmArgs]);
  return {
    kubectl,
    ref,
    [Symbol.asyncDispose]: async () => {
      await kubectl.run(['delete', 'namespace', namespace, '--ignore-not-found', '--wait=false']);
    },
  };
}

/** The host with the syncer's image on its node. */
export async function nodeHost(): Promise<Kubectl> {
  const host = await findHost(process.env['KUBECTL'] ?? (await resolveBinary('kubectl', log)), log);
  await provideImage(host, log);
  return host.kubectl;
}
