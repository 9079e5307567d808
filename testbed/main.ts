/**
 * `npm run testbed -- up|status|kubeconfig|down [--nodes real|kwok]`: a real Kubernetes on this machine for people.
 * Progress goes to standard error, results to standard output.
 */
import { parseArgs } from 'node:util';
import { messageOf } from './errors.ts';
import { toStderr } from './log.ts';
import { stateDir } from './paths.ts';
import { down, type Nodes, status, type Testbed, up } from './testbed.ts';

const usage = `Usage: npm run testbed -- <command> [--nodes real|kwok]

  up          start a Kubernetes cluster on this machine (or find the one that runs) and tell how to use it
  status      tell whether it runs
  kubeconfig  print the path of its kubeconfig, for KUBECONFIG=$(npm run -s testbed -- kubeconfig)
  down        remove it: processes, mounts, interfaces, iptables rules, data

  --nodes real   kubelet and containers (default; needs root on Linux)
  --nodes kwok   API servers only; pods become Running without running anything

HOST_KUBECONFIG=/path makes a cluster that you have the host instead.
`;

async function main(args: readonly string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { nodes: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    console.log(usage);
    return 0;
  }
  const [verb, ...rest] = positionals;
  if (rest.length > 0) return misused(`one command at a time, got: ${positionals.join(' ')}`);
  const run = verb === undefined ? undefined : verbs.get(verb);
  if (run === undefined) return misused(verb === undefined ? 'a command is missing' : `there is no command ${verb}`);
  return run(parseNodes(values.nodes));
}

const verbs: ReadonlyMap<string, (nodes: Nodes) => Promise<number>> = new Map([
  ['up', async (nodes: Nodes) => tell(await up({ nodes, log: toStderr }), describe)],
  ['status', async () => tell(await status(), describe)],
  ['kubeconfig', async () => tell(await status(), ({ kubeconfig }) => console.log(kubeconfig))],
  ['down', async () => down({ log: toStderr }).then(() => 0)],
]);

function parseNodes(value = 'real'): Nodes {
  if (value === 'real' || value === 'kwok') return value;
  throw new Error(`--nodes must be real or kwok, got: ${value}`);
}

function describe({ kubeconfig, nodes }: Testbed): void {
  console.log(`Up, with ${nodes === 'given' ? 'the nodes of the given cluster' : `${nodes} nodes`}.`);
  console.log(`  export KUBECONFIG=${kubeconfig}`);
  if (nodes !== 'given') console.log(`  logs: ${stateDir}/*/*.log\n  remove it: npm run testbed -- down`);
}

function tell(found: Testbed | undefined, print: (testbed: Testbed) => void): number {
  if (found !== undefined) {
    print(found);
    return 0;
  }
  console.error('No testbed is up. Start one: npm run testbed -- up');
  return 1;
}

function misused(why: string): number {
  console.error(`${why}\n\n${usage}`);
  return 2;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`Error: ${messageOf(error)}`);
  process.exitCode = 1;
}
