/**
 * Numbered failpoints: the syncer is killed before a write of its leaves, or after it was carried out and before the answer is read.
 * Every write of a small workload is such a point. Short form: some of them, by seed; FAULTS=long: all of them, SEED=<n> for another
 * sample.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Side } from '../../syncer/model/side.ts';
import { clusterDnsRuns } from '../support/namespaces.ts';
import { randomFrom } from '../support/random.ts';
import { form, isLong, patience, seed, startStage } from './crash-stage.ts';
import type { Stage } from './crash-stage.ts';
import { phases, takeAddress, Workload } from './crash-workload.ts';
import type { Phase } from './crash-workload.ts';
import type { ProxiedRequest } from './proxy/rules.ts';

/** One write of a run: `host POST pods`, and how often that had come before in its phase. */
interface Step {
  readonly phase: Phase;
  readonly text: string;
  readonly nth: number;
}

type Moment = 'before' | 'committed';

interface Point extends Step {
  readonly moment: Moment;
}

const sides: readonly Side[] = ['host', 'virtual'];
const sampleSize = 3;
const betweenMs = 200;

let stage: Stage;
let rounds = 0;
let reference: readonly string[];
let steps: readonly Step[];

function textOf({ side, method, plural, subresource }: ProxiedRequest): string {
  return `${side} ${method} ${[plural, subresource].filter((part) => part !== '').join('/')}`;
}

/** Writes that no tenant's object is behind: events come whenever the host has something to say. */
function isStep(request: ProxiedRequest): boolean {
  return request.isWrite && request.plural !== 'events';
}

/** Rest in the middle is only awaited; it is measured at the end of the test. */
async function rest(namespace: string): Promise<readonly string[]> {
  return (await stage.audit({ quietMs: betweenMs, essenceOf: namespace })).essence ?? [];
}

/** Plays the workload, to its end if not told otherwise, and does something at the start of each phase; the essence of the states in between. */
async function play(
  atPhase: (phase: Phase) => void,
  afterPhase: (phase: Phase, workload: Workload) => Promise<void>,
  upTo: number = phases.length,
): Promise<string[]> {
  const workload = new Workload(stage.pair, `round-${++rounds}`);
  const essence: string[] = [];
  for (const phase of phases.slice(0, upTo)) {
    atPhase(phase);
    await workload.play(phase);
    await afterPhase(phase, workload);
    await workload.arrived(phase);
    essence.push(`${phase}:`, ...(await rest(workload.namespace)));
  }
  return essence;
}

/** A run without faults: what every other has to end like, and which writes there are. */
async function playWithoutFaults(): Promise<void> {
  const found: Step[] = [];
  let phase: Phase = 'made';
  const seen = new Map<string, number>();
  const note = (request: ProxiedRequest): void => {
    if (!isStep(request)) return;
    const text = textOf(request);
    const nth = (seen.get(`${phase} ${text}`) ?? 0) + 1;
    seen.set(`${phase} ${text}`, nth);
    found.push({ phase, text, nth });
  };
  const rules = sides.map((side) => stage.pair.proxies[side].rules.add({ do: { is: 'before', call: note } }));
  reference = await play(
    (next) => {
      phase = next;
    },
    () => Promise.resolve(),
  );
  for (const rule of rules) rule.remove();
  steps = found;
}

/** Kills the syncer at the nth such write from now on. @returns whether that has happened */
function armed({ text, nth, moment }: Point): () => boolean {
  let count = 0;
  let struck = false;
  const call = async (request: ProxiedRequest): Promise<'drop' | undefined> => {
    if (struck || !isStep(request) || textOf(request) !== text || ++count !== nth) return undefined;
    struck = true;
    await stage.pair.syncer.stop('SIGKILL');
    return 'drop';
  };
  for (const side of sides) stage.pair.proxies[side].rules.add({ do: { is: moment, call } });
  return () => struck;
}

/** Crashes at one point of each phase at most, and expects the end of a run without crashes. */
async function crashAt(points: readonly Point[]): Promise<readonly Point[]> {
  const reached: Point[] = [];
  let current: { readonly point: Point; readonly struck: () => boolean } | undefined;
  const essence = await play(
    (phase) => {
      const point = points.find((each) => each.phase === phase);
      current = point === undefined ? undefined : { point, struck: armed(point) };
    },
    async (phase, workload) => {
      if (current === undefined) return;
      // It is killed, or comes to rest without that write.
      const atRest = workload.arrived(phase).then(() => stage.report({ quietMs: betweenMs }));
      await Promise.race([stage.pair.syncer.ended(), atRest]);
      if (current.struck()) {
        await stage.pair.syncer.ended();
        reached.push(current.point);
        await stage.pair.syncer.start();
      }
      for (const side of sides) stage.pair.proxies[side].rules.clear();
    },
    Math.max(...points.map(({ phase }) => phases.indexOf(phase))) + 1,
  );
  expect(essence, JSON.stringify(points)).toEqual(reference.slice(0, essence.length));
  return reached;
}

function stepsLike(phase: Phase, text: string): readonly Step[] {
  return steps.filter((step) => step.phase === phase && step.text === text);
}

function shuffled<T>(list: readonly T[], random: () => number): readonly T[] {
  return list
    .map((value) => ({ value, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

/** Points, one of each phase at a time. */
function roundsOf(points: readonly Point[]): readonly (readonly Point[])[] {
  const byPhase = phases.map((phase) => points.filter((point) => point.phase === phase));
  const most = Math.max(...byPhase.map(({ length }) => length));
  return Array.from({ length: most }, (_, round) =>
    byPhase.flatMap((list) => (list[round] === undefined ? [] : [list[round]])),
  );
}

beforeAll(async () => {
  stage = await startStage('crash-points', { through: { host: {}, virtual: {} } });
  await clusterDnsRuns(stage.pair);
  await takeAddress(stage.pair);
  await playWithoutFaults();
});

afterAll(() => stage?.stop());

describe(`killed at a write (${form})`, { timeout: patience }, () => {
  test.each<[string, Phase, string, Moment]>([
    [
      'after the host has made the pod, before it heard of it: the pod is taken on [F02]',
      'made',
      'host POST pods',
      'committed',
    ],
    [
      'between binding and status: the pod does not stay Pending [F03]',
      'made',
      'virtual POST pods/binding',
      'committed',
    ],
    [
      'between the deletions of both sides: the tenant’s object is gone, nothing else [F04]',
      'deleted',
      'host DELETE pods',
      'committed',
    ],
    ['before the virtual pod is let go [F04]', 'deleted', 'virtual DELETE pods', 'before'],
  ])('%s [I1, I4, I5]', async (_, phase, text, moment) => {
    const [step] = stepsLike(phase, text);
    expect(steps).toContainEqual(step);
    if (step === undefined) return;
    expect(await crashAt([{ ...step, moment }])).toHaveLength(1);
  });

  test('at any other: it ends as if nothing had happened [F01] [I1, I4, I5, I6]', async () => {
    const all = steps.flatMap((step) => (['before', 'committed'] as const).map((moment) => ({ ...step, moment })));
    const mixed = roundsOf(shuffled(all, randomFrom(seed)));
    const tried = isLong ? mixed : mixed.slice(0, sampleSize);
    let reached = 0;
    for (const points of tried) reached += (await crashAt(points)).length;
    expect(await stage.audit()).toMatchObject({ ok: true });
    process.stderr.write(`F01: ${reached} of ${all.length} points, ${steps.length} writes (${form})\n`);
    expect(reached).toBeGreaterThan(tried.length / 2);
  });
});
