import { describe, expect, test } from 'vitest';
import { viewOf } from './cluster.ts';
import { conditionsOf, isReady, phaseOf } from './conditions.ts';
import { diagnose } from './diagnosis.ts';
import type { HostEvent, Symptoms } from './symptoms.ts';
import { warningsAbout } from './pause.ts';
import type { ContainerStatus, Pod, StatefulSet } from './pods.ts';
import type { Release } from './release.ts';
import type { Snapshot } from './snapshot.ts';
import type { HostObject } from './types.ts';

const etcd = { name: 'etcd', image: 'registry/etcd:3.6', resources: { limits: { memory: '64Mi' } } };
const apiServer = { name: 'kube-apiserver', image: 'registry:5000/kube-apiserver:v1.36.3@sha256:abc' };
const spec = { containers: [apiServer], initContainers: [etcd, { name: 'syncer', image: 'ghcr.io/x/syncer:0.1.0' }] };

const status = (name: string, more: Partial<ContainerStatus> = {}): ContainerStatus => ({
  name,
  ready: true,
  restartCount: 0,
  image: '',
  state: { running: {} },
  ...more,
});
const unready = (name: string, more: Partial<ContainerStatus> = {}): ContainerStatus =>
  status(name, { ready: false, ...more });

function podOf(statuses: readonly ContainerStatus[], more: Partial<NonNullable<Pod['status']>> = {}): Pod {
  const isReadyPod = statuses.every(({ ready }) => ready);
  return {
    metadata: { name: 'a-0', namespace: 'x', uid: 'pod' },
    spec: { ...spec, nodeName: 'node' },
    status: {
      conditions: [{ type: 'Ready', status: isReadyPod ? 'True' : 'False' }],
      initContainerStatuses: statuses.filter(({ name }) => name !== 'kube-apiserver'),
      containerStatuses: statuses.filter(({ name }) => name === 'kube-apiserver'),
      ...more,
    },
  };
}

const allReady = [status('etcd'), status('syncer'), status('kube-apiserver')];
const release: Release = {
  name: 'a',
  namespace: 'x',
  status: 'deployed',
  revision: 1,
  description: 'Install complete',
  updated: '',
  chart: { name: 'vcluster', version: '0.1.0', appVersion: '0.1.0', home: '' },
  values: {},
  manifest: '',
};
const statefulSet: StatefulSet = {
  metadata: { name: 'a', generation: 2, labels: { app: 'vcluster', release: 'a', team: 't' } },
  spec: { replicas: 1, template: { spec } },
  status: { observedGeneration: 2, updatedReplicas: 1, readyReplicas: 1, replicas: 1 },
};
const secret: HostObject = { metadata: { name: 'vc-a' }, data: { config: Buffer.from('nonsense').toString('base64') } };

const snapshotOf = (more: Partial<Snapshot> = {}): Snapshot => ({
  name: 'a',
  namespace: 'x',
  release,
  statefulSet,
  pods: [podOf(allReady)],
  secret,
  ...more,
});
const withAnnotations = (annotations: Record<string, string>): StatefulSet => ({
  ...statefulSet,
  metadata: { ...statefulSet.metadata, annotations },
});
const phase = (more: Partial<Snapshot> = {}): string => phaseOf(snapshotOf(more), conditionsOf(snapshotOf(more)));

describe('phaseOf()', () => {
  const down = [podOf([status('etcd'), unready('syncer'), status('kube-apiserver')])];
  test.each<[string, Partial<Snapshot>]>([
    ['Running', {}],
    ['Pending', { pods: down, secret: undefined }],
    ['Degraded', { pods: down }],
    ['Degraded', { release: undefined }],
    ['Degraded', { pods: [] }],
    ['Failed', { release: { ...release, status: 'failed' } }],
    ['Paused', { statefulSet: withAnnotations({ 'loft.sh/paused': 'true' }), pods: [] }],
    ['Terminating', { release: { ...release, status: 'uninstalling' } }],
    ['Terminating', { statefulSet: { ...statefulSet, metadata: { name: 'a', deletionTimestamp: 'now' } } }],
  ])('%s', (expected, more) => expect(phase(more)).toBe(expected));
});

