/** B1 trickle: what a single pod waits. B3 churn: whether a steady stream of lives is kept up with. */
import type { Side } from '../../syncer/model/side.ts';
import { clockMs } from '../harness/clock.ts';
import { makePod, paced, removePod } from '../harness/load.ts';
import type { Made } from '../harness/load.ts';
import { burst, costOf, direct, makeNamespaces, perLifecycle, removeAll } from '../harness/scenes.ts';
import type { Turn } from '../harness/stage.ts';
import { percentile } from '../harness/statistics.ts';
import { costFigures } from './bursts.ts';
import { defineBenchmark } from './benchmark.ts';
import type { Benchmark, Measured, Size } from './benchmark.ts';

const everyMs = 100;
/** What was asked for this close to the end may still be on its way without being a backlog. */
const backlogGraceMs = 1_000;
const drainMs = 60_000;
const calibrationPods = 200;

export const b1: Benchmark = defineBenchmark({
  id: 'B1',
  title: 'trickle',
  how: ({ pods }) =>
    `${pods} pods, one each ${everyMs} ms, from the answer of their creation to being seen Ready; beforehand as many straight to the host.`,
  sizes: { short: { pods: 100 }, full: { pods: 200 } },
  figures: [
    { key: 'addedP50', what: 'added to the host alone, p50', unit: 'ms', aim: '≤ 15' },
    { key: 'addedP99', what: 'added to the host alone, p99', unit: 'ms', aim: '≤ 60' },
    { key: 'p50', what: 'create → Ready in the virtual cluster, p50', unit: 'ms' },
    { key: 'p95', what: 'create → Ready in the virtual cluster, p95', unit: 'ms' },
    { key: 'p99', what: 'create → Ready in the virtual cluster, p99', unit: 'ms' },
    { key: 'hostP50', what: 'create → host pod seen, p50', unit: 'ms', aim: '≤ 15' },
    { key: 'hostP95', what: 'create → host pod seen, p95', unit: 'ms', aim: '≤ 25' },
    { key: 'directP50', what: 'create → Ready, host alone, p50', unit: 'ms' },
    { key: 'directP99', what: 'create → Ready, host alone, p99', unit: 'ms' },
  ],
  measure: async (turn, { pods }) => {
    const calibration = (await direct(turn, calibrationPods, 'calibration')).seconds;
    const alone = await trickle(turn, 'host', pods, turn.directNamespace);
    const [namespace = ''] = await makeNamespaces(turn, 1);
    const through = await trickle(turn, 'virtual', pods, namespace);
    const [added50, added99] = [0.5, 0.99].map(
      (share) => percentile(through.readyMs, share) - percentile(alone.readyMs, share),
    );
    const figures = {
      addedP50: added50 ?? Number.NaN,
      addedP99: added99 ?? Number.NaN,
      p50: percentile(through.readyMs, 0.5),
      p95: percentile(through.readyMs, 0.95),
      p99: percentile(through.readyMs, 0.99),
      hostP50: percentile(through.hostSeenMs, 0.5),
      hostP95: percentile(through.hostSeenMs, 0.95),
      directP50: percentile(alone.readyMs, 0.5),
      directP99: percentile(alone.readyMs, 0.99),
    };
    return { calibration, figures };
  },
});

/** Milliseconds from the answer of each creation. */
interface Trickle {
  readonly readyMs: readonly number[];
  readonly hostSeenMs: readonly number[];
}

async function trickle(turn: Turn, side: Side, count: number, namespace: string): Promise<Trickle> {
  const { observer, prefix } = turn;
  const ids = Array.from({ length: count }, (_, index) => `${prefix}-trickle-${side}-${index}`);
  const made = await paced(ids, everyMs, (id) => makePod(turn[side], id, { namespace, token: true }));
  await observer.untilReady(side, ids);
  const since = (of: Side, moment: 'readyMs' | 'seenMs'): readonly number[] =>
    made.map(({ id, answeredMs }) => (observer.sightings.at(of, id)[moment] ?? Number.NaN) - answeredMs);
  const result = { readyMs: since(side, 'readyMs'), hostSeenMs: since('host', 'seenMs') };
  await removeAll(turn, side, made);
  return result;
}

