import { describe, expect, test } from 'vitest';
import { services } from '../../model/kubernetes.ts';
import type { Pod, PodSpec, PodStatus } from '../../model/kubernetes.ts';
import { object, podOf, usual, viewOf } from './fixtures.ts';
import type { TestView } from './fixtures.ts';
import { pods } from './pods.ts';

const usualView = viewOf(usual);

function hostOf(virtual: Pod, view: TestView = usualView): Pod {
  const translated = pods.toHost(virtual, view);
  if (translated.is !== 'object') throw new Error(translated.why);
  return translated.object;
}

/** The host pod as its API server returns it. */
function live(host: Pod): Pod {
  return { ...host, metadata: { ...host.metadata, uid: 'host-uid', resourceVersion: '70' } };
}

const statefulSet = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set-uid', controller: true };

describe('toHost(): StatefulSet pod web-0 of the worked example', () => {
  const virtual = podOf(
    {
      hostname: 'web-0',
      subdomain: 'web',
      serviceAccountName: 'default',
      serviceAccount: 'default',
      priority: 0,
      priorityClassName: 'high',
      preemptionPolicy: 'PreemptLowerPriority',
      overhead: { cpu: '1' },
      volumes: [
        { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0' } },
        {
          name: 'kube-api-access-abcde',
          projected: { sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } }] },
        },
      ],
    },
    {
      labels: { app: 'web', 'statefulset.kubernetes.io/pod-name': 'web-0', 'apps.kubernetes.io/pod-index': '0' },
      annotations: { note: 'x' },
      ownerReferences: [statefulSet],
    },
  );
  const { metadata, spec } = hostOf(virtual);

  test('[VEC-20] metadata', () => {
    expect(metadata).toMatchObject({
      name: 'web-0-x-shop-x-vc1',
      namespace: 'tenant-a',
      ownerReferences: [{ kind: 'Service', name: 'vc1', controller: true }],
    });
    expect(metadata.annotations).toEqual({
      note: 'x',
      'vcluster.loft.sh/object-name': 'web-0',
      'vcluster.loft.sh/object-namespace': 'shop',
      'vcluster.loft.sh/object-uid': 'web-uid',
      'vcluster.loft.sh/object-kind': '/v1, Kind=Pod',
      'vcluster.loft.sh/object-host-name': 'web-0-x-shop-x-vc1',
      'vcluster.loft.sh/object-host-namespace': 'tenant-a',
      'vcluster.loft.sh/name': 'web-0',
      'vcluster.loft.sh/namespace': 'shop',
      'vcluster.loft.sh/uid': 'web-uid',
      'vcluster.loft.sh/service-account-name': 'default',
      'vcluster.loft.sh/labels':
        'app="web"\napps.kubernetes.io/pod-index="0"\nstatefulset.kubernetes.io/pod-name="web-0"',
      'vcluster.loft.sh/owner-references': JSON.stringify([statefulSet]),
      'vcluster.loft.sh/owner-set-kind': 'StatefulSet',
      'cluster-autoscaler.kubernetes.io/safe-to-evict': 'true',
      'vcluster.loft.sh/object-version': '7',
      'vcluster.loft.sh/last-agreed': expect.stringMatching(
        /^annotation cluster-autoscaler.kubernetes.io\/safe-to-evict !\nannotation note \w+\nimage app \w+\nlabel app \w+\n/u,
      ),
    });
  });

  test('[VEC-21] labels, with one for each label of the Namespace [LAB-09]', () => {
    expect(metadata.labels).toEqual({
      app: 'web',
      'statefulset.kubernetes.io/pod-name': 'web-0',
      'apps.kubernetes.io/pod-index': '0',
      'vcluster.loft.sh/managed-by': 'vc1',
      'vcluster.loft.sh/namespace': 'shop',
      'vcluster.loft.sh/ns-label-vc1-x-cf1227b7b2': 'shop',
      'vcluster.loft.sh/ns-label-vc1-x-e29ccc00b2': 'front',
    });
  });

  test('[VEC-22] spec [POD-50, POD-51, POD-52, POD-54, POD-55, POD-128]', () => {
    expect(spec).toMatchObject({
      serviceAccountName: 'vc-workload-vc1',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      hostname: 'web-0',
      dnsPolicy: 'None',
      dnsConfig: { nameservers: ['10.96.0.53'] },
    });
    expect(spec.hostAliases?.map(({ ip }) => ip)).toEqual(['10.96.7.7']);
    for (const field of [
      'subdomain',
      'serviceAccount',
      'nodeName',
      'priorityClassName',
      'priority',
      'preemptionPolicy',
      'overhead',
    ]) {
      expect(spec).not.toHaveProperty(field);
    }
  });

  test('[VEC-23] volumes', () => {
    expect(spec.volumes).toEqual([
      { name: 'data', persistentVolumeClaim: { claimName: 'data-web-0-x-shop-x-vc1' } },
      {
        name: 'kube-api-access-abcde',
        projected: {
          sources: [
            {
              secret: {
                name: 'vc-token-web-uid',
                items: [{ key: 'kube-api-access-abcde.0', path: 'token', mode: 0o644 }],
              },
            },
          ],
        },
      },
    ]);
  });

  test('variables come first and sorted [POD-70, POD-71]', () => {
    const names = (spec.containers[0]?.env ?? []).map(({ name }) => name);
    expect(names).toHaveLength(8);
    expect(names).toEqual(names.toSorted());
  });
});