test('isReady() waits for the newest template and for the kubeconfig', () => {
  expect(isReady(snapshotOf())).toBe(true);
  expect(isReady(snapshotOf({ secret: undefined }))).toBe(false);
  expect(isReady(snapshotOf({ statefulSet: { ...statefulSet, metadata: { name: 'a', generation: 3 } } }))).toBe(false);
  const updating = { ...statefulSet, status: { ...statefulSet.status, updatedReplicas: 0 } };
  expect(isReady(snapshotOf({ statefulSet: updating }))).toBe(false);
  const leaving = podOf(allReady);
  const pods = [{ ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: 'now' } }];
  expect(isReady(snapshotOf({ pods }))).toBe(false);
});

test('viewOf() reads versions from images and survives a Secret that somebody has written', () => {
  expect(viewOf(snapshotOf(), { pods: 3 })).toMatchObject({
    phase: 'Running',
    endpoint: undefined,
    versions: { kubernetes: '1.36.3', chart: '0.1.0', syncer: '0.1.0' },
    labels: { team: 't' },
    syncedObjects: { pods: 3 },
    kubeconfigSecret: { name: 'vc-a', namespace: 'x' },
  });
});

describe('diagnose()', () => {
  const event = (about: string, reason: string, message: string, fieldPath?: string): HostEvent => ({
    reason,
    message,
    lastTimestamp: '2026-01-01T00:00:00Z',
    involvedObject: {
      kind: about.split('/')[0] ?? '',
      name: about.split('/')[1] ?? '',
      ...(fieldPath !== undefined && { fieldPath }),
    },
  });
  const symptomsOf = (more: Partial<Symptoms> & { readonly pods?: readonly Pod[] }): Symptoms => ({
    snapshot: snapshotOf({
      pods: more.pods ?? [],
      secret: undefined,
      statefulSet: { ...statefulSet, status: { replicas: 0 } },
    }),
    events: [],
    claim: undefined,
    storageClasses: undefined,
    ...more,
  });
  const said = (more: Parameters<typeof symptomsOf>[0]): string => {
    const { problem, advice } = diagnose(symptomsOf(more));
    return `${problem} ${advice}`;
  };
  const failed = (message: string): HostEvent => event('StatefulSet/a', 'FailedCreate', message);
  const pending = (message?: string): Pod => ({
    ...podOf([]),
    spec,
    status: {
      conditions: [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', ...(message && { message }) }],
    },
  });
  const waiting = (name: string, reason: string, message?: string): ContainerStatus =>
    unready(name, { state: { waiting: { reason, ...(message !== undefined && { message }) } } });
  const crashed = (exitCode: number, reason: string, restartCount = 3): ContainerStatus =>
    unready('etcd', {
      restartCount,
      state: { waiting: { reason: 'CrashLoopBackOff' } },
      lastState: { terminated: { exitCode, reason } },
    });

  test.each<[string, Parameters<typeof symptomsOf>[0], RegExp]>([
    [
      'a quota that refuses the pod',
      {
        events: [
          failed(
            'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: exceeded quota: q, requested: memory=1Gi',
          ),
        ],
      },
      /^The host refuses pod x\/a-0: exceeded quota: q, requested: memory=1Gi\. Raise the ResourceQuota of namespace "x"/,
    ],
    [
      'Pod Security',
      {
        events: [
          failed(
            'create Pod a-0 in StatefulSet a failed error: pods "a-0" is forbidden: violates PodSecurity "restricted:latest": x',
          ),
        ],
      },
      /violates PodSecurity.*pod-security\.kubernetes\.io\/enforce/,
    ],
    ['no pod yet', {}, /^Pod x\/a-0 is not there yet\./],
    [
      'no node',
      { pods: [pending('0/1 nodes are available: 1 Insufficient memory.')] },
      /finds no node: 0\/1 nodes are available: 1 Insufficient memory\. Make room/,
    ],
    ['no scheduler', { pods: [{ ...podOf([]), spec, status: {} }] }, /has not been looked at by the host's scheduler/],
    [
      'no default StorageClass',
      {
        pods: [pending('unbound')],
        claim: { metadata: { name: 'data-a-0' } },
        storageClasses: [{ metadata: { name: 'fast' } }],
      },
      /has no volume: the host has no default StorageClass\. Choose one of fast/,
    ],
    [
      'an unknown StorageClass',
      {
        pods: [pending('unbound')],
        claim: { metadata: { name: 'data-a-0' }, spec: { storageClassName: 'slow' } },
        storageClasses: [],
      },
      /the host has no StorageClass "slow"/,
    ],
    [
      'a provisioner that fails',
      {
        pods: [pending('unbound')],
        claim: { metadata: { name: 'data-a-0' }, status: { phase: 'Pending' } },
        events: [event('PersistentVolumeClaim/data-a-0', 'ProvisioningFailed', 'disk quota reached')],
      },
      /claim data-a-0 is not bound: disk quota reached\./,
    ],
    [
      'an image that only an event tells about',
      {
        pods: [podOf([waiting('etcd', 'ImagePullBackOff', 'Back-off pulling image "registry/etcd:3.6"')])],
        events: [
          event(
            'Pod/a-0',
            'Failed',
            'Failed to pull image "x": rpc error: code = NotFound desc = failed to pull and unpack image "x": no such manifest',
          ),
        ],
      },
      /^Image registry\/etcd:3\.6 of container etcd in pod x\/a-0 cannot be pulled \(ImagePullBackOff\): no such manifest\. Does the image exist/,
    ],
    [
      'a Secret that is missing',
      { pods: [podOf([waiting('syncer', 'CreateContainerConfigError', 'secret "h" not found')])] },
      /^Container syncer of pod x\/a-0 cannot be started: secret "h" not found\./,
    ],
    [
      'a crash',
      { pods: [podOf([crashed(2, 'Error')])] },
      /^Container etcd of pod x\/a-0 ended with exit code 2, and was restarted 3 times\. What it said last is below/,
    ],
    [
      'too little memory',
      { pods: [podOf([crashed(137, 'OOMKilled', 1)])] },
      /more memory than its limit of 64Mi \(OOMKilled\), and was restarted once\. Raise its memory limit/,
    ],
    [
      'a component that does not serve, and not the syncer that waits for it',
      {
        pods: [podOf([unready('syncer'), unready('etcd'), status('kube-apiserver')])],
        events: [
          event('Pod/a-0', 'Unhealthy', 'of the syncer', 'spec.initContainers{syncer}'),
          event('Pod/a-0', 'Unhealthy', 'Startup probe failed: 503', 'spec.initContainers{etcd}'),
        ],
      },
      /^Container etcd of pod x\/a-0 runs but does not serve yet: Startup probe failed: 503\./,
    ],
    [
      'a kubeconfig that is not there',
      { pods: [podOf(allReady)] },
      /^Secret x\/vc-a with the kubeconfig is not there, although/,
    ],
  ])('%s', (_, more, expected) => expect(said(more)).toMatch(expected));

  test('asks for the log of the run that ended', () => {
    expect(diagnose(symptomsOf({ pods: [podOf([crashed(2, 'Error')])] })).logsOf).toEqual({
      pod: 'a-0',
      container: 'etcd',
      previous: true,
    });
    const ended = unready('etcd', { state: { terminated: { exitCode: 1 } } });
    expect(diagnose(symptomsOf({ pods: [podOf([ended])] })).logsOf).toEqual({
      pod: 'a-0',
      container: 'etcd',
      previous: false,
    });
  });
});

test('warningsAbout() names pods that nobody makes again', () => {
  const pod = (name: string, owners?: object[]): HostObject => ({
    metadata: { name, ...(owners && { annotations: { 'vcluster.loft.sh/owner-references': JSON.stringify(owners) } }) },
  });
  expect(warningsAbout([pod('kept', [{ controller: true }])])).toEqual([]);
  expect(warningsAbout([pod('kept', [{ controller: true }]), pod('bare'), pod('owned', [{ kind: 'Node' }])])).toEqual([
    expect.stringMatching(/^2 pods have no controller .*: bare, owned\.$/),
  ]);
});
