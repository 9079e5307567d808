/**
 * Entry point: the only file that knows all others, the only one that may end the process.
 *
 *   syncer pki     makes keys and certificates before the control plane starts (init container)
 *   syncer run     syncs, until it is told to stop
 *   syncer hosts   writes the hosts file of a tenant's pod (init container there)
 *
 * Each command loads only what it needs.
 */
import { ConfigurationError } from './model/errors.ts';

const [command = '', ...args] = process.argv.slice(2);

async function main(): Promise<void> {
  switch (command) {
    case 'pki':
      return (await import('./pki/main.ts')).pki(args);
    case 'run':
      return (await import('./run.ts')).run(args);
    case 'hosts':
      return (await import('./hosts/main.ts')).hosts(args);
    default:
      throw new ConfigurationError(`Unknown command "${command}". Known are: pki, run, hosts.`);
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const forPeople = error instanceof ConfigurationError ? error.message : (error as Error)?.stack;
    process.stderr.write(`${command === '' ? 'syncer' : `syncer ${command}`}: ${forPeople ?? String(error)}\n`);
    process.exit(1);
  },
);
