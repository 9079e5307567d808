/**
 * What a pod's life costs, on two real API servers with kwok for a kubelet: the syncer's writes on each side (budget:
 * benchmarks.md §1), its CPU time, its memory, and what it does in a minute in which nothing happens. The syncer is the bundled
 * program of the image, with the log level of the chart.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildSyncerImage } from '../scripts/lib/image.ts';
import { namespaces, pods } from '../syncer/model/kubernetes.ts';
import type { Pod } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import type { Side } from '../syncer/model/side.ts';
import { idle } from '../test/support/census.ts';
import { until } from '../test/support/eventually.ts';
import { startPair, syncerUsers } from '../test/support/pair.ts';
import type { Pair } from '../test/support/pair.ts';
import { Audit, between } from './audit.ts';
import { cpuMs, memory } from './process.ts';
import type { Memory } from './process.ts';
import type { Row } from './results.ts';

/** As scripts/lib/image.ts leaves it beside the image. */
const program = join(import.meta.dirname, '../dist/image/syncer.mjs');
const podCount = 200;
const standingCount = 50;
const idleMs = 60_000;
/** Long enough for the garbage of the start to be collected. */
const settleMs = 15_000;
const namespace = 'bench';

interface Bench {
  readonly pair: Pair;
  readonly audits: Readonly<Record<Side, Audit>>;
}

interface Counts {
  readonly host: ReadonlyMap<string, number>;
  readonly virtual: ReadonlyMap<string, number>;
}

export async function lifecycles(): Promise<readonly Row[]> {
  await buildSyncerImage();
  const audits = { host: await Audit.of(syncerUsers.host), virtual: await Audit.of(syncerUsers.virtual) };
  const apiServerArgs = { host: audits.host.args, virtual: audits.virtual.args };
  const pair = await startPair('bench', { program, logLevel: 'info', apiServerArgs });
  try {
    return await measure({ pair, audits });
  } finally {
    await pair.stop();
  }
}

async function measure(bench: Bench): Promise<readonly Row[]> {
  const { pair } = bench;
  await pair.virtual.create(namespaces, { metadata: { name: namespace } });
  await idle(pair.syncer);
  await sleep(settleMs);
  const fresh = await memory(pidOf(pair));
  const without = await batch(bench, false);
  const withToken = await batch(bench, true);
  await create(pair, standingCount, true);
  const still = await quiet(bench);
  return [
    { what: 'syncer RSS · PSS, idle, nothing synced but DNS', figure: mib(fresh), aim: '≤ 90 MiB' },
    ...without,
    ...withToken,
    { what: `writes in an idle minute, ${standingCount} pods`, figure: still.writes, aim: '0' },
    { what: `syncer CPU in an idle minute, ${standingCount} pods`, figure: `${still.cpu} ms`, aim: '≤ 300 ms' },
    { what: `syncer RSS · PSS after ${2 * podCount} pods`, figure: mib(await memory(pidOf(pair))) },
  ];
}

/** Pods made, run and deleted, all at once: as many lifecycles as a burst has. */
async function batch(bench: Bench, token: boolean): Promise<readonly Row[]> {
  const { pair } = bench;
  const name = `pod ${token ? 'with' : 'without'} a token volume`;
  const [counts, cpu] = [await countsOf(bench), await cpuMs(pidOf(pair))];
  await create(pair, podCount, token);
  const [madeMs, middle] = [(await cpuMs(pidOf(pair))) - cpu, await countsOf(bench)];
  await removeAll(pair);
  const goneMs = (await cpuMs(pidOf(pair))) - cpu - madeMs;
  const end = await countsOf(bench);
  const all = differences(counts, end);
  const events = podCountOf(all.virtual, (what) => what.endsWith(' events'));
  const host = podCountOf(all.host, (what) => !what.endsWith(' events'));
  const virtual = podCountOf(all.virtual, (what) => !what.endsWith(' events'));
  process.stderr.write(
    `${name}, made: ${told(differences(counts, middle))}; deleted: ${told(differences(middle, end))}\n`,
  );
  return [
    {
      what: `writes, ${name}: host + virtual`,
      figure: `${host} + ${virtual} = ${round(host + virtual)}`,
      aim: token ? '≤ 7' : '≤ 5',
    },
    { what: `events, ${name}`, figure: String(events), aim: 'counted apart' },
    {
      what: `syncer CPU, ${name}: made + deleted`,
      figure: `${round(madeMs / podCount)} + ${round(goneMs / podCount)} ms`,
      aim: '≤ 3 ms',
    },
  ];
}

async function create(pair: Pair, count: number, token: boolean): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `pod-${index}`);
  await Promise.all(names.map((name) => pair.virtual.create(pods, podOf(name, token))));
  await until(
    'all pods to run',
    async () => (await podsOf(pair)).every(({ status }) => status?.phase === 'Running'),
    180_000,
  );
  await idle(pair.syncer);
}

async function removeAll(pair: Pair): Promise<void> {
  const found = await podsOf(pair);
  await Promise.all(
    found.map(({ metadata: { name, uid = '' } }) => pair.virtual.remove(pods, { namespace, name }, { uid })),
  );
  await until('all pods to go', async () => (await podsOf(pair)).length === 0, 180_000);
  await idle(pair.syncer);
}

async function quiet(bench: Bench): Promise<{ readonly writes: string; readonly cpu: number }> {
  const [counts, cpu] = [await countsOf(bench), await cpuMs(pidOf(bench.pair))];
  await sleep(idleMs);
  const { host, virtual } = differences(counts, await countsOf(bench));
  const writes = [...host.values(), ...virtual.values()].reduce((sum, count) => sum + count, 0);
  return {
    writes: writes === 0 ? '0' : `${writes}: ${told({ host, virtual })}`,
    cpu: (await cpuMs(pidOf(bench.pair))) - cpu,
  };
}

async function podsOf(pair: Pair): Promise<readonly Pod[]> {
  return (await pair.virtual.list(pods, { namespace }, AbortSignal.timeout(30_000))).items as readonly Pod[];
}

function podOf(name: string, token: boolean): KubeObject {
  const spec = { automountServiceAccountToken: token, containers: [{ name: 'main', image: 'none' }] };
  return { metadata: { name, namespace }, spec } as KubeObject;
}

async function countsOf({ audits }: Bench): Promise<Counts> {
  return { host: await audits.host.counts(), virtual: await audits.virtual.counts() };
}

function differences(before: Counts, after: Counts): Counts {
  return { host: between(before.host, after.host), virtual: between(before.virtual, after.virtual) };
}

function podCountOf(counts: ReadonlyMap<string, number>, wanted: (what: string) => boolean): number {
  const sum = [...counts].filter(([what]) => wanted(what)).reduce((total, [, count]) => total + count, 0);
  return round(sum / podCount);
}

function told({ host, virtual }: Counts): string {
  const side = (name: Side, counts: ReadonlyMap<string, number>): string =>
    `${name} ${[...counts].map(([what, count]) => `${what} ${count}`).join(', ') || 'nothing'}`;
  return `${side('host', host)}; ${side('virtual', virtual)}`;
}

function pidOf({ syncer: { pid } }: Pair): number {
  if (pid === undefined) throw new Error('The syncer does not run.');
  return pid;
}

function mib({ rssMib, pssMib }: Memory): string {
  return `${Math.round(rssMib)} · ${Math.round(pssMib)} MiB`;
}

function round(figure: number): number {
  return Math.round(figure * 100) / 100;
}
