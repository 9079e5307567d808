/**
 * What an operator enforces for the pods of a virtual cluster, between two real API servers: the policy, the options of
 * `sync.toHost.pods`, and the hosts file, in a host namespace that itself admits `restricted` pods only.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Values } from '../config/options.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { namespaces, pods } from '../syncer/model/kubernetes.ts';
import type { Container, PodSpec } from '../syncer/model/kubernetes.ts';
import { keyOf } from '../syncer/model/object.ts';
import { hostNameOf, namespace } from './samples/sample.ts';
import { untilForbidden } from './support/admission.ts';
import { Audit } from './support/audit.ts';
import { census, secondLook } from './support/census.ts';
import { until } from './support/eventually.ts';
import { hostNamespace, syncerUsers } from './support/pair.ts';
import { kindOf, PodStage } from './support/pod-stage.ts';

const roles: Kind = kindOf('rbac.authorization.k8s.io', 'v1', 'roles', 'Role');
const priorityClasses: Kind = {
  ...kindOf('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass'),
  namespaced: false,
};

const values: Values = {
  policies: { podSecurityStandard: 'restricted' },
  sync: {
    toHost: {
      pods: {
        translateImage: { 'app:1': 'mirror.example/app:1' },
        enforceTolerations: ['by-hand:NoSchedule'],
        priorityClasses: ['batch'],
      },
    },
    fromHost: { nodes: { selector: { labels: { 'kubernetes.io/hostname': 'tenants' } } } },
  },
};
const modest = {
  runAsNonRoot: true,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
};
const small = { requests: { cpu: '50m' } };
const app: Container = { name: 'app', image: 'app:1', resources: small, securityContext: modest };

let stage: PodStage;
let audit: Audit;

beforeAll(async () => {
  audit = await Audit.of(syncerUsers.host);
  stage = await PodStage.open('pod-rules', { values, apiServerArgs: { host: audit.args, virtual: [] } });
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await stage.pair.host.patch(namespaces, { namespace: '', name: hostNamespace }, { metadata: { labels } });
  const batch = { metadata: { name: 'batch' }, value: 7 };
  for (const side of ['host', 'virtual'] as const) await stage.pair[side].create(priorityClasses, batch);
  await stage.node('tenants');
});

afterAll(() => stage.close());

/** How often the syncer has tried to create a host pod. */
async function tries(name: string): Promise<number> {
  const calls = await audit.calls();
  // The name in the path of a creation is the server's to know; the body has it, too.
  const isIt = (body: unknown): boolean =>
    (body as { metadata?: { name?: string } } | undefined)?.metadata?.name === hostNameOf(name);
  return calls.filter(({ verb, what, body }) => verb === 'create' && what === 'pods' && isIt(body)).length;
}

function images(spec: PodSpec | undefined): readonly unknown[] {
  return [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].map(({ image }) => image);
}

describe('a pod that the policy denies', () => {
  test('never reaches the host; its author is told once, and it can be deleted [POD-05, POD-160, POD-163, ABU-01]', async () => {
    const pod = await stage.create('denied', { hostPID: true, containers: [app] });
    const { message } = await stage.warning(pod.metadata.uid, 'Pod Security Standard');
    expect(message).toContain('hostNamespaces (hostPID=true)');
    expect(message).not.toMatch(/-x-|tenant-a/);
    await stage.idle();
    expect(await tries('denied')).toBe(0);
    expect(await stage.warnings(pod.metadata.uid)).toHaveLength(1);
    const before = await census(stage.pair);
    await secondLook(stage.pair);
    expect(await census(stage.pair)).toEqual(before);
    await stage.remove('virtual', pod);
    await stage.gone('virtual', 'denied', pod.metadata.uid);
  });

  test('labels that the tenant puts on its namespace do not help [POD-162]', async () => {
    const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    await stage.pair.virtual.patch(namespaces, { namespace: '', name: namespace }, { metadata: { labels } });
    const pod = await stage.create('labelled', { containers: [{ ...app, securityContext: { privileged: true } }] });
    await stage.warning(pod.metadata.uid, 'privileged (container "app"');
    expect(await tries('labelled')).toBe(0);
  });
});