describe('toHost(): spec', () => {
  test.each<[string, Partial<PodSpec>]>([
    [
      'nodeSelector and tolerations that no rule is about [POD-60]',
      { nodeSelector: { a: 'b' }, tolerations: [{ operator: 'Exists' }] },
    ],
    ['security settings [POD-62]', { hostPID: true, securityContext: { runAsUser: 1 }, shareProcessNamespace: true }],
    [
      'readiness and scheduling gates [POD-64]',
      { readinessGates: [{ conditionType: 'a/b' }], schedulingGates: [{ name: 'g' }] },
    ],
    [
      'schedulerName and runtimeClassName that no rule is about [POD-44, POD-56]',
      { schedulerName: 's', runtimeClassName: 'r' },
    ],
    ['os and resources [POD-57, POD-69]', { os: { name: 'linux' }, resources: { limits: { cpu: '1' } } }],
    ['fields of a later Kubernetes [D5]', { fieldOf2030: { deep: [1] } }],
  ])('%s pass', (_, spec) => {
    expect(hostOf(podOf(spec)).spec).toMatchObject(spec);
  });

  test('pull secrets are translated [POD-58]', () => {
    expect(hostOf(podOf({ imagePullSecrets: [{ name: 'registry' }] })).spec.imagePullSecrets).toEqual([
      { name: 'registry-x-shop-x-vc1' },
    ]);
  });

  test('services of the namespace become variables unless the pod wants none [POD-72]', () => {
    const db = object(
      services,
      { name: 'db', namespace: 'shop' },
      { spec: { clusterIP: '10.96.1.1', ports: [{ port: 1 }] } },
    );
    const view = viewOf({ ...usual, virtual: [...usual.virtual, db] });
    const variable = { name: 'DB_SERVICE_HOST', value: '10.96.1.1' };
    expect(hostOf(podOf(), view).spec.containers[0]?.env).toContainEqual(variable);
    expect(hostOf(podOf({ enableServiceLinks: false }), view).spec.containers[0]?.env).not.toContainEqual(variable);
  });

  test('mirror pods are synced as ordinary ones [POD-15]', () => {
    const annotations = { 'kubernetes.io/config.mirror': 'x', 'kubernetes.io/config.source': 'file' };
    const { metadata } = hostOf(podOf({}, { annotations }));
    expect(Object.keys(metadata.annotations ?? {}).filter((key) => key.startsWith('kubernetes.io/config.'))).toEqual(
      [],
    );
  });

  test('a volume of all annotations shows those of the tenant only [POD-76]', () => {
    const volume = {
      name: 'info',
      downwardAPI: { items: [{ path: 'a', fieldRef: { fieldPath: 'metadata.annotations' } }] },
    };
    const { metadata } = hostOf(podOf({ volumes: [volume] }, { annotations: { b: '2', a: '1\n"' } }));
    expect(metadata.annotations).toMatchObject({ 'vcluster.loft.sh/annotations': 'a="1\\n\\""\nb="2"' });
    expect(hostOf(podOf()).metadata.annotations).not.toHaveProperty(['vcluster.loft.sh/annotations']);
  });

  test('an annotation that does not travel can still be read by the pod [POD-79]', () => {
    const annotations = { 'vcluster.loft.sh/name': 'inner' };
    const fieldRef = { fieldPath: "metadata.annotations['vcluster.loft.sh/name']" };
    const host = hostOf(
      podOf({ containers: [{ name: 'app', env: [{ name: 'X', valueFrom: { fieldRef } }] }] }, { annotations }),
    );
    expect(host.metadata.annotations).toMatchObject({ 'vcluster.loft.sh/name': 'web-0' });
    expect(Object.entries(host.metadata.annotations ?? {})).toContainEqual([
      expect.stringMatching(/^vcluster\.loft\.sh\/annotation-/u),
      'inner',
    ]);
  });

  test.each([
    ['bare', [], 'false'],
    ['controlled', [statefulSet], 'true'],
    ['owned but not controlled', [{ ...statefulSet, controller: false }], 'false'],
  ])('a %s pod is safe to evict: %s [POD-165]', (_, ownerReferences, expected) => {
    const key = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
    expect(hostOf(podOf({}, { ownerReferences })).metadata.annotations).toMatchObject({ [key]: expected });
    const own = podOf({}, { ownerReferences, annotations: { [key]: 'maybe' } });
    expect(hostOf(own).metadata.annotations).toMatchObject({ [key]: 'maybe' });
  });

  test.each([
    ['apps/v1', 'DaemonSet', 'DaemonSet'],
    ['batch/v1', 'Job', 'Job'],
    ['example.com/v1', 'DaemonSet', undefined],
  ])('owner %s %s is known as %s [POD-166]', (apiVersion, kind, expected) => {
    const host = hostOf(podOf({}, { ownerReferences: [{ ...statefulSet, apiVersion, kind }] }));
    expect(host.metadata.annotations?.['vcluster.loft.sh/owner-set-kind']).toBe(expected);
  });
});

