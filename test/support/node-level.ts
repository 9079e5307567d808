/**
 * Fetches or builds the programs of the tests before any of them begins to count its time, and leaves the machine as they found it: a
 * testbed that they brought up goes down with them, and brings its own programs.
 */
import { hostProblem } from '../../scripts/lib/host.ts';
import { down, resolveBinaries, status, toStderr, up } from '../../testbed/index.ts';

export async function setup(): Promise<() => Promise<void>> {
  await resolveBinaries(['kubectl', 'helm', 'terraform', 'tofu'], toStderr);
  const wasUp = process.env['HOST_KUBECONFIG'] !== undefined || (await status()) !== undefined;
  // The first file would wait for it in its own time, the others for the first one.
  if (hostProblem() === undefined) await up({ nodes: 'real', log: toStderr });
  return async () => {
    if (!wasUp) await down({ log: toStderr });
  };
}
