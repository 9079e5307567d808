/**
 * The Grafana dashboard of the syncer: a row per panel here, the long form in chart/dashboards/vcluster.json (`npm run generate`).
 * Each query picks its virtual clusters by the variables `namespace` and `release`.
 */

interface Panel {
  readonly title: string;
  readonly kind: 'stat' | 'timeseries';
  /** A unit of Grafana's. */
  readonly unit: string;
  /** Queries by legend; `$own` stands for the selector of the chosen virtual clusters. */
  readonly queries: Readonly<Record<string, string>>;
}

const stat = (title: string, query: string, unit = 'none'): Panel => ({
  title,
  kind: 'stat',
  unit,
  queries: { '{{namespace}}/{{release}}': query },
});

const graph = (title: string, unit: string, queries: Readonly<Record<string, string>>): Panel => ({
  title,
  kind: 'timeseries',
  unit,
  queries,
});

const rate = (metric: string, by: string, more = ''): string =>
  `sum by (${by}) (rate(${metric}{$own${more}}[$__rate_interval]))`;

const quantile = (share: number, metric: string, by: string): string =>
  `histogram_quantile(${share}, sum by (${by}, le) (rate(${metric}_bucket{$own}[$__rate_interval])))`;

/** In the order in which they are shown, two in a row. */
export const panels: readonly Panel[] = [
  stat('Ready', 'vcluster_ready{$own}'),
  stat('Data-loss guard', 'vcluster_data_loss_guard{$own}'),
  graph('From event to write', 's', {
    p50: quantile(0.5, 'vcluster_sync_lag_seconds', 'release'),
    p99: quantile(0.99, 'vcluster_sync_lag_seconds', 'release'),
  }),
  graph('Keys waiting', 'none', { '{{lane}}': 'sum by (lane) (vcluster_queue_length{$own})' }),
  graph('Oldest waiting key', 's', { '{{lane}}': 'max by (lane) (vcluster_queue_oldest_seconds{$own})' }),
  graph('Keys tried again', 'none', { '{{release}}': 'vcluster_retrying_keys{$own}' }),
  graph('Looks at keys', 'ops', { '{{resource}}': rate('vcluster_reconciles_total', 'resource') }),
  graph('Failed looks', 'ops', { '{{resource}}': rate('vcluster_reconciles_total', 'resource', ',outcome="failed"') }),
  graph('Duration of a look, p99', 's', {
    '{{resource}}': quantile(0.99, 'vcluster_reconcile_duration_seconds', 'resource'),
  }),
  graph('Refusals', 'ops', { '{{resource}}': rate('vcluster_refusals_total', 'resource') }),
  graph('Orphans deleted and differences repaired', 'ops', {
    'orphans {{resource}}': rate('vcluster_orphan_deletes_total', 'resource'),
    'repairs {{resource}}': rate('vcluster_audit_repairs_total', 'resource'),
  }),
  graph('Tokens', 'ops', { '{{reason}}': rate('vcluster_tokens_issued_total', 'reason') }),
  graph('Requests', 'reqps', { '{{side}} {{verb}}': rate('vcluster_requests_total', 'side, verb') }),
  graph('Requests by status', 'reqps', { '{{side}} {{status}}': rate('vcluster_requests_total', 'side, status') }),
  graph('Duration of a request, p99', 's', {
    '{{side}} {{verb}}': quantile(0.99, 'vcluster_request_duration_seconds', 'side, verb'),
  }),
  graph('Requests in flight', 'none', { '{{side}}': 'sum by (side) (vcluster_requests_in_flight{$own})' }),
  graph('Watches begun anew', 'ops', { '{{side}} {{reason}}': rate('vcluster_watch_restarts_total', 'side, reason') }),
  graph('Silence of watches', 's', {
    '{{side}}': 'max by (side) (time() - vcluster_watch_last_event_timestamp_seconds{$own})',
  }),
  graph('Objects in memory', 'none', { '{{side}} {{kind}}': 'sum by (side, kind) (vcluster_cache_objects{$own})' }),
  graph('Memory', 'bytes', {
    resident: 'process_resident_memory_bytes{$own}',
    heap: 'vcluster_heap_used_bytes{$own}',
  }),
  graph('CPU', 'none', {
    used: rate('process_cpu_seconds_total', 'release'),
    'of it garbage collection': rate('vcluster_gc_seconds_total', 'release'),
  }),
  graph('Event loop delay', 's', { 'p{{quantile}}': 'vcluster_event_loop_delay_seconds{$own}' }),
];

const selector = 'job="vcluster",namespace=~"$namespace",release=~"$release"';
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** The dashboard as Grafana imports it. */
export function dashboard(): object {
  return {
    title: 'Virtual clusters',
    uid: 'vcluster-syncer',
    tags: ['kubernetes', 'vcluster'],
    schemaVersion: 39,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    templating: {
      list: [datasourceVariable, variable('namespace', ''), variable('release', ',namespace=~"$namespace"')],
    },
    panels: panels.map(panelJson),
  };
}

const datasourceVariable = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' };

function variable(name: string, within: string): object {
  const query = `label_values(vcluster_build_info{job="vcluster"${within}}, ${name})`;
  const all = { includeAll: true, multi: true, allValue: '.*', current: { text: 'All', value: '$__all' } };
  return { name, type: 'query', datasource, query, refresh: 2, sort: 1, ...all };
}

function panelJson({ title, kind, unit, queries }: Panel, index: number): object {
  return {
    id: index + 1,
    title,
    type: kind,
    datasource,
    gridPos: { x: (index % 2) * 12, y: Math.floor(index / 2) * 7, w: 12, h: 7 },
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    targets: Object.entries(queries).map(([legendFormat, query], target) => ({
      refId: String.fromCodePoint(65 + target),
      datasource,
      expr: query.replaceAll('$own', selector),
      legendFormat,
    })),
  };
}
