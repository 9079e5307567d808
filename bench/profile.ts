/**
 * A readable summary of a CPU profile as Node writes it (`--cpu-prof`): where the time went by folder, and by function alone and
 * with all that it called. The bundle must still be where it was. `node bench/profile.ts FILE.cpuprofile > bench/profiles/NAME.md`
 */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const rows = 25;

interface Frame {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
}

interface Node {
  readonly id: number;
  readonly callFrame: Frame;
  readonly children?: readonly number[];
}

interface Profile {
  readonly nodes: readonly Node[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const [file = ''] = process.argv.slice(2);
const profile = JSON.parse(await readFile(file, 'utf8')) as Profile;
const byId = new Map(profile.nodes.map((node) => [node.id, node]));
const selfOfNode = selfTimes(profile);
const idleMs = sum([...selfOfNode].filter(([id]) => nameOf(id) === '(idle)').map(([, ms]) => ms));
const busyMs = sum([...selfOfNode.values()]) - idleMs;
const bundles = new Map<string, readonly string[]>();
const self = new Map<string, number>();
const total = new Map<string, number>();
for (const [id, ms] of selfOfNode) add(self, nameOf(id), ms);
for (const root of roots(profile)) descend(root, new Set());

process.stdout.write(`Busy ${Math.round(busyMs)} ms, idle ${Math.round(idleMs)} ms.\n\n`);
process.stdout.write(table('By folder', folders()));
process.stdout.write(table('Alone', self));
process.stdout.write(table('With all that it called', total));

function selfTimes({ samples, timeDeltas }: Profile): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const [index, id] of samples.entries()) times.set(id, (times.get(id) ?? 0) + (timeDeltas[index] ?? 0) / 1000);
  return times;
}

/** Each function counts once on a path, however deep it calls itself. */
function descend(id: number, above: ReadonlySet<string>): number {
  const name = nameOf(id);
  const below = new Set([...above, name]);
  const children = byId.get(id)?.children ?? [];
  const ms = (selfOfNode.get(id) ?? 0) + sum(children.map((child) => descend(child, below)));
  if (!above.has(name)) add(total, name, ms);
  return ms;
}

function roots({ nodes }: Profile): readonly number[] {
  const called = new Set(nodes.flatMap(({ children = [] }) => children));
  return nodes.map(({ id }) => id).filter((id) => !called.has(id));
}

/** Self time by folder of the sources. */
function folders(): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const [id, ms] of selfOfNode) {
    const frame = byId.get(id)?.callFrame;
    if (frame !== undefined) add(times, folderOf(frame), ms);
  }
  return times;
}

function folderOf({ url, lineNumber, functionName }: Frame): string {
  if (url === '') return native(functionName);
  if (!url.startsWith('file:')) return "Node's own JavaScript (HTTP/2, TLS, streams, timers)";
  // esbuild writes the name of each source file above what it made of it.
  const above = linesOf(url).slice(0, lineNumber + 1);
  const source = above.findLast((line) => /^\/\/ (?:syncer|node_modules|config)\//.test(line));
  return source?.slice(3).split('/').slice(0, 2).join('/') ?? 'elsewhere';
}

function linesOf(url: string): readonly string[] {
  const known = bundles.get(url);
  if (known !== undefined) return known;
  const lines = readFileSync(fileURLToPath(url), 'utf8').split('\n');
  bundles.set(url, lines);
  return lines;
}

function native(functionName: string): string {
  return functionName.startsWith('(') && functionName !== '(anonymous)'
    ? functionName
    : 'native functions and microtasks';
}

function nameOf(id: number): string {
  const { functionName, url, lineNumber } = byId.get(id)?.callFrame ?? { functionName: '', url: '', lineNumber: 0 };
  const where = url === '' ? '' : ` ${url.split('/').at(-1) ?? ''}:${lineNumber + 1}`;
  return `${functionName === '' ? '(anonymous)' : functionName}${where}`;
}

function table(title: string, times: ReadonlyMap<string, number>): string {
  const lines = [...times]
    .filter(([name]) => name !== '(idle)')
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, rows)
    .map(([name, ms]) => `| ${name} | ${Math.round(ms)} | ${((ms / busyMs) * 100).toFixed(1)} |`);
  return [`## ${title}`, '', '| function | ms | % |', '| --- | --- | --- |', ...lines, '', ''].join('\n');
}

function add(times: Map<string, number>, name: string, ms: number): void {
  times.set(name, (times.get(name) ?? 0) + ms);
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
