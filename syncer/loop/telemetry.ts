/** What the loop tells of itself: logs with key and reason, and figures by resource (spec OPS-27). */
import type { Action, Plan } from '../model/action.ts';
import type { Side } from '../model/side.ts';
import type { Outcome } from './outcome.ts';
import { describe } from './perform.ts';

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
  /** An audit has found objects of which a watch had missed the last change. */
  missed(side: Side, kind: string, count: number): void;
  /** A first pass or an audit has deleted a host object whose virtual object was gone. */
  orphaned(resource: string): void;
  /** A server has refused a write, or translation what a tenant asked for. */
  refused(resource: string, by: 'server' | 'policy'): void;
  /** Service account tokens were issued for a pod: its first, or in place of ones that end soon. */
  tokensIssued(reason: 'new' | 'renewal', count: number): void;
}

export const silentMetrics: LoopMetrics = {
  reconciled: () => {},
  lagged: () => {},
  repaired: () => {},
  missed: () => {},
  orphaned: () => {},
  refused: () => {},
  tokensIssued: () => {},
};

/** Wraps what is done for one key, for spans. */
export interface LoopTrace {
  look(look: { readonly resource: string; readonly key: string }, work: () => Promise<Outcome>): Promise<Outcome>;
}

export interface Performed {
  readonly resource: string;
  readonly key: string;
  readonly plan: Plan;
  /** Nothing was known to have happened to the key: a pass over all of them has found what to do. */
  readonly isAudit: boolean;
  /** The pass was that of the start, which finds what happened while nobody watched. */
  readonly isFirst: boolean;
}

/** Tells of a plan that was carried out what is worth telling at more than level debug. */
export function tellOfPlan(
  { metrics, log }: { readonly metrics: LoopMetrics; readonly log: LoopLog },
  { resource, key, plan, isAudit, isFirst }: Performed,
): void {
  for (const action of plan.actions)
    if (action.do === 'issueTokens')
      metrics.tokensIssued(action.existing === undefined ? 'new' : 'renewal', action.tokens.length);
  const writes = plan.actions.filter((action) => action.do !== 'warn');
  if (!isAudit && writes.length < plan.actions.length) {
    metrics.refused(resource, 'policy');
    log.info({ resource, key, reason: plan.why }, 'Refused');
  }
  if (!isAudit || writes.length === 0) return;
  const does = writes.map(describe);
  if (plan.actions.some(isOfOrphan)) {
    metrics.orphaned(resource);
    log.info({ resource, key, does }, 'Deleted an orphan: its virtual object is gone');
  }
  if (isFirst) return;
  metrics.repaired(resource);
  log.warn({ resource, key, does }, 'Repaired a difference that no watch had shown');
}

function isOfOrphan(action: Action): boolean {
  return action.do === 'delete' && action.side === 'host' && action.onlyIfAbsent !== undefined;
}
