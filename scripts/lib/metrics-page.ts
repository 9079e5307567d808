/** Turns the registry of the syncer's metrics into the reference page docs/metrics.md; the emitted file is committed. */
import { createMetrics } from '../../syncer/service/metrics.ts';

/** What prom-client knows of a metric, beside its values. */
interface Declared {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** Every metric that the syncer serves, in the order of its registry. */
export function declaredMetrics(): readonly Declared[] {
  const none = () => [];
  const { registry } = createMetrics({
    version: '',
    kubernetesVersion: '',
    resources: [],
    queue: () => ({ lanes: [], retrying: 0, inWork: 0 }),
    ready: () => false,
    held: () => false,
    watches: none,
    inFlight: none,
  });
  return registry.getMetricsAsArray() as unknown as readonly Declared[];
}

/** The whole page. */
export function metricsPage(): string {
  const rows = declaredMetrics().map(
    ({ name, type, labelNames, help }) =>
      `| \`${name}\` | ${type} | ${labelNames.map((label) => `\`${label}\``).join(' ')} | ${help.replaceAll('|', '\\|')} |`,
  );
  return [
    '# Metrics of the syncer',
    '',
    'Generated from syncer/service/ by `npm run generate`; do not edit. How to scrape them and what to do when one of them is bad:',
    '[observability.md](observability.md).',
    '',
    '`side` is `host` or `virtual`; `kind` and `resource` are plurals such as `pods`. A histogram has `_bucket`, `_sum` and `_count`.',
    '',
    '| Metric | Type | Labels | |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
