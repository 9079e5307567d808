/** Alerts, dashboard and their documentation agree with each other and with what the syncer serves. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { panels } from './dashboard.ts';
import { declaredMetrics } from './metrics-page.ts';

const root = join(import.meta.dirname, '../..');
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const { groups } = parse(read('chart/alerts/vcluster.yaml')) as Rules;
const alerts = groups.flatMap(({ rules }) => rules);
const docs = read('docs/observability.md');
const served = new Set(declaredMetrics().flatMap(({ name, type }) => seriesOf(name, type)));

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

function seriesOf(name: string, type: string): readonly string[] {
  return type === 'histogram' ? ['_bucket', '_sum', '_count'].map((suffix) => name + suffix) : [name];
}

/** Metrics and their selectors in an expression. */
function selectorsIn(expression: string): readonly (readonly [name: string, selector: string])[] {
  return [...expression.matchAll(/\b((?:vcluster|process)_\w+|up)\b(\{[^}]*\}|\$own)?/gu)].map(
    ([, name = '', selector = '']) => [name, selector],
  );
}

describe('chart/alerts [OPS-27]', () => {
  test.each(alerts.map((rule) => [rule.alert, rule.expr]))(
    '%s asks for metrics that are served, of this job only',
    (_, expr) => {
      const selectors = selectorsIn(expr);
      expect(selectors.length).toBeGreaterThan(0);
      for (const [name, selector] of selectors) {
        expect([...served, 'up']).toContain(name);
        // The chart's PrometheusRule narrows exactly this matcher to its own release.
        expect(selector).toContain('job="vcluster"');
      }
    },
  );

  test('each has a paragraph that says what to do, and no paragraph is left over', () => {
    const described = [...docs.matchAll(/^### (VirtualCluster\w+)\n\n\S/gmu)].map(([, name]) => name);
    expect(described).toEqual(expect.arrayContaining(alerts.map(({ alert }) => alert)));
    expect(described).toHaveLength(alerts.length);
  });
});

describe('chart/dashboards [OPS-27]', () => {
  test.each(panels.map((panel) => [panel.title, Object.values(panel.queries)]))(
    '%s asks for metrics that are served',
    (_, queries) => {
      for (const [name, selector] of queries.flatMap(selectorsIn)) {
        expect([...served]).toContain(name);
        expect(selector).toContain('$own');
      }
    },
  );
});
