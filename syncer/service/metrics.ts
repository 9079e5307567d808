/**
 * All metrics of the syncer, in one registry. docs/metrics.md is made from it. Labels hold names of kinds, sides and outcomes only:
 * nothing that a tenant has named may become one, or a tenant could fill the memory of a Prometheus.
 */
import { Gauge, Registry } from 'prom-client';
import { addClusterMetrics } from './cluster-metrics.ts';
import type { ClusterMetrics, ClusterSources } from './cluster-metrics.ts';
import { addLoopMetrics } from './loop-metrics.ts';
import type { LoopMetrics, LoopSources } from './loop-metrics.ts';
import { addProcessMetrics } from './process-metrics.ts';

export interface Metrics {
  readonly registry: Registry;
  readonly loop: LoopMetrics;
  readonly cluster: ClusterMetrics;
}

export interface MetricsSources extends ClusterSources, LoopSources {
  readonly version: string;
  /** Of the virtual cluster. */
  readonly kubernetesVersion: string;
  readonly ready: () => boolean;
  /** Whether everything is held because the virtual store may have lost its objects (spec OPS-08). */
  readonly held: () => boolean;
}

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  addState([registry], sources);
  const loop = addLoopMetrics(registry, sources);
  const cluster = addClusterMetrics(registry, sources);
  addProcessMetrics(registry);
  return { registry, loop, cluster };
}

function addState(registers: Registry[], { version, kubernetesVersion, ready, held }: MetricsSources): void {
  const info = new Gauge({
    name: 'vcluster_build_info',
    help: 'Always 1; versions of the syncer, of Node and of the virtual cluster.',
    labelNames: ['version', 'node_version', 'kubernetes_version'],
    registers,
  });
  info.set({ version, node_version: process.version, kubernetes_version: kubernetesVersion }, 1);
  const readiness: Gauge = new Gauge({
    name: 'vcluster_ready',
    help: '1 while the virtual cluster serves its tenants, as /readyz says.',
    registers,
    collect: (): void => readiness.set(ready() ? 1 : 0),
  });
  const guard: Gauge = new Gauge({
    name: 'vcluster_data_loss_guard',
    help: '1 while nothing is written because the virtual store may have lost its objects, until somebody decides.',
    registers,
    collect: (): void => guard.set(held() ? 1 : 0),
  });
}
