/**
 * Two clusters in one namespace of the host, looked at from outside: where a pod runs and who decides it, what the syncer asks for
 * and what it never touches, what a pod finds under the names that it knows. On real API servers, whose audit logs are the witness.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, events, pods, secrets, services } from '../syncer/model/kubernetes.ts';
import type { PodSpec } from '../syncer/model/kubernetes.ts';
import { keyOf } from '../syncer/model/object.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { Audit } from './support/audit.ts';
import type { Call } from './support/audit.ts';
import { census, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, releaseServiceIp, syncerUsers } from './support/pair.ts';
import { onNode, PodStage } from './support/pod-stage.ts';

/** Nothing fits: the host pod stays without a node. */
const nowhere: Partial<PodSpec> = { nodeSelector: { slot: 'none' } };

let stage: PodStage;
let audits: Readonly<Record<'host' | 'virtual', Audit>>;

beforeAll(async () => {
  audits = { host: await Audit.of(syncerUsers.host), virtual: await Audit.of(syncerUsers.virtual) };
  const apiServerArgs = { host: audits.host.args, virtual: audits.virtual.args };
  stage = await PodStage.open('pods-one-namespace', { apiServerArgs });
  await stage.node('hand');
});

afterAll(async () => {
  await stage.close();
  await Promise.all(Object.values(audits).map((audit) => audit.remove()));
});

describe('the node', () => {
  test('is made in the virtual cluster before the pod is bound to it, by a binding [POD-40, TOP-03]', async () => {
    await stage.create('first-there', { ...onNode('hand') });
    await stage.virtualWhen('first-there', ({ spec }) => spec.nodeName === 'hand');
    // A request is in the log once it is over: what it has done can be seen before that.
    const calls = await eventually('the binding to be in the log', async () => {
      const all = await audits.virtual.calls();
      return all.some(({ what, name }) => what === 'pods/binding' && name === 'first-there') ? all : undefined;
    });
    const node = calls.findIndex(
      ({ verb, what, body }) => verb === 'create' && what === 'nodes' && nameIn(body) === 'hand',
    );
    const binding = calls.findIndex(({ what, name }) => what === 'pods/binding' && name === 'first-there');
    expect(node).toBeGreaterThanOrEqual(0);
    expect(binding).toBeGreaterThan(node);
    expect(
      calls.filter(({ verb, what, name }) => verb !== 'create' && what === 'pods' && name === 'first-there'),
    ).toEqual([]);
  });

  function nameIn(body: Call['body']): string | undefined {
    return (body as KubeObject | undefined)?.metadata.name;
  }

  test('that a tenant writes into the pod is refused: nothing reaches the host [POD-11]', async () => {
    const pod = await stage.create('chosen', { nodeName: 'kwok-1' });
    await stage.warning(pod.metadata.uid, "only the host's scheduler chooses the node");
    expect(await stage.host('chosen')).toBeUndefined();
    await stage.remove('virtual', pod, 0);
    await stage.gone('virtual', 'chosen', pod.metadata.uid);
  });

  test('that a tenant binds the pod to while the host has none: the pod cannot be repaired and goes on both sides [POD-42, POD-46]', async () => {
    const pod = await stage.create('bound-early', nowhere);
    await stage.hostWhen('bound-early');
    await stage.bind('virtual', pod, 'kwok-1');
    await stage.gone('virtual', 'bound-early', pod.metadata.uid);
    await stage.idle();
    expect(await stage.host('bound-early')).toBeUndefined();
  });

  test('that a tenant binds the pod to is not the one of the host: the same [POD-41, POD-46, TOP-03]', async () => {
    const pod = await stage.create('bound-elsewhere', nowhere);
    const host = await stage.hostWhen('bound-elsewhere');
    await stage.away(async () => {
      await stage.bind('virtual', pod, 'kwok-1');
      await stage.bind('host', host, 'hand');
    });
    const leaving = await stage.virtualWhen(
      'bound-elsewhere',
      ({ metadata }) => metadata.deletionTimestamp !== undefined,
    );
    expect(leaving.spec.nodeName).toBe('kwok-1');
    await stage.end('bound-elsewhere');
    await stage.gone('virtual', 'bound-elsewhere', pod.metadata.uid);
  });
});

describe('what a tenant writes into the status [POD-179]', () => {
  test('is put right from the host, at once and not at the next news of it', async () => {
    await stage.create('liar');
    const { virtual, host } = await stage.running('liar');
    const status = { phase: 'Failed', reason: 'Lies', podIP: '192.0.2.1', podIPs: [{ ip: '192.0.2.1' }] };
    await stage.pair.virtual.patch(pods, keyOf(virtual), { status }, 'status');
    const right = await stage.virtualWhen('liar', (pod) => pod.status?.phase === 'Running');
    expect(right.status?.podIP).toBe(host.status?.podIP);
    expect(right.status?.['reason']).toBeUndefined();
  });
});

