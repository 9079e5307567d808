/** Times of whole commands, taken and written down. */

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
  const sorted = figuresMs.toSorted((a, b) => a - b);
  const [smallestMs = Number.NaN] = sorted;
  return `${seconds(smallestMs)} · ${seconds(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)}`;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
