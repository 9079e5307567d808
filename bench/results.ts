/**
 * bench/results.md: one section for each benchmark and form, each with the machine, date, versions and commit that its figures are
 * of. A benchmark that runs again replaces its own section and leaves the others.
 */
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { versions } from '../testbed/index.ts';

const execute = promisify(execFile);
const file = join(import.meta.dirname, 'results.md');
const title =
  '# Results\n\nWritten by `npm run bench`; budgets and targets are those of the benchmarks page of the design.\n';

export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export interface Section {
  readonly title: string;
  /** How the figures were got, in a sentence or two. */
  readonly how: string;
  readonly table: Table;
  /** What no figure says. */
  readonly notes?: readonly string[];
}

/**
 * Prints a section and, unless told not to, keeps it in bench/results.md. `loadBefore` is what else the machine did, as the
 * kernel's average.
 */
export async function record(
  section: Section,
  loadBefore: number,
  { keep }: { readonly keep: boolean } = { keep: true },
): Promise<void> {
  const { title: heading, how, table, notes = [] } = section;
  const body = [
    `## ${heading}`,
    '',
    how,
    '',
    await circumstances(loadBefore),
    '',
    ...rendered(table),
    ...notes.flatMap((note) => ['', note]),
  ].join('\n');
  process.stdout.write(`${body}\n\n`);
  if (!keep) return;
  await writeFile(file, replaced(await readFile(file, 'utf8').catch(() => title), heading, `${body}\n`));
}

/** Other work on the machine over the last minute, in running processes. */
export function loadNow(): number {
  return loadavg()[0] ?? Number.NaN;
}

/** The text with one section in place of its former self, or at the end. */
export function replaced(text: string, section: string, body: string): string {
  const [head = '', ...sections] = text.split(/^(?=## )/m);
  const trimmed = sections.map((each) => `${each.trimEnd()}\n`);
  const at = trimmed.findIndex((each) => each.startsWith(`## ${section}\n`));
  const next = at < 0 ? [...trimmed, body] : trimmed.with(at, body);
  return [`${head.trimEnd()}\n`, ...next].join('\n');
}

function rendered({ head, rows }: Table): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

async function circumstances(loadBefore: number): Promise<string> {
  const commit = await git('rev-parse', '--short', 'HEAD');
  const changes = await git('status', '--porcelain');
  const processors = cpus();
  const machine = `${processors.length} × ${processors[0]?.model.trim() ?? 'unknown processor'}, ${Math.round(totalmem() / 2 ** 30)} GiB`;
  const state = `${commit.trim()}${changes.trim() === '' ? '' : ' and uncommitted changes'}`;
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  return [
    machine,
    `load before ${loadBefore.toFixed(1)}`,
    `${date} UTC`,
    `commit ${state}`,
    `Node ${process.versions.node}`,
    `Kubernetes ${versions.kubernetes}`,
    `etcd ${versions.etcd}`,
  ].join(' · ');
}

/** What git says; outside of a repository that nothing is known. */
async function git(...args: string[]): Promise<string> {
  const { stdout } = await execute('git', args, { cwd: import.meta.dirname }).catch(() => ({ stdout: 'unknown' }));
  return stdout;
}
