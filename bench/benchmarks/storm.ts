/** B8 status storm: host statuses that change faster than anybody needs to know; only the newest has to arrive. */
import { pods as podKind } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import { clockMs } from '../harness/clock.ts';
import { paced } from '../harness/load.ts';
import { burst, costOf, direct, makeNamespaces, toldOf } from '../harness/scenes.ts';
import type { Turn } from '../harness/stage.ts';
import { percentile } from '../harness/statistics.ts';
import { defineBenchmark } from './benchmark.ts';
import type { Benchmark, Size } from './benchmark.ts';

const calibrationPods = 200;

interface StormSize extends Size {
  readonly flips: number;
  readonly seconds: number;
}

export const b8: Benchmark = defineBenchmark<StormSize>({
  id: 'B8',
  title: 'status storm',
  how: ({ pods, flips, seconds }) =>
    `${pods} pods whose host status changes ${flips} times each within ${seconds} s, one after the other (restart counts).`,
  sizes: { short: { pods: 200, flips: 10, seconds: 12 }, full: { pods: 1_000, flips: 10, seconds: 60 } },
  figures: [
    { key: 'share', what: 'virtual status writes ÷ flips', unit: '', aim: '≤ 0.7' },
    { key: 'lagP50', what: 'last flip → seen in the virtual cluster, p50', unit: 'ms' },
    { key: 'lagP99', what: 'last flip → seen in the virtual cluster, p99', unit: 'ms' },
    { key: 'lost', what: 'pods whose last status did not arrive', unit: '', aim: '0' },
    { key: 'cpu', what: 'CPU a flip', unit: 'ms' },
  ],
  measure: async (turn, size) => {
    const calibration = (await direct(turn, calibrationPods)).seconds;
    const within = await makeNamespaces(turn, 5);
    const { made } = await burst(turn, 'virtual', { count: size.pods, tag: 'storm', namespaces: within });
    const ids = made.map(({ id }) => id);
    let lastMs = new Map<string, number>();
    const cost = await costOf(turn, async () => {
      lastMs = await storm(turn, ids, size);
      await turn.observer
        .until({
          side: 'virtual',
          ids,
          what: 'up to date',
          holds: ({ restarts }) => restarts === size.flips,
          limitMs: 30_000,
        })
        .catch(() => undefined);
    });
    const sights = ids.map((id) => ({ id, ...turn.observer.sightings.at('virtual', id) }));
    const arrived = sights.filter(({ restarts }) => restarts === size.flips);
    const lagMs = arrived.map(({ id, restartsMs = Number.NaN }) =>
      Math.max(0, restartsMs - (lastMs.get(id) ?? Number.NaN)),
    );
    const statusWrites = cost.calls.virtual.filter(({ resource, writes }) => writes && resource === 'pods/status');
    const figures = {
      share: statusWrites.length / (size.pods * size.flips),
      lagP50: percentile(lagMs, 0.5),
      lagP99: percentile(lagMs, 0.99),
      lost: sights.length - arrived.length,
      cpu: cost.cpuMs / (size.pods * size.flips),
    };
    return { calibration, figures, note: toldOf(cost) };
  },
});

/** When the last change of each pod was answered. */
async function storm(turn: Turn, ids: readonly string[], { flips, seconds }: StormSize): Promise<Map<string, number>> {
  const { host, hostNamespace: namespace, observer } = turn;
  const lastMs = new Map<string, number>();
  const statuses = new Map<string, NonNullable<Pod['status']>['containerStatuses']>();
  for (const pod of (await host.list(podKind, { namespace }, AbortSignal.timeout(60_000))).items as readonly Pod[]) {
    statuses.set(pod.metadata.name, pod.status?.containerStatuses);
  }
  const changes = Array.from({ length: flips }, (_, flip) => ids.map((id) => ({ id, count: flip + 1 }))).flat();
  await paced(changes, (seconds * 1000) / changes.length, async ({ id, count }) => {
    const { name = '' } = observer.sightings.at('host', id);
    const containerStatuses = statuses.get(name)?.map((status) => ({ ...status, restartCount: count }));
    await host.patch(podKind, { namespace, name }, { status: { containerStatuses } }, 'status');
    lastMs.set(id, clockMs());
  });
  return lastMs;
}
