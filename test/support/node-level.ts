/** Leaves the machine as the node-level tests found it: a testbed that they brought up goes down with them. */
import { down, status } from '../../testbed/index.ts';

const log = (line: string): void => void process.stderr.write(`${line}\n`);

export async function setup(): Promise<() => Promise<void>> {
  const wasUp = process.env['HOST_KUBECONFIG'] !== undefined || (await status()) !== undefined;
  return async () => {
    if (!wasUp) await down({ log });
  };
}
