/** Runs a benchmark: turns in ABBA order, never two at once, and what is made of their numbers. */
import type { Benchmark, Figure, Form, Measured } from '../benchmarks/benchmark.ts';
import type { Contender } from './contenders.ts';
import { Stage } from './stage.ts';
import { randomFrom } from '../../test/support/random.ts';
import { abba, bootstrap, comparable, median } from './statistics.ts';
import type { Estimate, Pair } from './statistics.ts';

const seed = 4;

export interface Plan {
  readonly form: Form;
  readonly pairs: number;
  /** Instead of the form's own number. */
  readonly pods: number | undefined;
  readonly subject: Contender;
  /** Undefined: nobody to compare with. */
  readonly other: Contender | undefined;
}

export interface Outcome {
  /** Of each contender, by name, in the order subject, other. */
  readonly measured: ReadonlyMap<string, readonly Measured[]>;
  readonly pairs: readonly Pair<Measured>[];
  /** Pairs whose calibrations were alike. */
  readonly kept: readonly Pair<Measured>[];
}

export async function runRounds(benchmark: Benchmark, plan: Plan, log: (line: string) => void): Promise<Outcome> {
  const { form, pods, subject, other } = plan;
  const stage = await Stage.start(other === undefined ? [subject] : [subject, other]);
  const measured = new Map<string, Measured[]>();
  const turn = async (contender: Contender): Promise<Measured> => {
    log(`${benchmark.id}: turn of ${contender.name}`);
    const result = await stage.turn(contender, (of) => benchmark.measure(of, form, pods));
    log(JSON.stringify(result));
    measured.set(contender.name, [...(measured.get(contender.name) ?? []), result]);
    return result;
  };
  let stopping: Promise<void> | undefined;
  // A second signal must not cut the first one's work short: nothing may be left running.
  const stopOnSignal = (): void => void (stopping ??= stage.stop().then(() => process.exit(130)));
  process.on('SIGINT', stopOnSignal);
  process.on('SIGTERM', stopOnSignal);
  try {
    const pairs: Pair<Measured>[] = [];
    if (other === undefined) for (let round = 0; round < plan.pairs; round++) await turn(subject);
    else for (const order of abba(subject, other, plan.pairs)) pairs.push(await pairOf(order, turn, subject));
    return { measured, pairs, kept: comparable(pairs) };
  } finally {
    process.off('SIGINT', stopOnSignal);
    process.off('SIGTERM', stopOnSignal);
    await stage.stop();
  }
}

async function pairOf(
  [a, b]: readonly [Contender, Contender],
  turn: (contender: Contender) => Promise<Measured>,
  subject: Contender,
): Promise<Pair<Measured>> {
  const [first, second] = [calibrated(await turn(a)), calibrated(await turn(b))];
  return a === subject ? { first, second } : { first: second, second: first };
}

/** The ratio subject ÷ other of one figure, from the pairs that were kept. */
export function ratioOf({ kept }: Outcome, { key }: Figure): Estimate {
  const ratios = kept
    .map(
      ({ first, second }) => (first.figures.figures[key] ?? Number.NaN) / (second.figures.figures[key] ?? Number.NaN),
    )
    .filter(Number.isFinite);
  return bootstrap(ratios, randomFrom(seed));
}

/** The median over a contender's turns, and the range. */
export function spreadOf(turns: readonly Measured[], { key }: Figure): Estimate {
  const values = turns.map(({ figures }) => figures[key] ?? Number.NaN).filter((value) => !Number.isNaN(value));
  return { median: median(values), low: Math.min(...values), high: Math.max(...values) };
}

function calibrated(measured: Measured): Pair<Measured>['first'] {
  return { calibration: measured.calibration, figures: measured };
}
