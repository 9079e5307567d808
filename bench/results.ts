/**
 * bench/results.md: one section for each benchmark, each with the machine, date, versions and commit that its figures are of. A
 * benchmark that runs again replaces its own section and leaves the others.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { versions } from '../testbed/index.ts';

const execute = promisify(execFile);
const file = join(import.meta.dirname, 'results.md');
const title =
  '# Results\n\nWritten by `npm run bench`; budgets and targets are those of the benchmarks page of the design.\n';

export interface Row {
  readonly what: string;
  readonly figure: string;
  readonly aim?: string;
}

/** Prints figures and writes them into bench/results.md under a heading. `how` says in a sentence how they were got. */
export async function record(section: string, how: string, rows: readonly Row[]): Promise<void> {
  const table = rows.map(({ what, figure, aim = '' }) => `| ${what} | ${figure} | ${aim} |`);
  const text = [
    `## ${section}`,
    '',
    how,
    '',
    await circumstances(),
    '',
    '| what | figure | aim |',
    '| --- | --- | --- |',
    ...table,
  ];
  const body = `${text.join('\n')}\n`;
  process.stdout.write(`${body}\n`);
  await writeFile(file, replaced(await readFile(file, 'utf8').catch(() => title), section, body));
}

/** The text with one section in place of its former self, or at the end. */
export function replaced(text: string, section: string, body: string): string {
  const [head = '', ...sections] = text.split(/^(?=## )/m);
  const trimmed = sections.map((each) => `${each.trimEnd()}\n`);
  const at = trimmed.findIndex((each) => each.startsWith(`## ${section}\n`));
  const next = at < 0 ? [...trimmed, body] : trimmed.with(at, body);
  return [`${head.trimEnd()}\n`, ...next].join('\n');
}

async function circumstances(): Promise<string> {
  const { stdout: commit } = await execute('git', ['rev-parse', '--short', 'HEAD'], { cwd: import.meta.dirname });
  const { stdout: changes } = await execute('git', ['status', '--porcelain'], { cwd: import.meta.dirname });
  const processors = cpus();
  const machine = `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const state = `${commit.trim()}${changes.trim() === '' ? '' : ' and uncommitted changes'}`;
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  return `${machine} · ${date} UTC · commit ${state} · Node ${process.versions.node} · Kubernetes ${versions.kubernetes} · etcd ${versions.etcd}`;
}
