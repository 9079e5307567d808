/** Fetches or builds the programs that tests with API servers start, before any test begins to count its time. */
import { controlPlanePrograms, resolveBinaries, toStderr } from '../../testbed/index.ts';

export async function setup(): Promise<void> {
  await resolveBinaries([...controlPlanePrograms, 'kwok', 'helm', 'terraform', 'tofu'], toStderr);
}
