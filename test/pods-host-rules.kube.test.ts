/**
 * Pods meet a host that has rules of its own, on real API servers: what is sent there passes as the tenant wrote it, and admission
 * plugins of the host add, change and refuse without anybody being misled.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isStatus } from '../syncer/model/errors.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { configMaps, namespaces, pods, services } from '../syncer/model/kubernetes.ts';
import type { Pod, PodSpec } from '../syncer/model/kubernetes.ts';
import { keyOf } from '../syncer/model/object.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { hostNameOf, made } from './samples/sample.ts';
import { untilRefused } from './support/admission.ts';
import { Audit } from './support/audit.ts';
import type { Call } from './support/audit.ts';
import { census, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, syncerUsers } from './support/pair.ts';
import { kindOf, onNode, PodStage } from './support/pod-stage.ts';

const limitRanges = kindOf('', 'v1', 'limitranges', 'LimitRange');
const admission = 'admissionregistration.k8s.io';
const onClusters = (kind: Kind): Kind => ({ ...kind, namespaced: false });
const policies = onClusters(kindOf(admission, 'v1', 'mutatingadmissionpolicies', 'MutatingAdmissionPolicy'));
const policyBindings = onClusters(
  kindOf(admission, 'v1', 'mutatingadmissionpolicybindings', 'MutatingAdmissionPolicyBinding'),
);
const priorityClasses = onClusters(kindOf('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass'));
const runtimeClasses = onClusters(kindOf('node.k8s.io', 'v1', 'runtimeclasses', 'RuntimeClass'));
/** Nothing fits: the host pod stays without a node. */
const nowhere: Partial<PodSpec> = { nodeSelector: { slot: 'none' } };

let stage: PodStage;
let audits: Readonly<Record<'host' | 'virtual', Audit>>;

beforeAll(async () => {
  audits = { host: await Audit.of(syncerUsers.host), virtual: await Audit.of(syncerUsers.virtual) };
  const apiServerArgs = { host: audits.host.args, virtual: audits.virtual.args };
  // What the host refuses is the subject, not what never gets there.
  const values = { policies: { podSecurityStandard: 'privileged' } } as const;
  stage = await PodStage.open('pods-host-rules', { apiServerArgs, values });
  await stage.node('hand');
});

afterAll(async () => {
  await stage.close();
  await Promise.all(Object.values(audits).map((audit) => audit.remove()));
});

/** What the syncer sent when it made a host pod. */
async function sent(name: string): Promise<Call['body']> {
  return eventually(`the request for pod ${name}`, async () => {
    const calls = await audits.host.calls();
    const isIt = ({ verb, what, body }: Call): boolean =>
      verb === 'create' && what === 'pods' && (body as KubeObject | undefined)?.metadata.name === hostNameOf(name);
    return calls.find(isIt)?.body;
  });
}

async function expectRest(): Promise<void> {
  await stage.idle();
  const before = await census(stage.pair);
  await secondLook(stage.pair);
  expect(await census(stage.pair)).toEqual(before);
}

