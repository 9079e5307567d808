/**
 * What every handler is given besides its values.
 */
import type { Log } from '../wire/log.ts';
import type { JsonRecord } from './values.ts';

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
  /** From now on nobody reads these texts in a diagnostic or in the log: for secrets that no attribute holds. */
  readonly hide: (...secrets: readonly string[]) => void;
  /** What is left of the operation's own timeout (see timeouts.ts), in milliseconds; Infinity when it has none. */
  readonly remainingMs: () => number;
}

/** JSON that Terraform keeps for the provider beside a state, an ephemeral or a plan. In clear: never a secret. */
export type Private = JsonRecord;
