/** The chart's part of observability: what it renders for the monitoring of the host, and the probes that the kubelet uses. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments, stringify } from 'yaml';
import { command } from '../testbed/command.ts';
import { resolveBinary, silent } from '../testbed/index.ts';
import { findPrometheus } from '../testbed/prometheus.ts';

const root = join(import.meta.dirname, '..');
const found = await findPrometheus(silent);
const promtool = 'obstacle' in found ? undefined : found.promtool;
if ('obstacle' in found) process.stdout.write(`Without promtool, because it cannot be had: ${found.obstacle}\n`);

interface Rendered {
  readonly kind: string;
  readonly metadata: {
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec: Spec;
}

interface Spec {
  readonly [field: string]: unknown;
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
  readonly ports: readonly { readonly name: string; readonly targetPort: unknown }[];
  readonly template: { readonly spec: { readonly initContainers: readonly Container[] } };
}

interface Container {
  readonly name: string;
  readonly env?: readonly object[];
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
  readonly livenessProbe?: { readonly httpGet: { readonly path: string } };
  readonly readinessProbe?: { readonly httpGet: { readonly path: string } };
}

let helm: string;

beforeAll(async () => {
  helm = await resolveBinary('helm', silent);
});

function template(set: Readonly<Record<string, unknown>> = {}): readonly Rendered[] {
  const values = Object.entries(set).flatMap(([path, value]) => ['--set-json', `${path}=${JSON.stringify(value)}`]);
  const args = ['template', 'team-a', join(root, 'chart'), '--namespace', 'tenants', '--kube-version', '1.34.0'];
  const output = execFileSync(helm, [...args, ...values], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  return parseAllDocuments(output)
    .map((document) => document.toJS() as Rendered | null)
    .filter((object) => object !== null);
}

function only(kind: string, set: Readonly<Record<string, unknown>>): Rendered {
  const objects = template(set).filter((object) => object.kind === kind);
  expect(objects).toHaveLength(1);
  return objects[0] as Rendered;
}

function syncer(set?: Readonly<Record<string, unknown>>): Container {
  const [stateful] = template(set).filter(({ kind }) => kind === 'StatefulSet');
  return stateful?.spec.template.spec.initContainers.find(({ name }) => name === 'syncer') ?? { name: 'none' };
}

describe('the chart', () => {
  test('has the kubelet restart the syncer by /healthz, which depends on no API server, and ask /readyz whether tenants are served [OPS-10]', () => {
    const { livenessProbe, readinessProbe } = syncer();
    expect(livenessProbe?.httpGet.path).toBe('/healthz');
    expect(readinessProbe?.httpGet.path).toBe('/readyz');
  });

  test('offers metrics by a port of the headless Service', () => {
    const ports = template()
      .filter(({ kind }) => kind === 'Service')
      .flatMap(({ spec }) => spec.ports)
      .filter(({ name }) => name === 'metrics');
    expect(ports).toEqual([expect.objectContaining({ targetPort: 'metrics' })]);
    expect(syncer().ports).toContainEqual({ name: 'metrics', containerPort: 8080 });
  });

  test('makes a ServiceMonitor that selects its own Services, and whose labels are the user’s', () => {
    const set = {
      'controlPlane.serviceMonitor': { enabled: true, labels: { release: 'prom' }, annotations: { a: 'b' } },
    };
    const { metadata, spec } = only('ServiceMonitor', set);
    expect(metadata).toMatchObject({ labels: { app: 'vcluster', release: 'prom' }, annotations: { a: 'b' } });
    expect(spec).toMatchObject({
      selector: { matchLabels: { app: 'vcluster', release: 'team-a' } },
      jobLabel: 'app',
      targetLabels: ['release'],
      endpoints: [{ port: 'metrics' }],
    });
  });

  test('makes a PrometheusRule with every alert, about its own release only', async () => {
    const { spec } = only('PrometheusRule', { 'controlPlane.prometheusRule.enabled': true });
    const shipped = await readFile(join(root, 'chart/alerts/vcluster.yaml'), 'utf8');
    const rules = spec.groups.flatMap((group) => group.rules);
    expect(rules.map(({ alert }) => alert)).toEqual([...shipped.matchAll(/alert: (\w+)/gu)].map(([, name]) => name));
    for (const { expr } of rules) {
      const jobs = expr.match(/job="vcluster"/gu) ?? [];
      const narrowed = expr.match(/job="vcluster",namespace="tenants",release="team-a"/gu) ?? [];
      expect(narrowed.length, expr).toBe(jobs.length);
    }
  });

  test.runIf(promtool !== undefined)('makes a PrometheusRule that Prometheus accepts', async () => {
    const { spec } = only('PrometheusRule', { 'controlPlane.prometheusRule.enabled': true });
    const dir = await mkdtemp(join(tmpdir(), 'rules-'));
    await writeFile(join(dir, 'rules.yaml'), stringify(spec));
    const said = await command(promtool ?? '', ['check', 'rules', join(dir, 'rules.yaml')]);
    await rm(dir, { recursive: true });
    expect(said).toContain('SUCCESS');
  });

  test('makes a ConfigMap for Grafana with a dashboard of its own identity', () => {
    const { metadata, data } = only('ConfigMap', { 'controlPlane.grafanaDashboard.enabled': true });
    expect(metadata.labels['grafana_dashboard']).toBe('1');
    const [[file, text] = ['', '']] = Object.entries(data ?? {});
    expect(file).toBe('vcluster-tenants-team-a.json');
    const dashboard = JSON.parse(text) as { title: string; uid: string; panels: unknown[] };
    expect(dashboard).toMatchObject({
      title: 'Virtual cluster tenants/team-a',
      uid: expect.stringMatching(/^vcluster-.{12}$/u),
    });
    expect(dashboard.panels.length).toBeGreaterThan(15);
  });

  test('traces only when an endpoint is given, and takes what is secret about it from a Secret', () => {
    expect(syncer().env).toBeUndefined();
    const tracing = { endpoint: 'http://collector:4318', headersSecret: 'otlp', sampleRatio: '0.1' };
    expect(syncer({ tracing }).env).toEqual([
      { name: 'OTEL_EXPORTER_OTLP_ENDPOINT', value: 'http://collector:4318' },
      { name: 'OTEL_TRACES_SAMPLER_ARG', value: '0.1' },
      { name: 'OTEL_EXPORTER_OTLP_HEADERS', valueFrom: { secretKeyRef: { name: 'otlp', key: 'headers' } } },
    ]);
  });

  test.each([
    ['a ratio above 1', { 'tracing.sampleRatio': '2' }],
    ['an endpoint that is no URL', { 'tracing.endpoint': 'collector:4318' }],
  ])('refuses %s', (_, set) => {
    expect(() => template(set)).toThrow('does not match pattern');
  });
});
