/** B7: what a crash costs. Standing pods, a few that come and go, SIGKILL, start: how long until nothing is outstanding. */
import { setTimeout as sleep } from 'node:timers/promises';
import { eventsOf, told, writesOf } from '../harness/audit.ts';
import { clockMs } from '../harness/clock.ts';
import { makePod, removePod } from '../harness/load.ts';
import type { Made } from '../harness/load.ts';
import { burst, calm, direct, makeNamespaces } from '../harness/scenes.ts';
import type { Turn } from '../harness/stage.ts';
import { caughtUpMs } from '../harness/statistics.ts';
import { defineBenchmark } from './benchmark.ts';
import type { Benchmark, Size } from './benchmark.ts';

const calibrationPods = 200;
const churnEveryMs = 100;
const churnLivesMs = 5_000;
/** In the names of what comes and goes; what else is written about after the restart was written about before. */
const churnTag = 'churn';
const down = 1_000;

interface RestartSize extends Size {
  /** From the start on. */
  readonly seconds: number;
}

export const b7: Benchmark = defineBenchmark<RestartSize>({
  id: 'B7',
  title: 'restart',
  how: ({ pods, seconds }) =>
    `${pods} standing pods with a token volume; under a churn of 10 pods a second SIGKILL, and ${down / 1000} s later a start, watched for ${seconds} s. Writes about any other object than those of the churn are duplicates.`,
  sizes: { short: { pods: 500, seconds: 15 }, full: { pods: 5_000, seconds: 60 } },
  figures: [
    { key: 'caughtUp', what: 'start → nothing outstanding', unit: 's', aim: '≤ 6' },
    { key: 'firstPod', what: 'start → first pod Ready', unit: 's' },
    { key: 'duplicates', what: 'duplicate writes', unit: '', aim: '0' },
    { key: 'events', what: 'duplicate events', unit: '', aim: '0' },
    { key: 'cpu', what: 'CPU from the start to the end of the watch', unit: 's' },
    { key: 'rss', what: 'RSS afterwards', unit: 'MiB' },
  ],
  measure: async (turn, { pods, seconds }) => {
    const calibration = (await direct(turn, calibrationPods)).seconds;
    const within = await makeNamespaces(turn, 10);
    await burst(turn, 'virtual', { count: pods, tag: 'standing', namespaces: within });
    await calm(turn);
    const stop = new AbortController();
    const churning = churn(turn, within[0] ?? '', stop.signal);
    await sleep(2 * down);
    await turn.subject.kill();
    await sleep(down);
    const marks = [await turn.audits.host.mark(), await turn.audits.virtual.mark()] as const;
    const startedMs = turn.subject.start();
    await sleep(seconds * 1000);
    stop.abort();
    const made = await churning;
    const figures = await outcome(turn, made, { startedMs, marks });
    return { calibration, ...figures };
  },
});

/** Pods made at a pace, each removed after a while, until told to stop. */
async function churn({ virtual, prefix }: Turn, namespace: string, signal: AbortSignal): Promise<readonly Made[]> {
  const made: Made[] = [];
  const removals: Promise<unknown>[] = [];
  for (let index = 0; !signal.aborted; index++) {
    const pod = await makePod(virtual, `${prefix}-${churnTag}-${index}`, { namespace, token: false });
    made.push(pod);
    removals.push(
      sleep(churnLivesMs, undefined, { signal }).then(
        () => removePod(virtual, pod),
        () => undefined,
      ),
    );
    await sleep(churnEveryMs, undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(removals);
  return made;
}

async function outcome(
  { observer, audits, user, subject }: Turn,
  made: readonly Made[],
  { startedMs, marks }: { readonly startedMs: number; readonly marks: readonly [number, number] },
): Promise<{ readonly figures: Readonly<Record<string, number>>; readonly note: string }> {
  const work = made.map(({ id, answeredMs }) => ({
    askedMs: answeredMs,
    doneMs: observer.sightings.at('virtual', id).readyMs,
  }));
  const done = work.flatMap(({ doneMs }) => (doneMs !== undefined && doneMs > startedMs ? [doneMs] : []));
  const calls = [...(await audits.host.since(marks[0], user)), ...(await audits.virtual.since(marks[1], user))];
  const others = calls.filter(({ name }) => !name.includes(churnTag));
  const figures = {
    caughtUp: ((caughtUpMs(work, startedMs) ?? Number.NaN) - startedMs) / 1000,
    firstPod: (Math.min(...done) - startedMs) / 1000,
    duplicates: writesOf(others).length,
    events: eventsOf(others).length,
    cpu: (await subject.cpuMs()) / 1000,
    rss: (await subject.memory()).rssMib,
  };
  const writes = others.filter(({ writes: is }) => is);
  return {
    figures,
    note: `duplicates: ${told(writes)}; watched until ${Math.round(clockMs() - startedMs)} ms after the start`,
  };
}
