/** Times of whole commands, taken and written down. */

import { median } from './harness/statistics.ts';

/** What is measured, the figure, the aim; one line of a table. */
export type Row = readonly string[];

/** @returns milliseconds */
export async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

export async function repeat(times: number, measure: () => Promise<number>): Promise<readonly number[]> {
  const figures: number[] = [];
  for (let index = 0; index < times; index += 1) figures.push(await measure());
  return figures;
}

/** The smallest and the median. */
export function spread(figuresMs: readonly number[]): string {
  return `${seconds(Math.min(...figuresMs))} · ${seconds(median(figuresMs))}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