describe('what the syncer asks for', () => {
  test('on the host is always in its own namespace, also to list and watch [CORE-04]', async () => {
    const calls = await audits.host.calls();
    expect(calls.filter(({ verb }) => verb === 'watch').length).toBeGreaterThan(0);
    // What has no kind is the API server itself: its version.
    const elsewhere = calls.filter(({ what, namespace: of }) => what !== '' && of !== hostNamespace);
    expect(elsewhere.map(({ verb, what, namespace: of }) => `${verb} ${what} in "${of}"`)).toEqual([]);
  });

  test('of the virtual side comes first when both sides have to be written [CORE-21]', async () => {
    await stage.create('both-ways', onNode('hand'));
    const host = await stage.hostWhen('both-ways', ({ spec }) => spec.nodeName === 'hand');
    await stage.virtualWhen('both-ways', ({ spec }) => spec.nodeName === 'hand');
    await stage.idle();
    const key = { namespace, name: 'both-ways' };
    await stage.away(async () => {
      await stage.pair.virtual.patch(pods, key, { metadata: { labels: { tier: 'new' } } });
      await stage.pair.host.patch(pods, keyOf(host), { status: { reason: 'News' } }, 'status');
    });
    await stage.hostWhen('both-ways', ({ metadata }) => metadata.labels?.['tier'] === 'new');
    await stage.idle();
    const [toVirtual, toHost] = [await audits.virtual.calls(), await audits.host.calls()];
    const last = (calls: readonly Call[], wanted: string, name: string): string =>
      calls.findLast((call) => call.verb === 'patch' && call.what === wanted && call.name === name)?.at ?? '';
    const [statusAt, labelsAt] = [
      last(toVirtual, 'pods/status', 'both-ways'),
      last(toHost, 'pods', hostNameOf('both-ways')),
    ];
    expect(statusAt).not.toBe('');
    expect(statusAt < labelsAt).toBe(true);
  });

  test('to be removed and is not there, is removed [CORE-37]', async () => {
    const key = { namespace: hostNamespace, name: 'never-was' };
    expect(await stage.pair.host.remove(pods, key, { uid: 'whatever' })).toBeUndefined();
    const pod = await stage.create('gone-twice', onNode('hand'));
    const host = await stage.hostWhen('gone-twice', ({ spec }) => spec.nodeName === 'hand');
    await stage.virtualWhen('gone-twice', ({ spec }) => spec.nodeName === 'hand');
    await Promise.all([stage.remove('virtual', pod, 0), stage.remove('host', host, 0)]);
    await stage.idle();
    expect([await stage.host('gone-twice'), await stage.virtual('gone-twice')]).toEqual([undefined, undefined]);
    expect(await stage.warnings(pod.metadata.uid)).toEqual([]);
  });
});

describe('secrets', () => {
  test('are in no line of the log, whatever happens to them, nor in any event [CORE-25]', async () => {
    const values = ['first-hush-value-1', 'second-hush-value-2', 'refused-hush-value-3'];
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const applied = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify({ data: values }) };
    const secret = made(secrets, { name: 'hush', annotations: applied }, { data: { a: base64(values[0] ?? '') } });
    await stage.pair.virtual.create(secrets, secret);
    const spec = { volumes: [{ name: 'hush', secret: { secretName: 'hush' } }] };
    await stage.create('keeps-secrets', spec);
    const { virtual } = await stage.running('keeps-secrets');
    const key = { namespace: hostNamespace, name: hostNameOf('hush') };
    const dataOf = async (): Promise<unknown> =>
      ((await stage.pair.host.get(secrets, key)) as { data?: { a?: string } } | undefined)?.data?.a;
    await until('the first value', async () => (await dataOf()) === base64(values[0] ?? ''));
    await stage.pair.virtual.patch(secrets, { namespace, name: 'hush' }, { data: { a: base64(values[1] ?? '') } });
    await until('the second value', async () => (await dataOf()) === base64(values[1] ?? ''));
    // Immutable on the host, by its own admin: what comes next is refused there.
    await stage.pair.host.patch(secrets, key, { immutable: true });
    await stage.pair.virtual.patch(secrets, { namespace, name: 'hush' }, { data: { a: base64(values[2] ?? '') } });
    await stage.idle();
    const token = (await stage.pair.host.get(secrets, {
      namespace: hostNamespace,
      name: `vc-token-${virtual.metadata.uid}`,
    })) as { data?: Readonly<Record<string, string>> } | undefined;
    const tokens = Object.values(token?.data ?? {});
    expect(tokens).toHaveLength(1);
    const hidden = [...values, ...tokens].flatMap((text) => [
      text,
      base64(text),
      Buffer.from(text, 'base64').toString(),
    ]);
    const { items } = await stage.pair.virtual.list(events, { namespace: '' }, AbortSignal.timeout(10_000));
    const open = (await readFile(join(stage.pair.virtualPlane.dir, 'syncer.log'), 'utf8')) + JSON.stringify(items);
    expect(open).toContain('secrets');
    expect(hidden.filter((text) => text.length > 8 && open.includes(text))).toEqual([]);
  });
});

