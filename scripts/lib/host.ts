/**
 * The cluster that virtual clusters are made in: the testbed of this machine, or the one that HOST_KUBECONFIG names. Brings the
 * testbed up and gives it the syncer's image; a given cluster is left as it is and pulls its images by itself.
 */
import { importImage, status, up } from '../../testbed/index.ts';
import type { Testbed } from '../../testbed/index.ts';
import { buildSyncerImage, syncerImageName } from './image.ts';
import { Kubectl } from './kubectl.ts';

/** A host cluster and the way to talk to it. */
export interface Host {
  readonly kubectl: Kubectl;
  /** False for a cluster that was given. */
  readonly isTestbed: boolean;
}

type Log = (line: string) => void;

/** Why no real node can run here, in words; undefined when one can, or when a cluster is given. */
export function hostProblem(): string | undefined {
  if (process.env['HOST_KUBECONFIG']) return undefined;
  if (process.platform !== 'linux') return `containers need Linux, and this is ${process.platform}`;
  if (process.getuid?.() !== 0) return `containers need root, and this is uid ${process.getuid?.()}`;
  return undefined;
}

/** Brings the host cluster up, or finds the one that is up. */
export async function findHost(kubectl: string, log: Log): Promise<Host> {
  return hostOf(await up({ nodes: 'real', log }), kubectl);
}

/** The host cluster if it is up. */
export async function tryFindHost(kubectl: string): Promise<Host | undefined> {
  const found = await status();
  return found && hostOf(found, kubectl);
}

/** Builds the syncer's image and puts it onto the testbed's node. */
export async function provideImage(host: Host, log: Log): Promise<void> {
  if (!host.isTestbed) {
    log(`the host cluster pulls ${syncerImageName} by itself`);
    return;
  }
  const { name, archive, reused } = await buildSyncerImage();
  await importImage(archive);
  log(`${name} ${reused ? 'was built already' : 'built'} and imported`);
}

function hostOf({ kubeconfig, nodes }: Testbed, kubectl: string): Host {
  return { kubectl: new Kubectl(kubectl, kubeconfig), isTestbed: nodes !== 'given' };
}