describe('what is sent', () => {
  test('has a name of its own making, and nothing that a server fills in: no status, no generation, no defaults twice [POD-16, POD-61, POD-66]', async () => {
    const pod = made(pods, { name: '' }, { spec: { containers: [{ name: 'c', image: 'x' }] } });
    const { name: _, ...metadata } = pod.metadata;
    const {
      metadata: { name },
    } = await stage.pair.virtual.create(pods, {
      ...pod,
      metadata: { ...metadata, generateName: 'made-up-' },
    } as unknown as KubeObject);
    await stage.running(name);
    const body = await sent(name);
    expect(Object.keys(body ?? {}).toSorted()).toEqual(['apiVersion', 'kind', 'metadata', 'spec', 'status']);
    // The audit log shows the request as decoded: a status that was not sent is an empty one.
    expect(body?.['status']).toEqual({});
    const fields = Object.keys((body as KubeObject | undefined)?.metadata ?? {}).toSorted();
    expect(fields).toEqual(['annotations', 'labels', 'name', 'namespace', 'ownerReferences']);
    const { spec } = await stage.hostWhen(name);
    expect(spec.tolerations?.map(({ key }) => key)).toEqual([
      'node.kubernetes.io/not-ready',
      'node.kubernetes.io/unreachable',
    ]);
    expect((spec.volumes ?? []).map((volume) => Object.keys(volume))).toEqual([['name', 'projected']]);
  });

  test.each<readonly [string, Partial<PodSpec>]>([
    [
      'probes, hooks and sidecars',
      {
        terminationGracePeriodSeconds: 7,
        initContainers: [
          { name: 'proxy', image: 'proxy:1', restartPolicy: 'Always', startupProbe: { tcpSocket: { port: 15001 } } },
          { name: 'setup', image: 'setup:1' },
        ],
        containers: [
          {
            name: 'app',
            image: 'app:1',
            livenessProbe: { httpGet: { path: '/live', port: 'http', host: '127.0.0.1' }, periodSeconds: 3 },
            readinessProbe: { grpc: { port: 9000, service: 'x' }, failureThreshold: 9 },
            startupProbe: { exec: { command: ['true'] }, terminationGracePeriodSeconds: 4 },
            lifecycle: { postStart: { exec: { command: ['a'] } }, preStop: { sleep: { seconds: 2 } } },
          },
        ],
      },
    ],
    [
      'settings of Windows',
      {
        ...nowhere,
        os: { name: 'windows' },
        securityContext: { windowsOptions: { gmsaCredentialSpecName: 'web-app', runAsUserName: 'ContainerUser' } },
      },
    ],
  ])('has %s as the tenant wrote them [POD-62, POD-69, POD-173, POD-174, POD-175]', async (title, spec) => {
    const name = `passes-${title.length}`;
    await stage.create(name, spec);
    const [host, virtual] = [await stage.hostWhen(name), await stage.virtual(name)];
    const fields = ['terminationGracePeriodSeconds', 'os', 'securityContext', 'restartPolicy'];
    for (const field of fields) expect(host.spec[field]).toEqual(virtual?.spec[field]);
    const bare = (pod: Pod | undefined): unknown =>
      [...(pod?.spec.initContainers ?? []), ...(pod?.spec.containers ?? [])].map(
        ({ env: _env, ...container }) => container,
      );
    expect(bare(host)).toEqual(bare(virtual));
  });

  test('of a sidecar comes back: it runs although it is an init container [POD-92, POD-175]', async () => {
    const initContainers = [{ name: 'proxy', image: 'proxy:1', restartPolicy: 'Always' }];
    await stage.create('with-sidecar', { initContainers });
    const { virtual } = await stage.running('with-sidecar');
    expect(virtual.status?.initContainerStatuses).toMatchObject([{ name: 'proxy', state: { running: {} } }]);
  });
});

describe('names', () => {
  test.each(['1st', 'a'.repeat(63), `b${'-'.repeat(61)}b`])(
    'of a Service, %#: what the virtual API server takes, the host takes, too [NAM-02, NAM-08]',
    async (name) => {
      const spec = { selector: { app: 'x' }, ports: [{ port: 80 }] };
      const virtual = await stage.pair.virtual.create(services, made(services, { name }, { spec })).catch(refusal);
      const taken = await stage.pair.host
        .create(services, made(services, { name, namespace: 'default' }, { spec }))
        .catch(refusal);
      expect(virtual === undefined).toBe(taken === undefined);
      if (virtual === undefined) return;
      const host = await eventually('it on the host', async () => {
        const { items } = await stage.pair.host.list(
          services,
          { namespace: hostNamespace },
          AbortSignal.timeout(10_000),
        );
        return items.find(({ metadata }) => metadata.annotations?.['vcluster.loft.sh/object-name'] === name);
      });
      expect(host.metadata.name.length).toBeLessThanOrEqual(63);
      await stage.remove('virtual', virtual, undefined, services);
    },
  );

  function refusal(error: unknown): undefined {
    if (!isStatus(error, 422)) throw error;
    return undefined;
  }

  test.each(['p.'.repeat(100) + 'q', 'z'.repeat(253)])(
    'of a pod, %#: runs under a host name that is valid [NAM-02, NAM-08, POD-126, POD-127]',
    async (name) => {
      await stage.create(name, onNode('kwok-1'));
      const host = await eventually('it on the host', async () => {
        const { items } = await stage.pair.host.list(pods, { namespace: hostNamespace }, AbortSignal.timeout(10_000));
        return items.find(({ metadata }) => metadata.annotations?.['vcluster.loft.sh/name'] === name);
      });
      expect(host.metadata.name.length).toBeLessThanOrEqual(63);
      expect((host as Pod).spec.hostname).toMatch(/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/u);
      await stage.virtualWhen(name, ({ status }) => status?.phase === 'Running');
    },
  );
});

