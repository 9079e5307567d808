/**
 * What every handler is given besides its values.
 */
import type { JsonRecord } from './values.ts';

/** Where a handler's log lines go: to Terraform's log (TF_LOG_PROVIDER). Constant message, facts as fields, no secret. */
export interface Log {
  trace(message: string, fields?: Readonly<Record<string, unknown>>): void;
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Handlers run concurrently, ten or more at once: nothing but what they are given may be shared. */
export interface Call<Configured> {
  /** What the provider's `configure` returned. */
  readonly provider: Configured;
  /**
   * Aborts when Terraform is interrupted, and some seconds after `remainingMs()` has reached 0, so that a wait which
   * ends by itself in time can still say what it was waiting for.
   */
  readonly signal: AbortSignal;
  readonly log: Log;
  /** What is left of the operation's own timeout (see timeouts.ts), in milliseconds; Infinity when it has none. */
  readonly remainingMs: () => number;
}

/** JSON that Terraform keeps for the provider beside a state, an ephemeral or a plan. In clear: never a secret. */
export type Private = JsonRecord;
