/** B5 steady state: what doing nothing costs. B6 slope: what a pod costs in memory. */
import { setTimeout as sleep } from 'node:timers/promises';
import { configMaps, services } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { eventsOf, told, writesOf } from '../harness/audit.ts';
import { atOnce, creators } from '../harness/load.ts';
import { burst, calm, direct, makeNamespaces } from '../harness/scenes.ts';
import type { Turn } from '../harness/stage.ts';
import { slope } from '../harness/statistics.ts';
import { defineBenchmark } from './benchmark.ts';
import type { Benchmark, Size } from './benchmark.ts';

const calibrationPods = 200;
const namespaceCount = 10;
const dataBytes = 1_000;

interface SteadySize extends Size {
  readonly configMaps: number;
  readonly services: number;
  readonly seconds: number;
}

export const b5: Benchmark = defineBenchmark<SteadySize>({
  id: 'B5',
  title: 'steady state',
  how: (size) =>
    `${size.pods} pods, ${size.configMaps} config maps of 1 kB that they mount, ${size.services} services; then ${size.seconds} s in which nobody asks for anything.`,
  sizes: {
    short: { pods: 300, configMaps: 100, services: 50, seconds: 30 },
    full: { pods: 3_000, configMaps: 1_000, services: 500, seconds: 600 },
  },
  figures: [
    { key: 'writes', what: 'writes', unit: '', aim: '0' },
    { key: 'cpu', what: 'CPU', unit: '% of a core', aim: '≤ 0.5' },
    { key: 'pss', what: 'PSS', unit: 'MiB' },
    { key: 'rss', what: 'RSS', unit: 'MiB' },
    { key: 'loopP99', what: 'event-loop delay p99, silence', unit: 'ms', aim: '≤ 50' },
    { key: 'loopMax', what: 'event-loop delay, longest, silence', unit: 'ms' },
    { key: 'buildP99', what: 'event-loop delay p99, while all of it was made', unit: 'ms', aim: '≤ 50' },
    { key: 'buildMax', what: 'event-loop delay, longest, while all of it was made', unit: 'ms' },
  ],
  measure: async (turn, size) => {
    const { subject, audits, user } = turn;
    const calibration = (await direct(turn, calibrationPods)).seconds;
    const build = await subject.loopDelayDuring(async () => {
      await furnish(turn, size);
      await calm(turn);
    });
    const marks = [await audits.host.mark(), await audits.virtual.mark()] as const;
    const beforeMs = await subject.cpuMs();
    const loop = await subject.loopDelayDuring(() => sleep(size.seconds * 1000));
    const cpu = (await subject.cpuMs()) - beforeMs;
    const calls = [...(await audits.host.since(marks[0], user)), ...(await audits.virtual.since(marks[1], user))];
    const { pssMib, rssMib } = await subject.memory();
    const figures = {
      writes: writesOf(calls).length + eventsOf(calls).length,
      cpu: cpu / (size.seconds * 10),
      pss: pssMib,
      rss: rssMib,
      loopP99: loop?.p99Ms ?? Number.NaN,
      loopMax: loop?.maxMs ?? Number.NaN,
      buildP99: build?.p99Ms ?? Number.NaN,
      buildMax: build?.maxMs ?? Number.NaN,
    };
    return { calibration, figures, note: `asked for meanwhile: ${told(calls)}` };
  },
});

async function furnish(turn: Turn, { pods, configMaps: maps, services: count }: SteadySize): Promise<void> {
  const within = await makeNamespaces(turn, namespaceCount);
  const range = (length: number): readonly number[] => Array.from({ length }, (_, index) => index);
  const at = (index: number): string => within[index % within.length] ?? '';
  await atOnce(range(maps), creators, (index) =>
    turn.virtual.create(configMaps, {
      metadata: { name: `config-${index}`, namespace: at(index) },
      data: { text: 'x'.repeat(dataBytes) },
    } as KubeObject),
  );
  await atOnce(range(count), creators, (index) =>
    turn.virtual.create(services, {
      metadata: { name: `service-${index}`, namespace: at(index) },
      spec: { selector: { app: 'bench' }, ports: [{ port: 80 }] },
    } as KubeObject),
  );
  // Both counts are multiples of the number of namespaces, so a pod and its config map share one.
  await burst(turn, 'virtual', { count: pods, tag: 'steady', namespaces: within, configMaps: maps });
}

interface SlopeSize extends Size {
  readonly steps: readonly number[];
  readonly settleSeconds: number;
}

export const b6: Benchmark = defineBenchmark<SlopeSize>({
  id: 'B6',
  title: 'slope of memory',
  how: ({ steps, settleSeconds }) =>
    `PSS and RSS with ${steps.join(', ')} pods, each ${settleSeconds} s after all were Ready; the slope by least squares.`,
  sizes: {
    short: { pods: 0, steps: [0, 300, 900], settleSeconds: 30 },
    full: { pods: 0, steps: [0, 1_000, 3_000, 10_000], settleSeconds: 30 },
  },
  figures: [
    { key: 'idle', what: 'RSS without pods', unit: 'MiB', aim: '≤ 90' },
    { key: 'idlePss', what: 'PSS without pods', unit: 'MiB' },
    { key: 'perPod', what: 'PSS a pod', unit: 'KiB', aim: '≤ 12' },
    { key: 'last', what: 'PSS at the last step', unit: 'MiB' },
  ],
  measure: async (turn, { steps, settleSeconds }) => {
    const calibration = (await direct(turn, calibrationPods)).seconds;
    const within = await makeNamespaces(turn, namespaceCount);
    const points: { readonly x: number; readonly y: number }[] = [];
    let idleRss = Number.NaN;
    for (const [index, step] of steps.entries()) {
      const present = points.at(-1)?.x ?? 0;
      await burst(turn, 'virtual', { count: step - present, tag: `step-${index}`, namespaces: within });
      await calm(turn);
      await sleep(settleSeconds * 1000);
      const { pssMib, rssMib } = await turn.subject.memory();
      if (step === 0) idleRss = rssMib;
      points.push({ x: step, y: pssMib });
    }
    const figures = {
      idle: idleRss,
      idlePss: points[0]?.y ?? Number.NaN,
      perPod: slope(points) * 1024,
      last: points.at(-1)?.y ?? Number.NaN,
    };
    return { calibration, figures, note: points.map(({ x, y }) => `${x} pods: ${Math.round(y)} MiB`).join(', ') };
  },
});
