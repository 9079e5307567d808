/** What benchmarks have in common: bursts straight to the host and through a contender, their end, and what they cost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { namespaces } from '../../syncer/model/kubernetes.ts';
import type { Side } from '../../syncer/model/side.ts';
import { eventsOf, getsOf, told, writesOf } from './audit.ts';
import type { Call } from './audit.ts';
import { clockMs } from './clock.ts';
import { atOnce, creators, makePod, removePod } from './load.ts';
import type { Made } from './load.ts';
import { untilDefaultAccount } from './stage.ts';
import type { Turn } from './stage.ts';

const calmMs = 1_500;
const calmMaxMs = 120_000;

export interface Burst {
  readonly made: readonly Made[];
  /** From the first request to the last pod Running and Ready. */
  readonly seconds: number;
}

export interface BurstOptions {
  readonly count: number;
  /** Distinguishes the bursts of a turn. */
  readonly tag: string;
  readonly namespaces: readonly string[];
  readonly token?: boolean;
  /** Of how many config maps each pod mounts one. */
  readonly configMaps?: number;
  /** How long the last pod may take. */
  readonly limitMs?: number;
}

/** Namespaces in which pods are accepted. */
export async function makeNamespaces({ virtual }: Turn, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `bench-${index}`);
  for (const name of names) {
    if ((await virtual.get(namespaces, { namespace: '', name })) !== undefined) continue;
    await virtual.create(namespaces, { metadata: { name } });
  }
  for (const name of names) await untilDefaultAccount(virtual, name);
  return names;
}

/** Pods from 32 creators, on one side, until all are Running and Ready there. */
export async function burst(turn: Turn, side: Side, options: BurstOptions): Promise<Burst> {
  const { count, tag, namespaces: within, token = true, configMaps = 0, limitMs } = options;
  const ids = Array.from({ length: count }, (_, index) => `${turn.prefix}-${tag}-${index}`);
  const startedMs = clockMs();
  const made = await atOnce([...ids.entries()], creators, ([index, id]) =>
    makePod(turn[side], id, {
      namespace: within[index % within.length] ?? 'default',
      token,
      ...(configMaps > 0 && { configMap: `config-${index % configMaps}` }),
    }),
  );
  await turn.observer.untilReady(side, ids, limitMs);
  const readyMs = ids.map((id) => turn.observer.sightings.at(side, id).readyMs ?? Number.NaN);
  return { made, seconds: (readyMs.reduce((a, b) => Math.max(a, b), startedMs) - startedMs) / 1000 };
}

/** Removes pods as fast as 32 clients can; resolves when they are gone on both sides. */
export async function removeAll(turn: Turn, side: Side, made: readonly Made[]): Promise<void> {
  const ids = made.map(({ id }) => id);
  await atOnce(made, creators, (each) => removePod(turn[side], each));
  await turn.observer.untilGone(side, ids);
  if (side === 'virtual') await turn.observer.untilGone('host', ids);
}

/** B0: the same burst with nobody in between. What it leaves is gone when it returns. */
export async function direct(turn: Turn, count: number, tag = 'direct'): Promise<Burst> {
  const result = await burst(turn, 'host', { count, tag, namespaces: [turn.directNamespace] });
  await removeAll(turn, 'host', result.made);
  return result;
}

/** Waits until the contender asks neither side for anything any more. */
export async function calm({ audits, user }: Turn): Promise<void> {
  const counted = async (): Promise<number> =>
    writesOf(await audits.host.since(0, user)).length + writesOf(await audits.virtual.since(0, user)).length;
  const untilMs = clockMs() + calmMaxMs;
  for (let before = -1, now = await counted(); before !== now && clockMs() < untilMs; now = await counted()) {
    before = now;
    await sleep(calmMs);
  }
}

/** What a contender did and used from one moment to another. */
export interface Cost {
  readonly cpuMs: number;
  readonly calls: Readonly<Record<Side, readonly Call[]>>;
}

/** Measures what a task costs the contender, until it has calmed down again. */
export async function costOf(turn: Turn, task: () => Promise<void>): Promise<Cost> {
  const { subject, audits, user } = turn;
  const marks = { host: await audits.host.mark(), virtual: await audits.virtual.mark() };
  const beforeMs = await subject.cpuMs();
  await task();
  await calm(turn);
  return {
    cpuMs: (await subject.cpuMs()) - beforeMs,
    calls: {
      host: await audits.host.since(marks.host, user),
      virtual: await audits.virtual.since(marks.virtual, user),
    },
  };
}

/** Figures a lifecycle, under `<name>Cpu`, `<name>Writes`, `<name>Events`, `<name>Gets`. */
export function perLifecycle(
  name: string,
  { cpuMs, calls }: Cost,
  lifecycles: number,
): Readonly<Record<string, number>> {
  const all = [...calls.host, ...calls.virtual];
  return {
    [`${name}Cpu`]: cpuMs / lifecycles,
    [`${name}HostWrites`]: writesOf(calls.host).length / lifecycles,
    [`${name}VirtualWrites`]: writesOf(calls.virtual).length / lifecycles,
    [`${name}Writes`]: writesOf(all).length / lifecycles,
    [`${name}Events`]: eventsOf(all).length / lifecycles,
    [`${name}Gets`]: getsOf(all).length / lifecycles,
  };
}

export function toldOf({ calls }: Cost): string {
  const some = (side: Side): string => told(calls[side].filter(({ verb }) => verb !== 'watch' && verb !== 'list'));
  return `host: ${some('host')}; virtual: ${some('virtual')}`;
}
