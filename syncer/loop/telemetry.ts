/** What the loop tells of itself: logs with key and reason, and figures by resource (spec OPS-27). */
import type { Outcome } from './outcome.ts';

export interface LoopLog {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface LoopMetrics {
  /** One look at a key, from taking it to the answer of its last write. */
  reconciled(resource: string, outcome: Outcome['is'], seconds: number): void;
  /** Seconds from the change that queued a key to the answer of the last write that it led to. */
  lagged(resource: string, seconds: number): void;
  /** An audit has found something to write: some earlier change had woken nobody. */
  repaired(resource: string): void;
  /** A first pass or an audit has deleted a host object whose virtual object was gone. */
  orphaned(resource: string): void;
  /** A server has refused a write, or translation what a tenant asked for. */
  refused(resource: string, by: 'server' | 'policy'): void;
}

export const silentMetrics: LoopMetrics = {
  reconciled: () => {},
  lagged: () => {},
  repaired: () => {},
  orphaned: () => {},
  refused: () => {},
};
