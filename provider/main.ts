/**
 * The provider's process. Terraform starts it up to five times in one command, so nothing is loaded here before Terraform has its
 * answer: agreeing and listening need the wire alone, and the provider is loaded while Terraform connects.
 *
 * `--debug` is for people: it serves until Ctrl-C and prints the variable that makes Terraform use this process.
 */
import { serveProcess } from './wire/serve.ts';

const served = serveProcess({
  source: 'registry.terraform.io/cdktf-vcluster/vcluster',
  start: async (surroundings) => (await import('./provider.ts')).startProvider(surroundings),
});
// What is still open (a connection of a handler that was cut off) must not keep the process. It never rejects.
void served.then((exitCode) => process.exit(exitCode));