describe('admission of the host [TOP-12]', () => {
  test('gives containers limits of its own: they stay there, and nobody takes them for a change [POD-63, POD-91]', async () => {
    const limits = [
      { type: 'Container', default: { cpu: '2', memory: '1Gi' }, defaultRequest: { cpu: '1', memory: '1Gi' } },
    ];
    const range = await stage.pair.host.create(
      limitRanges,
      made(limitRanges, { name: 'defaults', namespace: hostNamespace }, { spec: { limits } }),
    );
    // The limiter may know of it a moment later: pods until then are without.
    const name = await eventually('a pod with limits of the host', async () => {
      const { metadata } = await stage.create(`limited-${Date.now()}`);
      const { spec } = await stage.hostWhen(metadata.name);
      return isLimited(spec) ? metadata.name : undefined;
    });
    const { host, virtual } = await stage.running(name);
    expect(host.spec.containers).toMatchObject([{ resources: { limits: { cpu: '2', memory: '1Gi' } } }]);
    expect(virtual.spec.containers).toMatchObject([{ resources: {} }]);
    expect([host.status?.qosClass, virtual.status?.qosClass]).toEqual(['Burstable', 'BestEffort']);
    await expectRest();
    await stage.remove('host', range, undefined, limitRanges);
  });

  function isLimited({ containers: [container] }: PodSpec): boolean {
    return Object.keys(container?.['resources'] ?? {}).length > 0;
  }

  test("knows other classes than the tenant's: priority, preemption and overhead are the host's [POD-52, POD-54, POD-55]", async () => {
    const { host, virtual } = stage.pair;
    const named = (kind: Kind, name: string): KubeObject => made(kind, { name, namespace: '' });
    const urgent = { ...named(priorityClasses, 'urgent'), value: 1000, preemptionPolicy: 'Never' };
    const usual = { ...named(priorityClasses, 'usual'), value: 7, globalDefault: true };
    const overhead = { podFixed: { cpu: '250m', memory: '120Mi' } };
    await virtual.create(priorityClasses, urgent);
    await host.create(priorityClasses, usual);
    await virtual.create(runtimeClasses, {
      ...named(runtimeClasses, 'boxed'),
      handler: 'boxed',
      overhead,
    } as KubeObject);
    await host.create(runtimeClasses, { ...named(runtimeClasses, 'boxed'), handler: 'boxed' } as KubeObject);
    const spec = { priorityClassName: 'urgent', runtimeClassName: 'boxed' };
    const name = await eventually('a pod that both sides know the classes of', async () => {
      const pod = await stage.create(`classy-${Date.now()}`, spec).catch(() => undefined);
      if (pod === undefined) return undefined;
      const { spec: onHost } = await stage.hostWhen(pod.metadata.name);
      return onHost['priority'] === 7 ? pod.metadata.name : undefined;
    });
    const both = await stage.running(name);
    expect(both.virtual.spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never', overhead: overhead.podFixed });
    expect(both.host.spec).toMatchObject({ priorityClassName: 'usual', priority: 7, runtimeClassName: 'boxed' });
    expect(both.host.spec['overhead']).toBeUndefined();
    expect(both.host.spec['preemptionPolicy']).toBe('PreemptLowerPriority');
    await expectRest();
  });

  test('adds a container of its own: the tenant sees neither it nor its status, and can close a gate all the same [POD-80, POD-92, POD-94, TOP-11]', async () => {
    const mutation = `Object{ spec: Object.spec{ containers: [Object.spec.containers{ name: "mesh", image: "mesh:1" }] } }`;
    const spec = {
      matchConstraints: {
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      },
      matchConditions: [{ name: 'asked', expression: `object.metadata.?labels["mesh"].orValue("") == "on"` }],
      failurePolicy: 'Fail',
      reinvocationPolicy: 'Never',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression: mutation } }],
    };
    const { host } = stage.pair;
    await host.create(policies, made(policies, { name: 'mesh', namespace: '' }, { spec }));
    const binding = { spec: { policyName: 'mesh' } };
    await host.create(policyBindings, made(policyBindings, { name: 'mesh', namespace: '' }, binding));
    const readinessGates = [{ conditionType: 'example.com/gate' }];
    const name = await eventually('a pod with the container of the host', async () => {
      const { metadata } = await stage.create(`meshed-${Date.now()}`, { readinessGates }, { labels: { mesh: 'on' } });
      const { spec: onHost } = await stage.hostWhen(metadata.name);
      return onHost.containers.length === 2 ? metadata.name : undefined;
    });
    const both = await stage.running(name);
    expect(both.host.status?.containerStatuses).toHaveLength(2);
    expect(both.virtual.spec.containers.map((each) => each.name)).toEqual(['app']);
    expect(both.virtual.status?.containerStatuses?.map((each) => each.name)).toEqual(['app']);
    const containers = [{ ...both.virtual.spec.containers[0], name: 'app', image: 'app:2' }];
    await stage.pair.virtual.patch(pods, keyOf(both.virtual), { spec: { containers } });
    const after = await stage.hostWhen(name, ({ spec: { containers: now } }) =>
      now.some(({ image }) => image === 'app:2'),
    );
    expect(after.spec.containers.map(({ image }) => image)).toEqual(['app:2', 'mesh:1']);

    // A gate that a controller of the virtual cluster closes, holds for the host's kubelet, too (POD-94).
    const closed = { type: 'example.com/gate', status: 'False', reason: 'NotYet' };
    const others = (both.virtual.status?.conditions ?? []).filter(({ type }) => type !== closed.type);
    await stage.pair.virtual.patch(
      pods,
      keyOf(both.virtual),
      { status: { conditions: [...others, closed] } },
      'status',
    );
    await stage.hostWhen(
      name,
      (pod) => pod.status?.conditions?.some(({ type, status }) => type === closed.type && status === 'False') ?? false,
    );
    await expectRest();
  });

  test("enforces Pod Security on tenants' pods, too: refused in the tenant's words, they can be deleted and the others run [POD-09, POD-13, POD-163, POD-164]", async () => {
    const label = 'pod-security.kubernetes.io/enforce';
    const enforce = (level: string | null): Promise<KubeObject> =>
      stage.pair.host.patch(
        namespaces,
        { namespace: '', name: hostNamespace },
        { metadata: { labels: { [label]: level } } },
      );
    const privileged = [{ name: 'app', image: 'app:1', securityContext: { privileged: true } }];
    await enforce('baseline');
    await untilRefused(stage.pair.host, hostNamespace, 'violates PodSecurity', { containers: privileged });
    await stage.pair.virtual.create(configMaps, made(configMaps, { name: 'used' }, { data: { a: 'b' } }));
    const volumes = [{ name: 'used', configMap: { name: 'used' } }];
    const bad = await stage.create('privileged', { containers: privileged, volumes });
    const good = await stage.create('modest');
    const { message = '' } = await stage.warning(bad.metadata.uid, 'violates PodSecurity');
    expect(message).toContain('privileged');
    expect(message).not.toMatch(/-x-|tenant-a/);
    expect((await stage.running('modest')).virtual.metadata.uid).toBe(good.metadata.uid);
    expect(await stage.host('privileged')).toBeUndefined();
    // What it refers to is known although it is not there.
    const used = { namespace: hostNamespace, name: hostNameOf('used') };
    await eventually('its config map', () => stage.pair.host.get(configMaps, used));
    expect((await stage.virtual('privileged'))?.status?.phase).toBe('Pending');
    await stage.remove('virtual', bad);
    await stage.gone('virtual', 'privileged', bad.metadata.uid);
    await enforce(null);
    await until('nothing of it to be left', async () => (await stage.host('privileged')) === undefined);
  });
});