describe('a pod that the policy admits', () => {
  const wildcard = { operator: 'Exists' };
  const spec: Partial<PodSpec> = {
    hostname: 'named',
    subdomain: 'web',
    schedulerName: 'mine',
    priorityClassName: 'batch',
    nodeSelector: { 'kubernetes.io/hostname': 'kwok-1' },
    tolerations: [wildcard],
    containers: [app],
  };

  test('runs where and how the operator says [POD-10, POD-44, POD-52, POD-59, POD-60, ABU-04, ABU-05]', async () => {
    const pod = await stage.create('ruled', spec);
    const host = await stage.hostWhen('ruled', ({ spec: { nodeName } }) => nodeName === 'tenants');
    expect(host.spec).toMatchObject({
      schedulerName: 'default-scheduler',
      priorityClassName: 'batch',
      priority: 7,
      nodeSelector: { 'kubernetes.io/hostname': 'tenants' },
    });
    expect(host.spec.tolerations).toContainEqual({ key: 'by-hand', operator: 'Exists', effect: 'NoSchedule' });
    expect(host.spec.tolerations).not.toContainEqual(wildcard);
    expect(images(host.spec)).toContain('mirror.example/app:1');
    await stage.warning(pod.metadata.uid, 'toleration of every taint');
    await stage.warning(pod.metadata.uid, 'Scheduler mine');
  });

  test('has a hosts file of its own, which a `restricted` namespace admits [POD-128, POD-129]', async () => {
    const host = await stage.hostWhen('ruled');
    expect(host.metadata.annotations).toMatchObject({ 'vcluster.loft.sh/hosts-rewritten': 'true' });
    expect(host.spec.initContainers?.[0]).toMatchObject({
      name: 'vcluster-rewrite-hosts',
      image: 'ghcr.io/cdktf-vcluster/syncer:0.1.0',
    });
    expect(await tries('ruled')).toBe(1);
  });

  test('shows its author neither the other image nor the other container [POD-92, POD-93]', async () => {
    const done = { ready: true, restartCount: 0, image: 'x', imageID: 'x', state: { terminated: { exitCode: 0 } } };
    await stage.report('ruled', {
      phase: 'Running',
      initContainerStatuses: [{ name: 'vcluster-rewrite-hosts', ...done }],
      containerStatuses: [
        { ...done, name: 'app', image: 'mirror.example/app:1', state: { running: {} }, resources: small },
      ],
    });
    const virtual = await stage.virtualWhen('ruled', ({ status }) => status?.phase === 'Running');
    expect(virtual.status?.containerStatuses?.map(({ name, image }) => [name, image])).toEqual([['app', 'app:1']]);
    expect(virtual.status?.initContainerStatuses ?? []).toEqual([]);
    expect(images(virtual.spec)).toEqual(['app:1']);
  });

  test('gets no container later that it could not have come with [POD-161, ABU-23]', async () => {
    const debug = { name: 'debug', image: 'app:1', securityContext: { privileged: true } };
    const fine = { name: 'fine', image: 'app:1', securityContext: modest };
    const { virtual } = await stage.running('ruled');
    const patch = { spec: { ephemeralContainers: [debug, fine] } };
    await stage.pair.virtual.patch(pods, keyOf(virtual), patch, 'ephemeralcontainers');
    await stage.warning(virtual.metadata.uid, 'privileged (container "debug"');
    const host = await stage.hostWhen(
      'ruled',
      ({ spec: { ephemeralContainers = [] } }) => ephemeralContainers.length > 0,
    );
    expect(host.spec.ephemeralContainers).toMatchObject([{ name: 'fine', image: 'mirror.example/app:1' }]);
  });

  test('is resized like any other, and its init container is not [POD-84, POD-131]', async () => {
    const { host, virtual } = await stage.running('ruled');
    const resources = { requests: { cpu: '100m' } };
    const containers = [{ ...virtual.spec.containers[0], resources }];
    await stage.pair.virtual.patch(pods, keyOf(virtual), { spec: { containers } }, 'resize');
    const resized = await stage.hostWhen(
      'ruled',
      ({
        spec: {
          containers: [first],
        },
      }) => {
        const { requests } = (first?.['resources'] ?? {}) as { requests?: { cpu?: string } };
        return requests?.cpu === '100m';
      },
    );
    expect(resized.spec.initContainers).toEqual(host.spec.initContainers);
  });

  test('is left in peace by a second look', async () => {
    await stage.idle();
    const before = await census(stage.pair);
    await secondLook(stage.pair);
    expect(await census(stage.pair)).toEqual(before);
  });

  test('forced to go, it is not given time on the host either [POD-24]', async () => {
    const { host, virtual } = await stage.running('ruled');
    await stage.remove('virtual', virtual, 60);
    await stage.hostWhen('ruled', ({ metadata }) => metadata.deletionGracePeriodSeconds === 60);
    await stage.remove('virtual', virtual, 0);
    // Nobody is the node's kubelet: only a deletion without any grace ends it.
    await stage.gone('host', 'ruled', host.metadata.uid);
    expect(await stage.virtual('ruled')).toBeUndefined();
  });
});

describe('without the right to write the status of host pods [POD-98]', () => {
  test('readiness gates stay unanswered, with one event, and all else goes on', async () => {
    const gate = 'example.com/gate';
    const pod = await stage.create('gated', { readinessGates: [{ conditionType: gate }], containers: [app] });
    const host = await stage.hostWhen('gated', ({ spec }) => spec.nodeName !== undefined);
    const role = (await stage.pair.host.get(roles, { namespace: hostNamespace, name: 'vc-team-a' })) as unknown as {
      rules: readonly { resources: readonly string[] }[];
    };
    const rules = role.rules.filter(({ resources }) => !resources.includes('pods/status'));
    await stage.pair.host.patch(roles, { namespace: hostNamespace, name: 'vc-team-a' }, { rules });
    await untilForbidden(stage.pair.host, syncerUsers.host, {
      namespace: hostNamespace,
      verb: 'patch',
      resource: 'pods',
      subresource: 'status',
    });
    await stage.virtualWhen('gated', ({ spec }) => spec.nodeName !== undefined);
    const conditions = [{ type: gate, status: 'True' }];
    await stage.pair.virtual.patch(pods, keyOf(pod), { status: { conditions } }, 'status');
    await stage.warning(pod.metadata.uid, 'readiness gates');
    await stage.report('gated', { phase: 'Running' });
    await stage.virtualWhen('gated', ({ status }) => status?.phase === 'Running');
    expect(await stage.warnings(pod.metadata.uid)).toHaveLength(1);
    await stage.remove('virtual', pod, 0);
    await until('the host pod to go', async () => (await stage.host('gated'))?.metadata.uid !== host.metadata.uid);
  });
});
