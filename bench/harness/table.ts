/** The outcome of a benchmark as a section of bench/results.md. Pure. */
import type { Benchmark, Measured } from '../benchmarks/benchmark.ts';
import type { Section } from '../results.ts';
import { ratioOf, spreadOf } from './rounds.ts';
import type { Outcome, Plan } from './rounds.ts';
import type { Estimate } from './statistics.ts';

export function sectionOf(benchmark: Benchmark, plan: Plan, outcome: Outcome): Section {
  const { form, subject, other, pods } = plan;
  const names = [subject.name, ...(other === undefined ? [] : [other.name])];
  const ratio = other === undefined ? [] : [`${subject.name} ÷ ${other.name} (95 %)`];
  const rows = benchmark.figures.map((figure) => [
    figure.what,
    ...names.map((name) => shown(spreadOf(outcome.measured.get(name) ?? [], figure), figure.unit)),
    ...(other === undefined ? [] : [shown(ratioOf(outcome, figure), '')]),
    figure.aim ?? '',
  ]);
  return {
    title: `${benchmark.id} ${benchmark.title}, ${form} form`,
    how: `${benchmark.how(form, pods)} ${turnsText(outcome)}`,
    table: { head: ['what', ...names, ...ratio, 'aim'], rows },
    notes: notesOf(names, outcome),
  };
}

/** Three significant digits; the range in brackets when there is one. */
export function shown({ median, low, high }: Estimate, unit: string): string {
  if (Number.isNaN(median)) return '–';
  const suffix = unit === '' ? '' : ` ${unit}`;
  return low === high ? `${digits(median)}${suffix}` : `${digits(median)}${suffix} (${digits(low)}–${digits(high)})`;
}

function digits(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}

function turnsText({ measured, pairs, kept }: Outcome): string {
  const turns = Math.max(...[...measured.values()].map(({ length }) => length));
  const repeated = turns === 1 ? 'One turn each' : `${turns} turns each, median (smallest–largest)`;
  if (pairs.length === 0) return `${repeated}.`;
  return `${repeated}; ratios from ${kept.length} of ${pairs.length} pairs, the others having had unlike calibrations.`;
}

function notesOf(names: readonly string[], { measured }: Outcome): readonly string[] {
  return names.flatMap((name) => {
    const note = measured.get(name)?.findLast((each: Measured) => each.note !== undefined)?.note;
    return note === undefined ? [] : [`${name}: ${note}`];
  });
}
