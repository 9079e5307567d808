/**
 * What the testbed tells people: plain lines, one per thing done, with how long it took.
 * Parts of the testbed never print by themselves; they are given a Log.
 */

/** Takes one line of progress. */
export type Log = (line: string) => void;

/** Says nothing: for tests. */
export const silent: Log = () => undefined;

/** Prints to standard error, so that standard output stays for results such as a kubeconfig path. */
export const toStderr: Log = (line) => {
  process.stderr.write(`${line}\n`);
};

/** Runs one step and tells when it is done and how long it took. */
export async function step<T>(log: Log, what: string, run: () => Promise<T>): Promise<T> {
  const startedMs = Date.now();
  const result = await run();
  log(`${what}: done in ${seconds(startedMs)}`);
  return result;
}

/** Seconds since a moment, for people. */
export function seconds(sinceMs: number): string {
  return `${((Date.now() - sinceMs) / 1000).toFixed(1)} s`;
}