describe('toHost(): what does not become a host pod', () => {
  test.each<[string, Partial<PodSpec>, string]>([
    ['a node named by the tenant [POD-11]', { nodeName: 'node-1' }, 'nodeSelector'],
    ['resource claims [POD-68]', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'x' }] }, 'resourceClaims'],
    ['an unknown volume [POD-109]', { volumes: [{ name: 'v', volumeOf2030: {} }] }, 'volumeOf2030'],
    [
      'an unknown source of environment [POD-109]',
      { containers: [{ name: 'app', env: [{ name: 'X', valueFrom: { vaultOf2030: {} } }] }] },
      'vaultOf2030',
    ],
    ['an unknown envFrom [POD-109]', { containers: [{ name: 'app', envFrom: [{ vaultOf2030: {} }] }] }, 'vaultOf2030'],
  ])('%s is refused', (_, spec, why) => {
    expect(pods.toHost(podOf(spec), usualView)).toEqual({ is: 'refused', why: expect.stringContaining(why) as string });
  });

  test('waits for its Namespace, watching it [POD-06]', () => {
    const view = viewOf({ host: usual.host });
    expect(pods.toHost(podOf(), view)).toMatchObject({ is: 'waiting' });
    expect(view.read).toContain('virtual namespaces shop');
  });

  test('waits for the DNS service, unless it does not use it [POD-08, POD-125]', () => {
    const view = viewOf({ virtual: usual.virtual });
    expect(pods.toHost(podOf(), view)).toMatchObject({ is: 'waiting' });
    expect(view.read).toContain('host services tenant-a/kube-dns-x-kube-system-x-vc1');
    expect(pods.toHost(podOf({ dnsPolicy: 'Default' }), view)).toMatchObject({ is: 'object' });
  });

  test.each(['Succeeded', 'Failed'])('a pod that was created %s never runs [POD-67]', (phase) => {
    expect(pods.toHost(podOf({}, {}, { phase }), usualView)).toMatchObject({ is: 'waiting' });
  });
});

describe('toHost(): once the host pod exists', () => {
  const host = live(hostOf(podOf()));

  test('our own binding is no wish of the tenant [POD-11, POD-40]', () => {
    const view = viewOf({ ...usual, host: [...usual.host, host] });
    expect(pods.toHost(podOf({ nodeName: 'node-1' }), view)).toMatchObject({ is: 'object' });
  });

  test('what can no longer change is not looked up: services and DNS do not queue all pods', () => {
    const view = viewOf({ virtual: usual.virtual, host: [host] });
    expect(pods.toHost(podOf(), view)).toMatchObject({ is: 'object' });
    expect(view.read.filter((each) => each.includes('services'))).toEqual([]);
    expect(view.read).toContain('virtual namespaces shop'); // LAB-10
  });
});

describe('mustHaveHad() [POD-03, POD-46]', () => {
  const scheduled = { conditions: [{ type: 'PodScheduled', status: 'True' }] };
  const unscheduled = (reason: string): PodStatus => ({
    conditions: [{ type: 'PodScheduled', status: 'False', reason }],
  });
  test.each([
    ['started', podOf({}, {}, { startTime: '2026-01-01T00:00:00Z' }), true],
    ['bound', podOf({ nodeName: 'node-1' }, {}, scheduled), true],
    ['created with a node name', podOf({ nodeName: 'node-1' }), false],
    ['told that it fits nowhere', podOf({}, {}, unscheduled('Unschedulable')), true],
    ['held back by a scheduling gate', podOf({}, {}, unscheduled('SchedulingGated')), false],
    ['new', podOf(), false],
  ])('a pod that is %s: %s', (_, virtual, expected) => {
    expect(pods.mustHaveHad?.(virtual)).toBe(expected);
  });
});

test('hostGraceSeconds() is the grace period of the virtual deletion [POD-20]', () => {
  expect(pods.hostGraceSeconds?.(podOf({}, { deletionGracePeriodSeconds: 12 }))).toBe(12);
});
