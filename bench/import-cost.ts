/**
 * `node bench/import-cost.ts [repeats]`: what importing this package costs beyond the CDK itself, and how big it is. Each sample is a
 * process of its own, which imports the CDK first and then the package as it is published (dist/: `npm run build` before). With `--print`
 * bench/results.md is left alone.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { loadNow, record } from './results.ts';

const execute = promisify(execFile);
const root = join(import.meta.dirname, '..');

/** Milliseconds of one import: on the clock, and of the processor. */
interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Run in a process of its own; prints the cost of each import. */
const sampler = `
const costOf = async (name) => {
  const [wall, cpu] = [performance.now(), process.cpuUsage()];
  await import(name);
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - wall, cpuMs: (user + system) / 1000 };
};
console.log(JSON.stringify([await costOf('cdktf'), await costOf('cdktf-vcluster')]));
`;

async function sample(): Promise<readonly Cost[]> {
  const { stdout } = await execute(process.execPath, ['--input-type=module', '-e', sampler], { cwd: root });
  return JSON.parse(stdout);
}

async function packageSizeKiB(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'import-cost-'));
  try {
    await execute('npm', ['pack', '--pack-destination', folder, '--loglevel=error'], { cwd: root });
    const [file = ''] = await readdir(folder);
    return (await stat(join(folder, file))).size / 1024;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function median(values: readonly number[]): string {
  return (values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN).toFixed(0);
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { print: { type: 'boolean', default: false } },
});
const repeats = Number(positionals[0] ?? 15);
const loadBefore = loadNow();
const sizeKiB = await packageSizeKiB();
const samples: (readonly Cost[])[] = [];
for (let turn = 0; turn < repeats; turn += 1) samples.push(await sample());
const rows = ['cdktf', 'cdktf-vcluster, after cdktf'].map((what, index) => {
  const costs = samples.map((each) => each[index] ?? { wallMs: Number.NaN, cpuMs: Number.NaN });
  return [what, median(costs.map(({ wallMs }) => wallMs)), median(costs.map(({ cpuMs }) => cpuMs))];
});
await record(
  {
    title: 'Import of the constructs',
    how: `Median of ${repeats} processes, each importing the CDK and then this package. Budget: 50 ms beyond the CDK. The package that npm would publish has ${sizeKiB.toFixed(0)} KiB.`,
    table: { head: ['import of', 'ms', 'ms of processor'], rows },
  },
  loadBefore,
  { keep: !values.print },
);