interface ChurnSize extends Size {
  readonly rate: number;
  readonly seconds: number;
}

export const b3: Benchmark = defineBenchmark<ChurnSize>({
  id: 'B3',
  title: 'churn',
  how: ({ pods, rate, seconds }) =>
    `${pods} standing pods; ${rate} pods made and the ${rate} oldest removed each second, for ${seconds} s.`,
  sizes: { short: { pods: 100, rate: 20, seconds: 15 }, full: { pods: 500, rate: 20, seconds: 300 } },
  figures: [
    { key: 'readyP50', what: 'create → Ready, p50', unit: 'ms' },
    { key: 'readyP99', what: 'create → Ready, p99', unit: 'ms' },
    { key: 'goneP50', what: 'delete → gone, p50', unit: 'ms' },
    { key: 'goneP99', what: 'delete → gone, p99', unit: 'ms' },
    { key: 'backlog', what: 'backlog at the end', unit: 'pods', aim: '0' },
    ...costFigures('churn', 'lifecycle', '', { cpu: '≤ 3', writes: '≤ 7' }),
  ],
  measure: async (turn, size) => {
    const calibration = (await direct(turn, calibrationPods, 'calibration')).seconds;
    const within = await makeNamespaces(turn, 5);
    const { made } = await burst(turn, 'virtual', { count: size.pods, tag: 'standing', namespaces: within });
    let churned: Measured['figures'] = {};
    const cost = await costOf(turn, async () => {
      churned = await churn(turn, made, size, within);
    });
    return { calibration, figures: { ...churned, ...perLifecycle('churn', cost, size.rate * size.seconds) } };
  },
});

interface Removed {
  readonly id: string;
  readonly askedMs: number;
}

async function churn(
  turn: Turn,
  standing: readonly Made[],
  { rate, seconds }: ChurnSize,
  within: readonly string[],
): Promise<Measured['figures']> {
  const { virtual, prefix, observer } = turn;
  const living = [...standing];
  const removed: Removed[] = [];
  const steps = Array.from({ length: rate * seconds }, (_, index) => index);
  const made = await paced(steps, 1000 / rate, async (index) => {
    const oldest = living.shift();
    if (oldest !== undefined) {
      void removePod(virtual, oldest).then((askedMs) => removed.push({ id: oldest.id, askedMs }));
    }
    const namespace = within[index % within.length] ?? '';
    const pod = await makePod(virtual, `${prefix}-churn-${index}`, { namespace, token: true });
    living.push(pod);
    return pod;
  });
  const endMs = clockMs();
  const stays = new Set(living.map(({ id }) => id));
  await observer.untilReady('virtual', [...stays], drainMs);
  const goneIds = [...standing, ...made].map(({ id }) => id).filter((id) => !stays.has(id));
  await observer.untilGone('virtual', goneIds, drainMs);
  return churnFigures(turn, { made, removed, endMs });
}

interface Churned {
  readonly made: readonly Made[];
  readonly removed: readonly Removed[];
  readonly endMs: number;
}

function churnFigures({ observer }: Turn, { made, removed, endMs }: Churned): Measured['figures'] {
  const { sightings } = observer;
  const ready = made.map(({ id, answeredMs }) => ({
    askedMs: answeredMs,
    doneMs: sightings.at('virtual', id).readyMs,
  }));
  const gone = removed.map(({ id, askedMs }) => ({ askedMs, doneMs: sightings.at('virtual', id).goneMs }));
  // A pod that was removed before it was Ready has no such moment; it is owed nothing.
  const readyMs = ready.flatMap(({ askedMs, doneMs }) => (doneMs === undefined ? [] : [doneMs - askedMs]));
  const goneMs = gone.map(({ askedMs, doneMs = Number.NaN }) => Math.max(0, doneMs - askedMs));
  const late = [...ready, ...gone].filter(
    ({ askedMs, doneMs }) => askedMs < endMs - backlogGraceMs && doneMs !== undefined && doneMs > endMs,
  );
  return {
    readyP50: percentile(readyMs, 0.5),
    readyP99: percentile(readyMs, 0.99),
    goneP50: percentile(goneMs, 0.5),
    goneP99: percentile(goneMs, 0.99),
    backlog: late.length,
  };
}
