/** Fetches or builds the programs that tests with API servers start, before any test begins to count its time. */
import { resolveBinaries, toStderr } from '../../testbed/index.ts';

export async function setup(): Promise<void> {
  const controlPlane = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'kwok'] as const;
  await resolveBinaries([...controlPlane, 'helm', 'terraform', 'tofu'], toStderr);
}
