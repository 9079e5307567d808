/**
 * A host cluster that the user names instead of the testbed's own: it is only looked at.
 */
import { command } from './command.ts';
import { messageOf } from './errors.ts';
import { resolveBinary } from './binaries.ts';
import type { Log } from './log.ts';

/** Throws unless the kubeconfig reaches a cluster in which namespaces can be made; any authentication method works. */
export async function checkGivenHost(kubeconfig: string, log: Log): Promise<void> {
  const kubectl = await resolveBinary('kubectl', log);
  const base = ['--kubeconfig', kubeconfig, '--request-timeout=10s'];
  try {
    await command(kubectl, [...base, 'version']);
  } catch (error) {
    throw new Error(`HOST_KUBECONFIG names ${kubeconfig}, but its cluster does not answer: ${messageOf(error)}`, {
      cause: error,
    });
  }
  try {
    await command(kubectl, [...base, 'auth', 'can-i', 'create', 'namespaces', '--quiet']);
  } catch (error) {
    const why = 'the user of that kubeconfig may not create namespaces, which tests and examples do';
    throw new Error(`HOST_KUBECONFIG names ${kubeconfig}, but ${why}. Use one with cluster-admin rights`, {
      cause: error,
    });
  }
  log(`Host cluster: the one of HOST_KUBECONFIG (${kubeconfig})`);
}
