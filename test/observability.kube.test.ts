/**
 * What operators see of a syncer, with a real Prometheus and an OTLP receiver: every panel and alert has data, alerts fire when API
 * servers or the syncer go and end when they are back, probes say what is missing, and no Secret is in any of it. The program is
 * the bundle of the image.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleSyncer } from '../scripts/lib/image.ts';
import { panels } from '../scripts/lib/dashboard.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { events, pods, secrets, services } from '../syncer/model/kubernetes.ts';
import type { Event } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { silent, stateDir } from '../testbed/index.ts';
import { command } from '../testbed/command.ts';
import { findPrometheus } from '../testbed/prometheus.ts';
import type { Prometheus } from '../testbed/prometheus.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { eventually, until } from './support/eventually.ts';
import { makeNamespace } from './support/namespaces.ts';
import { startOtlpReceiver } from './support/otlp-receiver.ts';
import type { OtlpReceiver } from './support/otlp-receiver.ts';
import { hostNamespace, releaseName, startPair } from './support/pair.ts';
import type { Pair } from './support/pair.ts';
import { alertRules, alertsFile, startScraping } from './support/scraping.ts';

const dir = join(stateDir, 'observability');
/** In a Secret of the tenant's; in base64 as the API servers keep it. */
const password = 'correct-horse-battery-staple';
const own = `job="vcluster",namespace="${hostNamespace}",release="${releaseName}"`;

const found = await findPrometheus(silent);
const programs = 'obstacle' in found ? undefined : found;
if ('obstacle' in found) process.stdout.write(`Without Prometheus, because it cannot be had: ${found.obstacle}\n`);

const names = ['one', 'two', 'three'];
/** On a busy machine everything between a cause and its alert takes its time. */
const alertLimitMs = 60_000;
/** A key that has failed for long waits up to a minute for its next try (OPS-13). */
const retriedAfterMs = 90_000;

let pair: Pair;
let prometheus: Prometheus | undefined;
let otlp: OtlpReceiver;

beforeAll(async () => {
  await mkdir(dir, { recursive: true });
  otlp = await startOtlpReceiver();
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = otlp.url;
  process.env['OTEL_BSP_SCHEDULE_DELAY'] = '200';
  await bundleSyncer(join(dir, 'program'));
  pair = await startPair('observability', { program: join(dir, 'program/syncer.mjs') });
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (programs !== undefined) prometheus = await startScraping(programs.prometheus, dir, pair.syncer);
  await prepare();
});

afterAll(async () => {
  await prometheus?.stop();
  await pair.stop();
  await otlp.stop();
});

async function prepare(): Promise<void> {
  const quotas: Kind = { group: '', version: 'v1', plural: 'resourcequotas', kind: 'ResourceQuota', namespaced: true };
  const quota = { namespace: hostNamespace, name: 'no-balancers' };
  const hard = { 'services.loadbalancers': '0' };
  await pair.host.create(quotas, made(quotas, quota, { spec: { hard } }));
  await until('the quota to count', async () => {
    const counted = (await pair.host.get(quotas, quota)) as { status?: { hard?: object } } | undefined;
    return counted?.status?.hard !== undefined;
  });
  await makeNamespace(pair, namespace);
}

function podOf(name: string, spec: object = {}): KubeObject {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } }];
  return made(pods, { name }, { spec: { containers: [{ name: 'c', image: 'x', env }], ...spec } });
}

async function answer(path: string): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(new URL(path, pair.syncer.healthUrl));
  return { status: response.status, text: await response.text() };
}

async function metric(series: string): Promise<number> {
  const line = (await pair.syncer.metrics()).split('\n').find((candidate) => candidate.startsWith(series));
  return line === undefined ? 0 : Number(line.split(' ').at(-1));
}

/** The syncer's log so far; its last line may be only half there yet. */
async function logLines(): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const text = await readFile(pair.syncer.logFile, 'utf8');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function isFiring(alert: string): Promise<boolean> {
  const alerts = (await prometheus?.alerts()) ?? [];
  return alerts.some(({ labels, state }) => labels['alertname'] === alert && state === 'firing');
}

