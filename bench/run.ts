/**
 * `npm run bench -- B2`, `npm run bench -- B2 --full`, `npm run bench -- all`: the benchmarks of bench/README.md at API level.
 * `npm run bench -- start [repeats]`: how long a release takes to start, at node level. Figures are printed and kept in
 * bench/results.md. `npm run bench -- provider`: the Terraform provider. `npm run bench -- tenants [count]`: a stack of many tenants.
 *
 *   --full             the long form: five pairs of turns, sizes of the benchmarks page
 *   --against=WHAT     naive (default), none, or NAME=COMMAND for any other syncer
 *   --pairs=N          instead of the form's own number of pairs
 *   --pods=N           instead of the form's own number of pods
 *   --node=FLAGS       further flags for Node in our own turn, such as --cpu-prof
 *   --stack=FORM       of `tenants`: only this form of stack (bench/tenants.ts)
 *   --print            prints and leaves bench/results.md alone
 */
import { parseArgs } from 'node:util';
import { toStderr } from '../testbed/index.ts';
import type { Benchmark, Form } from './benchmarks/benchmark.ts';
import { benchmarks } from './benchmarks/index.ts';
import { naive, ours, parseContender } from './harness/contenders.ts';
import type { Contender } from './harness/contenders.ts';
import { runRounds } from './harness/rounds.ts';
import type { Plan } from './harness/rounds.ts';
import { sectionOf } from './harness/table.ts';
import { benchProvider } from './provider.ts';
import { loadNow, record } from './results.ts';
import { benchStart } from './start.ts';
import { benchTenants } from './tenants.ts';

const fullPairs = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    full: { type: 'boolean', default: false },
    against: { type: 'string', default: 'naive' },
    pairs: { type: 'string' },
    pods: { type: 'string' },
    node: { type: 'string', default: '' },
    stack: { type: 'string' },
    print: { type: 'boolean', default: false },
  },
});

/** Those that are no comparison of syncers; the number is a count of repeats or of tenants. */
const others: Readonly<Record<string, (count: number | undefined) => Promise<void>>> = {
  start: benchStart,
  provider: () => benchProvider({ keep: !values.print }),
  tenants: (count) => benchTenants({ count, only: values.stack, keep: !values.print }),
};
const known = ['all', ...Object.keys(others), ...benchmarks.map(({ id }) => id)];

async function main(): Promise<void> {
  const [what, repeats] = positionals;
  if (what === undefined || !known.includes(what)) {
    throw new Error(`npm run bench -- WHAT [--full], with WHAT one of ${known.join(', ')}; got: ${what ?? 'nothing'}`);
  }
  const other = others[what];
  if (other !== undefined) return other(repeats === undefined ? undefined : Number(repeats));
  for (const benchmark of benchmarks) if (what === 'all' || what === benchmark.id) await bench(benchmark);
}

async function bench(benchmark: Benchmark): Promise<void> {
  const form: Form = values.full ? 'full' : 'short';
  const plan: Plan = {
    form,
    pairs: Number(values.pairs ?? (values.full ? fullPairs : 1)),
    pods: values.pods === undefined ? undefined : Number(values.pods),
    subject: await ours(values.node.split(' ').filter(Boolean)),
    other: otherOf(values.against),
  };
  const loadBefore = loadNow();
  const outcome = await runRounds(benchmark, plan, toStderr);
  const section = sectionOf(benchmark, plan, outcome);
  await record(section, loadBefore, { keep: !values.print });
}

function otherOf(against: string): Contender | undefined {
  if (against === 'none') return undefined;
  return against === 'naive' ? naive() : parseContender(against);
}

await main();
// Connections of clients would keep the process for a while.
process.exit(0);
