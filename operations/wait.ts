/** Waits until a virtual cluster is ready, and says why it is not. */
import { hasSettled, isReady } from './conditions.ts';
import { diagnose } from './diagnosis.ts';
import type { Diagnosis } from './diagnosis.ts';
import { goesOn, OperationError } from './errors.ts';
import type { Host } from './host.ts';
import { waitFor } from './poll.ts';
import { readProgress } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import { lastLines, readSymptoms } from './symptoms.ts';
import type { ClusterRef, Log, WaitOptions } from './types.ts';

/** It was not ready in time; `detail` names the pod's reason, the failing container, its last lines, and what to do. */
export class NotReadyError extends OperationError {
  override readonly name = 'NotReadyError';
}

/** Default of {@link waitUntilReady}. */
export const readyTimeoutMs = 300_000;
/** A pod that has just been made goes through states that mean nothing. */
const lookIntoItAfterMs = 5000;
const lookAgainAfterMs = 5000;
/** What may heal by itself is worth a line only when it has not for a while. */
const tellOfDelayAfterMs = 45_000;

export interface ReadyOptions extends WaitOptions {
  /** What people have allowed, when `timeoutMs` is the rest of it; for the message. */
  readonly allowedMs?: number | undefined;
}

/**
 * Ready: the newest pod template runs, its API server, controllers and syncer are ready, the kubeconfig Secret is published.
 * What cannot heal by itself is told to `log` as soon as it is seen, and ends the wait at the timeout only.
 * @throws NotReadyError, AbortedError, HostError
 */
export async function waitUntilReady(host: Host, ref: ClusterRef, options: ReadyOptions = {}): Promise<void> {
  const { signal, log, timeoutMs = readyTimeoutMs, allowedMs = timeoutMs } = options;
  const teller = new Teller(log);
  let snapshot: Snapshot | undefined;
  const ready = await waitFor(timeoutMs, signal, async () => {
    snapshot = await readProgress(host, ref, hasSettled, signal);
    if (isReady(snapshot)) return true;
    const seen = snapshot;
    await teller.tell(async () => diagnose(await readSymptoms(host, seen, signal)));
    return false;
  });
  if (ready || snapshot === undefined) return;
  throw await notReady(host, snapshot, allowedMs, signal);
}

/** Tells each problem once, and looks for problems from time to time only. */
class Teller {
  readonly #log: Log | undefined;
  readonly #startedMs = performance.now();
  #nextAtMs = performance.now() + lookIntoItAfterMs;
  #told = '';

  constructor(log: Log | undefined) {
    this.#log = log;
  }

  async tell(look: () => Promise<Diagnosis>): Promise<void> {
    if (this.#log === undefined || performance.now() < this.#nextAtMs) return;
    this.#nextAtMs = performance.now() + lookAgainAfterMs;
    const { problem, advice, stuck } = await look();
    const isDelay = performance.now() - this.#startedMs > tellOfDelayAfterMs;
    if (problem === this.#told || !(stuck || isDelay)) return;
    this.#told = problem;
    this.#log(stuck ? `${problem} ${advice}` : problem);
  }
}

async function notReady(
  host: Host,
  snapshot: Snapshot,
  allowedMs: number,
  signal: AbortSignal | undefined,
): Promise<NotReadyError> {
  const { namespace, name } = snapshot;
  const { problem, advice, logsOf } = diagnose(await readSymptoms(host, snapshot, signal));
  const lines = logsOf === undefined ? [] : await lastLines(host, { namespace, ...logsOf }, signal);
  const said = lines.length === 0 ? [] : [`Last lines of ${logsOf?.container}:`, ...lines.map((line) => `  ${line}`)];
  return new NotReadyError(
    `Virtual cluster ${name} did not become ready within ${durationText(allowedMs)}`,
    [problem, `${advice} Nothing was deleted. ${goesOn}`, ...said].join('\n'),
  );
}

/** `5m`, `1m30s`, `45s`. Pure. */
export function durationText(timeoutMs: number): string {
  const seconds = Math.round(timeoutMs / 1000);
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return `${minutes > 0 ? `${minutes}m` : ''}${rest > 0 || minutes === 0 ? `${rest}s` : ''}`;
}