const fires = (alert: string): Promise<void> => until(`${alert} to fire`, () => isFiring(alert), alertLimitMs);
const ends = (alert: string): Promise<void> =>
  until(`${alert} to end`, async () => !(await isFiring(alert)), alertLimitMs);

describe('what a tenant does', { timeout: 2 * alertLimitMs }, () => {
  test('shows in metrics by kind, side and status [OPS-27]', async () => {
    await pair.virtual.create(secrets, made(secrets, { name: 'login' }, { stringData: { password } }));
    for (const name of names) await pair.virtual.create(pods, podOf(name));
    const spec = { selector: { app: 'x' }, ports: [{ port: 80 }] };
    await pair.virtual.create(services, made(services, { name: 'web' }, { spec }));
    for (const name of names)
      await until(`pod ${name} to run`, async () => {
        const pod = await pair.virtual.get(pods, { namespace, name });
        return (pod as { status?: { phase?: string } } | undefined)?.status?.phase === 'Running';
      });
    await pair.virtual.patch(pods, { namespace, name: 'one' }, { metadata: { labels: { tier: 'front' } } });
    await until('the label to arrive', async () => {
      const pod = await pair.host.get(pods, { namespace: hostNamespace, name: hostNameOf('one') });
      return Object.values(pod?.metadata.labels ?? {}).includes('front');
    });
    const text = await pair.syncer.metrics();
    expect(text).toContain('vcluster_requests_total{side="host",verb="create",kind="pods",status="');
    expect(text).toContain('vcluster_requests_total{side="virtual",verb="patch",kind="pods/status",status="');
    for (const series of [
      'vcluster_sync_lag_seconds_count{resource="pods"}',
      'vcluster_reconciles_total{resource="services",outcome="settled"}',
      'vcluster_cache_objects{side="host",kind="pods"}',
      'vcluster_tokens_issued_total{reason="new"}',
    ])
      expect(await metric(series), series).toBeGreaterThan(0);
    expect(text).not.toContain(namespace);
  });

  test('and cannot have is counted, logged with key and reason, and told in an event without names of the host [OPS-27, CORE-07]', async () => {
    const balancer = { type: 'LoadBalancer', ports: [{ port: 80 }] };
    await pair.virtual.create(services, made(services, { name: 'mighty' }, { spec: balancer }));
    await pair.virtual.create(pods, podOf('claiming', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'gpu' }] }));
    const told = async (name: string): Promise<Event | undefined> => {
      const { items } = await pair.virtual.list(events, { namespace }, AbortSignal.timeout(10_000));
      return (items as readonly Event[]).find(
        ({ involvedObject, type }) => involvedObject.name === name && type === 'Warning',
      );
    };
    const byServer = await eventually('the event of what the host refused', () => told('mighty'));
    const byPolicy = await eventually('the event of what we refused', () => told('claiming'));
    expect(byServer).toMatchObject({ reason: 'SyncError', message: expect.stringContaining('exceeded quota') });
    expect(byPolicy).toMatchObject({ reason: 'SyncError', message: expect.stringContaining('resourceClaims') });
    for (const { message = '' } of [byServer, byPolicy] as { message?: string }[]) {
      expect(message).not.toContain(hostNamespace);
      expect(message).not.toContain(releaseName);
    }
    // Counted and logged once the event is there, and the log is written when there is time.
    const refusals = (of: string): Promise<number> => metric(`vcluster_refusals_total{${of}}`);
    await expect.poll(() => refusals('resource="services",by="server"')).toBeGreaterThan(0);
    await expect.poll(() => refusals('resource="pods",by="policy"')).toBe(1);
    await expect.poll(logLines).toContainEqual(
      expect.objectContaining({
        level: 'info',
        resource: 'pods',
        key: `${namespace}/claiming`,
        reason: expect.stringContaining('resourceClaims'),
      }),
    );
    await expect
      .poll(logLines)
      .toContainEqual(
        expect.objectContaining({ key: `${namespace}/mighty`, err: expect.objectContaining({ status: 403 }) }),
      );
    if (prometheus !== undefined) await fires('VirtualClusterRefusals');
  });

  test('is traced: a span for each look at a key, with a child for each write', async () => {
    const look = await eventually('the look that created the pod', async () =>
      otlp.spans.find(
        ({ name, spanId, attributes }) =>
          name === 'reconcile pods' &&
          attributes['vcluster.object.name'] === 'one' &&
          otlp.spans.some((child) => child.parentId === spanId && child.name === 'POST pods'),
      ),
    );
    expect(look).toMatchObject({
      parentId: '',
      attributes: { 'vcluster.object.namespace': namespace, 'vcluster.outcome': 'settled' },
      resource: {
        'service.name': 'vcluster-syncer',
        'service.version': expect.any(String),
        'k8s.namespace.name': hostNamespace,
      },
    });
    const child = otlp.spans.find(({ name, parentId }) => name === 'POST pods' && parentId === look.spanId);
    expect(child).toMatchObject({
      traceId: look.traceId,
      kind: 3,
      isError: false,
      attributes: { 'http.request.method': 'POST', 'server.address': '127.0.0.1', 'vcluster.side': 'host' },
    });
    const refused = await eventually('the refusal', async () =>
      otlp.spans.find(({ name, attributes }) => name === 'POST services' && attributes['error.type'] === '403'),
    );
    expect(refused.isError).toBe(true);
  });
});

