/** What a benchmark is: an ID of the benchmarks page, two sizes, and a measurement that gives numbers by name. */
import type { Turn } from '../harness/stage.ts';

export type Form = 'short' | 'full';

export interface Figure {
  /** Under this name the measurement gives it. */
  readonly key: string;
  readonly what: string;
  readonly unit: string;
  /** Of the benchmarks page. */
  readonly aim?: string;
}

export interface Measured {
  /** B0 of the turn: seconds that a burst straight to the host took. Pairs in which it differs are dropped. */
  readonly calibration: number;
  readonly figures: Readonly<Record<string, number>>;
  /** What no number says, such as which writes there were. */
  readonly note?: string;
}

export interface Size {
  readonly pods: number;
}

export interface Definition<S extends Size> {
  readonly id: string;
  readonly title: string;
  /** In a sentence, with the sizes in it. */
  readonly how: (size: S) => string;
  readonly sizes: Readonly<Record<Form, S>>;
  readonly figures: readonly Figure[];
  readonly measure: (turn: Turn, size: S) => Promise<Measured>;
}

export interface Benchmark {
  readonly id: string;
  readonly title: string;
  readonly figures: readonly Figure[];
  readonly how: (form: Form, pods: number | undefined) => string;
  readonly measure: (turn: Turn, form: Form, pods: number | undefined) => Promise<Measured>;
}

/** `pods` replaces the number of pods of the form. */
export function defineBenchmark<S extends Size>({ sizes, how, measure, ...rest }: Definition<S>): Benchmark {
  const sizeOf = (form: Form, pods = sizes[form].pods): S => ({ ...sizes[form], pods });
  return {
    ...rest,
    how: (form, pods) => how(sizeOf(form, pods)),
    measure: (turn, form, pods) => measure(turn, sizeOf(form, pods)),
  };
}
