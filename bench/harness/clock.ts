/** One clock for all processes of this machine: CLOCK_MONOTONIC, which `hrtime` reads, counts from the same moment for each. */

/** Milliseconds, with fractions. */
export function clockMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