describe('what belongs to the host', () => {
  test("its root certificate stays its own; pods are given the virtual cluster's, a token of it, and nothing of the host [NAM-09, POD-110, TOP-04]", async () => {
    const root = { namespace: hostNamespace, name: 'kube-root-ca.crt' };
    const own = await eventually("the host's certificate", () => stage.pair.host.get(configMaps, root));
    const { metadata } = await stage.create('trusting');
    await stage.running('trusting');
    const copied = await eventually('the copy', () =>
      stage.pair.host.get(configMaps, { ...root, name: hostNameOf('kube-root-ca.crt') }),
    );
    const virtual = await stage.pair.virtual.get(configMaps, { namespace, name: 'kube-root-ca.crt' });
    const dataOf = (object: KubeObject | undefined): unknown => (object as { data?: unknown } | undefined)?.data;
    expect(dataOf(copied)).toEqual(dataOf(virtual));
    expect(dataOf(copied)).not.toEqual(dataOf(own));
    expect(await stage.pair.host.get(configMaps, root)).toEqual(own);
    const { spec } = await stage.hostWhen('trusting');
    const fieldRef = { fieldPath: "metadata.annotations['vcluster.loft.sh/namespace']" };
    expect(spec).toMatchObject({ automountServiceAccountToken: false });
    expect(spec.volumes).toMatchObject([
      {
        projected: {
          sources: [
            { secret: { name: `vc-token-${metadata.uid}` } },
            { configMap: { name: hostNameOf('kube-root-ca.crt') } },
            { downwardAPI: { items: [{ path: 'namespace', fieldRef }] } },
          ],
        },
      },
    ]);
  });

  test('objects that only look like ours are left alone: copies that somebody made of them, with all their marks [NAM-30, TOP-05, TOP-15]', async () => {
    const pod = await stage.create('copied', nowhere);
    const host = await stage.hostWhen('copied');
    const { labels = {}, annotations = {} } = host.metadata;
    const copy = { name: 'backup-of-a-pod', namespace: hostNamespace, labels, annotations };
    const { spec } = host;
    const kept = await stage.pair.host.create(pods, made(pods, copy, { spec: { ...spec, ...nowhere } }));
    const other = await stage.pair.host.create(configMaps, made(configMaps, { ...copy, name: host.metadata.name }, {}));
    await stage.idle();
    await secondLook(stage.pair);
    await stage.remove('virtual', pod, 0);
    await stage.gone('host', 'copied', host.metadata.uid);
    await stage.idle();
    for (const [kind, object] of [
      [pods, kept],
      [configMaps, other],
    ] as const) {
      const left = await stage.pair.host.get(kind, keyOf(object));
      expect(left?.metadata).toMatchObject({ uid: object.metadata.uid, labels, annotations });
      expect(left?.metadata.deletionTimestamp).toBeUndefined();
    }
  });
});

describe('what a pod knows its surroundings by', () => {
  test('variables first and sorted, names of its own, the DNS of its namespace, the API server in its hosts file [POD-65, POD-70, POD-120, POD-121, POD-126, POD-128, TOP-13]', async () => {
    const spec = {
      subdomain: 'db',
      dnsConfig: { options: [{ name: 'ndots', value: '2' }], searches: ['example.com'] },
      containers: [
        {
          name: 'app',
          image: 'app:1',
          env: [
            { name: 'URL', value: 'https://$(KUBERNETES_SERVICE_HOST)' },
            { name: 'KUBERNETES_SERVICE_PORT', value: 'mine' },
          ],
        },
      ],
    };
    await stage.create('web-0', spec);
    const { host } = await stage.running('web-0');
    const dns = (await stage.pair.virtual.get(services, { namespace: 'kube-system', name: 'kube-dns' })) as
      | { spec: { clusterIP: string } }
      | undefined;
    const env = (host.spec.containers[0]?.env ?? []).map(({ name, value }) => [name, value] as const);
    const names = env.map(([name]) => name);
    expect(names.slice(-2)).toEqual(['URL', 'KUBERNETES_SERVICE_PORT']);
    expect(names.slice(0, -2)).toEqual(names.slice(0, -2).toSorted());
    expect(new Set(names).size).toBe(names.length);
    expect(Object.fromEntries(env)).toMatchObject({
      KUBERNETES_SERVICE_HOST: releaseServiceIp,
      KUBERNETES_SERVICE_PORT: 'mine',
    });
    expect(host.spec).toMatchObject({
      hostname: 'web-0',
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: [dns?.spec.clusterIP],
        searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'example.com'],
        options: [{ name: 'ndots', value: '2' }],
      },
    });
    expect(host.spec.subdomain).toBeUndefined();
    const alias = host.spec.hostAliases?.find(({ ip }) => ip === releaseServiceIp);
    expect(alias?.hostnames).toContain('kubernetes.default.svc.cluster.local');
  });

  test('and a second look at all of this writes nothing', async () => {
    await stage.idle();
    const before = await census(stage.pair);
    await secondLook(stage.pair);
    expect(await census(stage.pair)).toEqual(before);
  });
});
