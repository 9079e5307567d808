/**
 * Metrics of the loop, by resource. They cost under a quarter of a microsecond each; a pod's whole life has some fifty of them.
 */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

/** What the loop tells, as it happens. */
export interface LoopMetrics {
  reconciled(resource: string, outcome: string, seconds: number): void;
  lagged(resource: string, seconds: number): void;
  repaired(resource: string): void;
  missed(side: string, kind: string, count: number): void;
  orphaned(resource: string): void;
  refused(resource: string, by: string): void;
  tokensIssued(reason: 'new' | 'renewal', count: number): void;
}

/** What is asked of the queue when metrics are read. */
export interface QueueFacts {
  readonly lanes: readonly { readonly lane: string; readonly length: number; readonly oldestMs: number }[];
  /** Keys whose last look failed. */
  readonly retrying: number;
  /** Keys that are being looked at, or whose writes wait for their answers. */
  readonly inWork: number;
}

export interface LoopSources {
  /** Names of the resources, as they are told with everything that happens to them. */
  readonly resources: readonly string[];
  readonly queue: () => QueueFacts;
}

export function addLoopMetrics(registry: Registry, { resources, queue }: LoopSources): LoopMetrics {
  addQueue([registry], queue);
  const metrics = counters([registry]);
  for (const resource of resources) metrics.begin(resource);
  return metrics;
}

function counters(registers: Registry[]): LoopMetrics & { begin(resource: string): void } {
  const byResource = { labelNames: ['resource'] as const, registers };
  const reconciles = new Counter({
    name: 'vcluster_reconciles_total',
    help: 'Looks at a key, by how they ended: settled, again (after a time), failed (tried again).',
    labelNames: ['resource', 'outcome'],
    registers,
  });
  const duration = new Histogram({
    ...byResource,
    name: 'vcluster_reconcile_duration_seconds',
    help: 'From taking a key to the answer of its last write.',
    buckets: [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5, 30],
  });
  const lag = new Histogram({
    ...byResource,
    name: 'vcluster_sync_lag_seconds',
    help: 'From the event of a change to the answer of the last write that it led to.',
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30],
  });
  const rare = rareCounters(registers);
  const tokens = new Counter({
    name: 'vcluster_tokens_issued_total',
    help: 'Service account tokens issued for volumes of pods.',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of ['new', 'renewal']) tokens.inc({ reason }, 0);
  return {
    // A counter that first appears as 1 has never risen, in the eyes of a Prometheus.
    begin: (resource) => {
      reconciles.inc({ resource, outcome: 'failed' }, 0);
      rare.repairs.inc({ resource }, 0);
      rare.orphans.inc({ resource }, 0);
      for (const by of ['server', 'policy']) rare.refusals.inc({ resource, by }, 0);
    },
    reconciled: (resource, outcome, seconds) => {
      reconciles.inc({ resource, outcome });
      duration.observe({ resource }, seconds);
    },
    lagged: (resource, seconds) => lag.observe({ resource }, seconds),
    repaired: (resource) => rare.repairs.inc({ resource }),
    missed: (side, kind, count) => rare.missed.inc({ side, kind }, count),
    orphaned: (resource) => rare.orphans.inc({ resource }),
    refused: (resource, by) => rare.refusals.inc({ resource, by }),
    tokensIssued: (reason, count) => tokens.inc({ reason }, count),
  };
}

interface RareCounters {
  readonly repairs: Counter<'resource'>;
  readonly missed: Counter<'side' | 'kind'>;
  readonly orphans: Counter<'resource'>;
  readonly refusals: Counter<'resource' | 'by'>;
}

function rareCounters(registers: Registry[]): RareCounters {
  const byResource = { labelNames: ['resource'] as const, registers };
  const repairs = new Counter({
    ...byResource,
    name: 'vcluster_audit_repairs_total',
    help: 'Differences between the two sides that no watch had shown, found and repaired by the audit.',
  });
  const missed = new Counter({
    name: 'vcluster_missed_events_total',
    help: 'Objects whose last change a watch had missed, found and taken in by the audit.',
    labelNames: ['side', 'kind'],
    registers,
  });
  const orphans = new Counter({
    ...byResource,
    name: 'vcluster_orphan_deletes_total',
    help: 'Host objects deleted because their virtual object was gone, found by the first pass or an audit.',
  });
  const refusals = new Counter({
    name: 'vcluster_refusals_total',
    help: 'Wishes of tenants that came to nothing: refused by a server, or by policy before anything was sent.',
    labelNames: ['resource', 'by'],
    registers,
  });
  return { repairs, missed, orphans, refusals };
}

function addQueue(registers: Registry[], queue: () => QueueFacts): void {
  const length: Gauge<'lane'> = new Gauge({
    name: 'vcluster_queue_length',
    help: 'Keys waiting to be looked at: with news of the host (report), of tenants (wish), or without news (patient).',
    labelNames: ['lane'],
    registers,
    collect: (): void => {
      for (const { lane, length: keys } of queue().lanes) length.set({ lane }, keys);
    },
  });
  const oldest: Gauge<'lane'> = new Gauge({
    name: 'vcluster_queue_oldest_seconds',
    help: 'How long the key that has waited longest in a lane has been waiting.',
    labelNames: ['lane'],
    registers,
    collect: (): void => {
      for (const { lane, oldestMs } of queue().lanes) oldest.set({ lane }, oldestMs / 1000);
    },
  });
  const retrying: Gauge = new Gauge({
    name: 'vcluster_retrying_keys',
    help: 'Keys whose last look failed and that are tried again, later and later.',
    registers,
    collect: (): void => retrying.set(queue().retrying),
  });
  const inWork: Gauge = new Gauge({
    name: 'vcluster_keys_in_work',
    help: 'Keys that are being looked at, or whose writes wait for their answers.',
    registers,
    collect: (): void => inWork.set(queue().inWork),
  });
}
