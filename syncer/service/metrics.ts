/** Prometheus metrics of the loop. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';

export interface SyncerMetrics {
  readonly registry: Registry;
  reconciled(resource: string, outcome: string, seconds: number): void;
}

export function createMetrics(queueLength: () => number): SyncerMetrics {
  const registry = new Registry();
  const total = new Counter({
    name: 'vcluster_reconciles_total',
    help: 'Looks at a key, by resource and how they ended.',
    labelNames: ['resource', 'outcome'],
    registers: [registry],
  });
  const duration = new Histogram({
    name: 'vcluster_reconcile_seconds',
    help: 'From taking a key to the answer of its last write.',
    labelNames: ['resource'],
    buckets: [0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5],
    registers: [registry],
  });
  const length: Gauge = new Gauge({
    name: 'vcluster_queue_length',
    help: 'Keys waiting to be looked at.',
    registers: [registry],
    collect: (): void => length.set(queueLength()),
  });
  return {
    registry,
    reconciled: (resource, outcome, seconds) => {
      total.inc({ resource, outcome });
      duration.observe({ resource }, seconds);
    },
  };
}
