import { afterEach, describe, expect, test } from 'vitest';
import { createMetrics } from './metrics.ts';
import type { Metrics } from './metrics.ts';

const watches = () => [
  { side: 'host', kind: 'pods', objects: 3, complete: true, heardAtMs: 1_700_000_000_000, position: '77' },
  { side: 'virtual', kind: 'pods', objects: 0, complete: false, heardAtMs: undefined, position: '' },
];

function fresh(): Metrics {
  return createMetrics({
    version: '1.2.3',
    kubernetesVersion: '1.36.3',
    resources: ['pods', 'services'],
    queue: () => ({ lanes: [{ lane: 'wish', length: 7, oldestMs: 1_500 }], retrying: 2, inWork: 5 }),
    ready: () => true,
    held: () => false,
    watches,
    inFlight: () => [{ side: 'host', requests: 4 }],
  });
}

let metrics = fresh();

afterEach(() => {
  metrics = fresh();
});

async function value(series: string): Promise<number | undefined> {
  const line = (await metrics.registry.metrics()).split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('createMetrics() [OPS-27]', () => {
  test('names follow the conventions: base units, counters end in _total', () => {
    for (const { name, type, help } of metrics.registry.getMetricsAsArray() as unknown as Declared[]) {
      expect(name).toMatch(/^(vcluster|process)_[a-z_]+$/u);
      expect(name).not.toMatch(/_(ms|milliseconds|minutes|kb|mb)(_|$)/u);
      expect(name.endsWith('_total'), name).toBe(type === 'counter');
      expect(help).toMatch(/\.$/u);
    }
  });

  test.each([
    ['vcluster_build_info{version="1.2.3",node_version="' + process.version + '",kubernetes_version="1.36.3"}', 1],
    ['vcluster_ready', 1],
    ['vcluster_data_loss_guard', 0],
    ['vcluster_queue_length{lane="wish"}', 7],
    ['vcluster_queue_oldest_seconds{lane="wish"}', 1.5],
    ['vcluster_retrying_keys', 2],
    ['vcluster_keys_in_work', 5],
    ['vcluster_cache_objects{side="host",kind="pods"}', 3],
    ['vcluster_cache_complete{side="virtual",kind="pods"}', 0],
    ['vcluster_watch_last_event_timestamp_seconds{side="host",kind="pods"}', 1_700_000_000],
    ['vcluster_watch_last_event_timestamp_seconds{side="virtual",kind="pods"}', undefined],
    ['vcluster_watch_position{side="host",kind="pods"}', 77],
    ['vcluster_watch_position{side="virtual",kind="pods"}', undefined],
    ['vcluster_watch_behind{side="host",kind="pods"}', 0],
    ['vcluster_requests_in_flight{side="host"}', 4],
    ['vcluster_refusals_total{resource="services",by="policy"}', 0],
    ['vcluster_orphan_deletes_total{resource="pods"}', 0],
    ['vcluster_audit_repairs_total{resource="pods"}', 0],
    ['vcluster_tokens_issued_total{reason="renewal"}', 0],
  ])('%s is %s before anything has happened', async (series, expected) => {
    expect(await value(series)).toBe(expected);
  });

  test('of the loop, by resource', async () => {
    metrics.loop.reconciled('pods', 'failed', 0.003);
    metrics.loop.lagged('pods', 0.02);
    metrics.loop.repaired('pods');
    metrics.loop.orphaned('services');
    metrics.loop.refused('pods', 'server');
    metrics.loop.tokensIssued('new', 3);
    expect(await value('vcluster_reconciles_total{resource="pods",outcome="failed"}')).toBe(1);
    expect(await value('vcluster_reconcile_duration_seconds_bucket{le="0.01",resource="pods"}')).toBe(1);
    expect(await value('vcluster_sync_lag_seconds_bucket{le="0.01",resource="pods"}')).toBe(0);
    expect(await value('vcluster_sync_lag_seconds_bucket{le="0.025",resource="pods"}')).toBe(1);
    expect(await value('vcluster_audit_repairs_total{resource="pods"}')).toBe(1);
    expect(await value('vcluster_orphan_deletes_total{resource="services"}')).toBe(1);
    expect(await value('vcluster_refusals_total{resource="pods",by="server"}')).toBe(1);
    expect(await value('vcluster_tokens_issued_total{reason="new"}')).toBe(3);
  });

  test('of both API servers', async () => {
    metrics.cluster.requested({ side: 'host', verb: 'patch', kind: 'pods/status', status: 200, seconds: 0.004 });
    metrics.cluster.requested({ side: 'host', verb: 'get', kind: 'pods', status: 0, seconds: 30 });
    metrics.cluster.watchRestarted({ side: 'virtual', kind: 'pods', reason: 'expired' });
    metrics.cluster.behind({ side: 'host', kind: 'pods', behind: true });
    expect(await value('vcluster_requests_total{side="host",verb="patch",kind="pods/status",status="200"}')).toBe(1);
    expect(await value('vcluster_requests_total{side="host",verb="get",kind="pods",status="0"}')).toBe(1);
    expect(await value('vcluster_request_duration_seconds_bucket{le="0.005",side="host",verb="patch"}')).toBe(1);
    expect(await value('vcluster_watch_restarts_total{side="virtual",kind="pods",reason="expired"}')).toBe(1);
    expect(await value('vcluster_watch_behind{side="host",kind="pods"}')).toBe(1);
    metrics.cluster.behind({ side: 'host', kind: 'pods', behind: false });
    expect(await value('vcluster_watch_behind{side="host",kind="pods"}')).toBe(0);
  });

  test('of the process', async () => {
    expect(await value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(await value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(await value('vcluster_event_loop_delay_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0);
    expect(await value('vcluster_gc_seconds_total{kind="major"}')).toBeGreaterThanOrEqual(0);
  });
});

interface Declared {
  readonly name: string;
  readonly type: string;
  readonly help: string;
}