describe('the syncer and API servers go and come back', { timeout: 4 * alertLimitMs }, () => {
  test('a syncer that waits for its virtual API server says so, and is not restarted for it [OPS-10]', async () => {
    await pair.syncer.stop();
    if (prometheus !== undefined) await fires('VirtualClusterSyncerDown');
    await pair.virtual.remove(services, { namespace, name: 'web' }, { uid: await uidOf(services, 'web') });
    await pair.virtualPlane.stop('kube-apiserver', 'SIGKILL');
    await pair.syncer.launch();
    const waiting = '[+] host API\n[-] virtual API\n';
    await until('the host to be reached', async () => (await answer('/readyz?verbose')).text.startsWith(waiting));
    expect((await answer('/readyz')).status).toBe(503);
    expect(await answer('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    if (prometheus !== undefined) await fires('VirtualClusterNotReady');
    await pair.virtualPlane.start('kube-apiserver');
    await pair.syncer.ready();
    expect((await answer('/readyz?verbose')).text).not.toContain('[-]');
    // What was deleted meanwhile is gone on the host, too.
    await until(
      'the orphan to be deleted',
      async () => (await metric('vcluster_orphan_deletes_total{resource="services"}')) > 0,
    );
    if (prometheus !== undefined)
      for (const alert of ['VirtualClusterSyncerDown', 'VirtualClusterNotReady']) await ends(alert);
  });

  test('an API server that goes away shows in watches and requests, not in the liveness of the syncer [OPS-10]', async () => {
    await pair.virtualPlane.stop('kube-apiserver', 'SIGKILL');
    const message = 'seen by nobody yet';
    for (const name of names) {
      const key = { namespace: hostNamespace, name: hostNameOf(name) };
      await pair.host.patch(pods, key, { status: { message } }, 'status');
    }
    if (prometheus !== undefined) await fires('VirtualClusterRequestsFail');
    await until('failed requests', async () =>
      /vcluster_requests_total\{side="virtual".*status="0"\} [1-9]/u.test(await pair.syncer.metrics()),
    );
    expect(await answer('/healthz')).toEqual({ status: 200, text: 'ok\n' });
    await until('the key to be tried again', async () => (await metric('vcluster_retrying_keys')) > 0);
    await pair.virtualPlane.start('kube-apiserver');
    await until(
      'the message to arrive',
      async () => {
        const pod = await pair.virtual.get(pods, { namespace, name: 'two' });
        return (pod as { status?: { message?: string } } | undefined)?.status?.message === message;
      },
      retriedAfterMs,
    );
    if (prometheus !== undefined) await ends('VirtualClusterRequestsFail');
  });
});

describe.runIf(programs !== undefined)('Prometheus', () => {
  const queries = panels.flatMap((panel) => Object.values(panel.queries).map((query) => [panel.title, query] as const));

  test.each(queries)('has data for the panel "%s" [OPS-27]', async (_, query) => {
    const expression = query.replaceAll('$own', own).replaceAll('$__rate_interval', '1m');
    expect(await prometheus?.query(expression)).not.toEqual([]);
  });

  test('has data for both sides of every alert [OPS-27]', async () => {
    for (const { alert, expr } of await alertRules()) {
      for (const part of expr.split(' and ')) {
        const measured = part.replace(/ (?:>|==) [\d.]+$/u, '');
        expect(measured, alert).not.toBe(part);
        expect(await prometheus?.query(measured), measured).not.toEqual([]);
      }
    }
  });

  test('accepts the alerts, and each fires when it should and not before', async () => {
    const promtool = programs?.promtool ?? '';
    expect(await command(promtool, ['check', 'rules', alertsFile])).toContain('SUCCESS');
    expect(await command(promtool, ['test', 'rules', join(import.meta.dirname, 'support/alerts.yaml')])).toContain(
      'SUCCESS',
    );
  });
});

async function uidOf(kind: Kind, name: string): Promise<string> {
  return (await pair.virtual.get(kind, { namespace, name }))?.metadata.uid ?? '';
}

describe('a right that the host does not give', () => {
  const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true } as const;
  const roles: Kind = { ...rbac, plural: 'roles', kind: 'Role' };
  const role = { namespace: hostNamespace, name: `vc-${releaseName}` };

  test('ends the start with words that name the rule to add [OPS-17]', async () => {
    const { rules } = (await pair.host.get(roles, role)) as unknown as {
      rules: readonly { resources: readonly string[] }[];
    };
    const without = rules.map((rule) => ({
      ...rule,
      resources: rule.resources.filter((name) => name !== 'configmaps'),
    }));
    await pair.syncer.stop();
    await pair.host.patch(roles, role, { rules: without.filter(({ resources }) => resources.length > 0) });
    await pair.syncer.launch();
    await until('the probe to say what is refused', async () =>
      (await answer('/readyz')).text.includes('host configmaps (403)'),
    );
    await pair.syncer.ended();
    await pair.host.patch(roles, role, { rules });
    expect(pair.syncer.end).toEqual({ code: 1, signal: null });
    const log = await readFile(pair.syncer.logFile, 'utf8');
    expect(log).toContain(`refuses to list configmaps in namespace ${hostNamespace} (403)`);
    expect(log).toMatch(/lacks: \{"apiGroups":\[""\],"resources":\["configmaps"\],"verbs":\[.*"list".*"watch".*\]\}/u);
    await pair.syncer.start();
  });
});

describe('of a Secret', () => {
  test('nothing is in logs of level debug, metrics, spans or probes, whatever went wrong meanwhile [CORE-25]', async () => {
    expect(
      (await pair.host.get(secrets, { namespace: hostNamespace, name: hostNameOf('login') }))?.metadata.name,
    ).toBeDefined();
    const log = await readFile(pair.syncer.logFile, 'utf8');
    expect(log).toContain(`${namespace}/login`);
    const seen = {
      log,
      metrics: await pair.syncer.metrics(),
      spans: Buffer.concat(otlp.raw).toString('latin1'),
      probes: (await answer('/readyz?verbose')).text,
    };
    const base64 = Buffer.from(password).toString('base64');
    // Tokens, of pods and our own: JSON web tokens all begin alike.
    const leaks = Object.entries(seen).filter(
      ([, text]) => text.includes(password) || text.includes(base64) || /eyJhbGciOi[\w-]{20}/u.test(text),
    );
    expect(leaks.map(([where]) => where)).toEqual([]);
  });
});
