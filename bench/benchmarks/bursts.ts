/** B0 calibration, B2 burst, B4 cost of a pod's life. */
import { percentile } from '../harness/statistics.ts';
import { burst, costOf, direct, makeNamespaces, perLifecycle, removeAll, toldOf } from '../harness/scenes.ts';
import type { Cost } from '../harness/scenes.ts';
import type { Turn } from '../harness/stage.ts';
import { defineBenchmark } from './benchmark.ts';
import type { Benchmark, Figure, Measured, Size } from './benchmark.ts';

const namespaceCount = 10;

export const b0: Benchmark = defineBenchmark({
  id: 'B0',
  title: 'calibration',
  how: ({ pods }) => `${pods} pods straight to the host from 32 creators, with an idle contender beside it.`,
  sizes: { short: { pods: 500 }, full: { pods: 1_000 } },
  figures: [
    { key: 'rate', what: 'pods Running and Ready', unit: 'pods/s' },
    { key: 'postP50', what: 'POST p50', unit: 'ms' },
    { key: 'postP99', what: 'POST p99', unit: 'ms' },
  ],
  measure: async (turn, { pods }) => {
    const { made, seconds } = await direct(turn, pods);
    const tookMs = made.map((each) => each.tookMs);
    const figures = { rate: pods / seconds, postP50: percentile(tookMs, 0.5), postP99: percentile(tookMs, 0.99) };
    return { calibration: seconds, figures };
  },
});

export const b2: Benchmark = defineBenchmark({
  id: 'B2',
  title: 'burst',
  how: ({ pods }) =>
    `${pods} pods with a token volume in ${namespaceCount} namespaces from 32 creators, all Running and Ready, then all deleted; ` +
    'beforehand the same straight to the host. Everything shares the machine.',
  sizes: { short: { pods: 400 }, full: { pods: 2_000 } },
  figures: [
    { key: 'ratio', what: 'time to the last pod Ready ÷ direct', unit: '×', aim: '≤ 1.8' },
    { key: 'seconds', what: 'time to the last pod Ready', unit: 's' },
    { key: 'direct', what: 'the same, direct', unit: 's' },
    { key: 'gone', what: 'time to the last pod gone', unit: 's' },
    ...costFigures('made', 'pod made', '', {}),
    ...costFigures('deleted', 'pod deleted', '', {}),
    { key: 'pss', what: 'PSS with all pods', unit: 'MiB' },
  ],
  measure: measureBurst,
});

export const b4: Benchmark = defineBenchmark({
  id: 'B4',
  title: 'cost',
  how: ({ pods }) =>
    `${pods} pods without and ${pods} with a token volume, made by 32 creators and deleted when all are Ready; whole lifecycles.`,
  sizes: { short: { pods: 300 }, full: { pods: 2_000 } },
  figures: [
    ...costFigures('bare', 'lifecycle without a token volume', '', { cpu: '≤ 3', writes: '≤ 5' }),
    ...costFigures('token', 'lifecycle with a token volume', '', { cpu: '≤ 3', writes: '≤ 7' }),
  ],
  measure: async (turn, { pods }) => {
    const calibration = (await direct(turn, Math.ceil(pods / 2))).seconds;
    const within = await makeNamespaces(turn, namespaceCount);
    const lives = (tag: string, token: boolean): Promise<Cost> =>
      costOf(turn, async () => {
        const { made } = await burst(turn, 'virtual', { count: pods, tag, namespaces: within, token });
        await removeAll(turn, 'virtual', made);
      });
    const bare = await lives('bare', false);
    const token = await lives('token', true);
    const figures = { ...perLifecycle('bare', bare, pods), ...perLifecycle('token', token, pods) };
    return { calibration, figures, note: toldOf(token) };
  },
});

async function measureBurst(turn: Turn, { pods }: Size): Promise<Measured> {
  const calibration = (await direct(turn, pods)).seconds;
  const within = await makeNamespaces(turn, namespaceCount);
  let result: Awaited<ReturnType<typeof burst>> | undefined;
  const made = await costOf(turn, async () => {
    result = await burst(turn, 'virtual', { count: pods, tag: 'burst', namespaces: within });
  });
  if (result === undefined) throw new Error('There was no burst.');
  const { pssMib } = await turn.subject.memory();
  const all = result.made;
  const startedMs = performance.now();
  let goneMs = Number.NaN;
  const deleted = await costOf(turn, async () => {
    await removeAll(turn, 'virtual', all);
    goneMs = performance.now();
  });
  const figures = {
    ratio: result.seconds / calibration,
    seconds: result.seconds,
    direct: calibration,
    gone: (goneMs - startedMs) / 1000,
    ...perLifecycle('made', made, pods),
    ...perLifecycle('deleted', deleted, pods),
    pss: pssMib,
  };
  return { calibration, figures, note: `made: ${toldOf(made)}. Deleted: ${toldOf(deleted)}` };
}

/** The rows of `perLifecycle`. */
export function costFigures(
  key: string,
  what: string,
  unit: string,
  aims: { readonly cpu?: string; readonly writes?: string },
): readonly Figure[] {
  return [
    { key: `${key}Cpu`, what: `CPU, ${what}`, unit: `ms${unit}`, ...(aims.cpu !== undefined && { aim: aims.cpu }) },
    { key: `${key}HostWrites`, what: `writes to the host, ${what}`, unit },
    { key: `${key}VirtualWrites`, what: `writes to the virtual side, ${what}`, unit },
    {
      key: `${key}Writes`,
      what: `writes to both, ${what}`,
      unit,
      ...(aims.writes !== undefined && { aim: aims.writes }),
    },
    { key: `${key}Events`, what: `events, ${what}`, unit },
    { key: `${key}Gets`, what: `GETs of single objects, ${what}`, unit },
  ];
}
