/**
 * Runs handlers: gives each its signal, time and log, and makes a diagnostic of whatever it throws.
 *
 *   StopProvider ──┐
 *   RPC cancelled ─┼─► signal of the handler        thrown with words → these words
 *   time is up ────┘   (some seconds late)          thrown after the signal → "interrupted" / "took too long"
 *                                                    anything else → a bug: the stack to the log only
 */
import type { Log } from '../wire/log.ts';
import type { Secrets } from '../wire/secrets.ts';
import type { Call as WireCall } from '../wire/service.ts';
import type { Draft } from '../wire/tables.ts';
import type { Diagnostic as WireDiagnostic } from '../wire/tfplugin6.ts';
import type { Attributes } from './attributes.ts';
import type { Call } from './call.ts';
import { failure, type Diagnostic, type Path } from './diagnostics.ts';
import { diagnosticsOf } from './paths.ts';
import { redacted } from './redact.ts';
import { durationText } from './timeouts.ts';

/** How long after its own time is up a handler may still finish, to say what it was waiting for. */
const graceMs = 15_000;
/** Longer ones count as none: timers have no more bits. */
const timerMaxMs = 2 ** 31 - 1;

/** One run of a handler. */
export interface Job {
  /** As in "Could not …": `create vcluster_cluster`. */
  readonly what: string;
  /** Undefined: as long as it likes. */
  readonly timeoutMs?: number | undefined;
  /** It keeps up or closes what is open, which a command that was told to stop still wants. */
  readonly evenStopped?: boolean;
}

/** What came of it. */
export type Ran<T> =
  | { readonly is: 'done'; readonly value: T }
  | { readonly is: 'failed'; readonly diagnostic: Diagnostic };

export class Runner {
  readonly #log: Log;
  readonly #secrets: Secrets;
  #stop = new AbortController();
  /** Connections of commands that were told to stop. */
  readonly #stopped = new WeakSet<object>();
  #configured: { readonly value: unknown } | undefined;

  /** `secrets` are those by which the log redacts itself; everything that an answer must not tell is added to them. */
  constructor(log: Log, secrets: Secrets) {
    this.#log = log;
    this.#secrets = secrets;
  }

  /** Remembers what `configure` returned. */
  configured(value: unknown): void {
    this.#configured = { value };
  }

  /** What `configure` returned last, if it was called. */
  get configuration(): unknown {
    return this.#configured?.value;
  }

  get log(): Log {
    return this.#log;
  }

  /**
   * Aborts every handler that runs. What comes later over the same connection is not begun, for Terraform may have asked for it in
   * the same moment; except what keeps up or closes what is open.
   */
  stop({ connection }: Pick<WireCall, 'connection'>): void {
    this.#stopped.add(connection);
    const running = this.#stop;
    this.#stop = new AbortController();
    running.abort(new Interruption());
  }

  /** From now on nobody reads these texts in a diagnostic or in the log. */
  hide(secrets: readonly string[]): void {
    this.#secrets.add(...secrets);
  }

  /** Diagnostics as every answer has to have them: without anything that is hidden, and placed by these attributes. */
  told(attributes: Attributes, diagnostics: readonly Diagnostic[] = []): readonly Draft<WireDiagnostic>[] {
    return diagnosticsOf(
      attributes,
      diagnostics.map((diagnostic) => redacted(diagnostic, this.#secrets)),
    );
  }

  /** Runs a handler; never throws. */
  async run<T>(job: Job, wire: WireCall, handler: (call: Call<unknown>) => Promise<T> | T): Promise<Ran<T>> {
    if (this.#stopped.has(wire.connection) && job.evenStopped !== true) {
      return { is: 'failed', diagnostic: unforeseen.stopped(job) };
    }
    const log = this.#log;
    const stop = this.#stop.signal;
    const timer = new Timer(job.timeoutMs);
    const signal = AbortSignal.any([stop, wire.signal, timer.signal]);
    const hide = (...texts: readonly string[]): void => this.hide(texts);
    const call = { provider: this.configuration, signal, log, hide, remainingMs: () => timer.remainingMs() };
    try {
      return { is: 'done', value: await handler(call) };
    } catch (error) {
      const why = stop.aborted || wire.signal.aborted ? 'stopped' : timer.signal.aborted ? 'late' : 'itself';
      return { is: 'failed', diagnostic: redacted(diagnosticOf(error, job, { why, log }), this.#secrets) };
    } finally {
      timer.end();
    }
  }
}

/** Counts down the time of a handler. */
class Timer {
  readonly #abort = new AbortController();
  readonly #endsAtMs: number;
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number | undefined) {
    this.#endsAtMs = performance.now() + (timeoutMs ?? Infinity);
    if (timeoutMs === undefined || timeoutMs + graceMs > timerMaxMs) return;
    this.#timer = setTimeout(() => this.#abort.abort(new Lateness()), timeoutMs + graceMs);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  remainingMs(): number {
    return Math.max(0, this.#endsAtMs - performance.now());
  }

  end(): void {
    clearTimeout(this.#timer);
  }
}

class Interruption extends Error {
  override readonly name: string = 'AbortError';
}

class Lateness extends Error {
  override readonly name: string = 'TimeoutError';
}

interface Circumstances {
  readonly why: 'stopped' | 'late' | 'itself';
  readonly log: Log;
}

/** Errors with words of their own are told by the words, not by their class: operations/ has classes of its own. */
interface WithWords {
  readonly summary: string;
  readonly detail: string;
  readonly path?: Path | undefined;
}

function hasWords(error: unknown): error is WithWords {
  return (
    typeof error === 'object' &&
    error !== null &&
    'summary' in error &&
    'detail' in error &&
    typeof error.summary === 'string' &&
    typeof error.detail === 'string'
  );
}

function diagnosticOf(error: unknown, job: Job, { why, log }: Circumstances): Diagnostic {
  if (hasWords(error)) return failure(error.summary, error.detail, error.path);
  // Not every library passes on the reason of a signal: whatever fails after it fails because of it.
  if (why !== 'itself' && !isAbort(error)) log.warn('Ended with an error', { what: job.what, error: stackOf(error) });
  if (why === 'itself') log.error('Bug of the provider', { what: job.what, error: stackOf(error) });
  return unforeseen[why](job);
}

const unforeseen: Readonly<Record<Circumstances['why'], (job: Job) => Diagnostic>> = {
  stopped: ({ what }) =>
    failure(
      `Interrupted: could not ${what}`,
      'It was told to stop before it had finished. What was made so far is recorded; apply again to go on.',
    ),
  late: ({ what, timeoutMs = 0 }) =>
    failure(
      `Could not ${what} within ${durationText(timeoutMs)}`,
      'It had not finished when its time was up. Give it more (see the attribute `timeouts`), or look at the log ' +
        '(TF_LOG_PROVIDER=debug) for what it was waiting for.',
    ),
  itself: ({ what }) =>
    failure(
      `Bug of the provider: could not ${what}`,
      'Something happened that its authors did not foresee. Please report it with the log (TF_LOG_PROVIDER=error), ' +
        'which says where.',
    ),
};

function isAbort(error: unknown): boolean {
  return error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error}`;
  const cause = error.cause === undefined ? '' : `\ncaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
