/**
 * What is made of measured numbers. Pure: chance comes in as a parameter, so the same measurements give the same interval.
 * Every function wants at least one number and gives NaN for none: a missing figure must look missing, not like a zero.
 */

/** A figure and the range that it lies in with 95 % confidence. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Two measurements of one round, each with the calibration (B0) that was taken right before it. */
export interface Pair<T> {
  readonly first: Calibrated<T>;
  readonly second: Calibrated<T>;
}

export interface Calibrated<T> {
  readonly calibration: number;
  readonly figures: T;
}

const resamples = 2_000;
/** Above this the machine was not the same for both. */
const calibrationSpreadMax = 0.15;

/** The value below which the given share (0 to 1) of all lies: nearest rank, so it is always a value that was measured. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** Of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** The median and its percentile-bootstrap interval. `random` gives numbers in [0, 1). */
export function bootstrap(values: readonly number[], random: () => number): Estimate {
  if (values.length === 0) return { median: Number.NaN, low: Number.NaN, high: Number.NaN };
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  );
  return { median: median(values), low: percentile(medians, 0.025), high: percentile(medians, 0.975) };
}

/** Only the pairs whose two calibrations differ by no more than 15 % of the smaller one. */
export function comparable<T>(pairs: readonly Pair<T>[]): readonly Pair<T>[] {
  return pairs.filter(({ first, second }) => {
    const smaller = Math.min(first.calibration, second.calibration);
    return Math.abs(first.calibration - second.calibration) <= calibrationSpreadMax * smaller;
  });
}

/** How much `y` grows for each `x`, by least squares. */
export function slope(points: readonly { readonly x: number; readonly y: number }[]): number {
  const meanX = mean(points.map(({ x }) => x));
  const meanY = mean(points.map(({ y }) => y));
  const covariance = mean(points.map(({ x, y }) => (x - meanX) * (y - meanY)));
  return covariance / mean(points.map(({ x }) => (x - meanX) ** 2));
}

/**
 * The first moment from `sinceMs` on at which nothing is outstanding: of all that had been asked for by then, all was done.
 * Undefined when that never was.
 */
export function caughtUpMs(
  work: readonly { readonly askedMs: number; readonly doneMs: number | undefined }[],
  sinceMs: number,
): number | undefined {
  const asked = work.toSorted((a, b) => a.askedMs - b.askedMs);
  let doneMs = sinceMs;
  for (const each of asked) {
    if (each.askedMs > doneMs) return doneMs;
    doneMs = Math.max(doneMs, each.doneMs ?? Number.POSITIVE_INFINITY);
  }
  return Number.isFinite(doneMs) ? doneMs : undefined;
}

/** Who runs when: A B, then B A, and so on, so that neither always comes second. */
export function abba<T>(first: T, second: T, pairs: number): readonly (readonly [T, T])[] {
  return Array.from({ length: pairs }, (_, round): readonly [T, T] =>
    round % 2 === 0 ? [first, second] : [second, first],
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
