import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { configMaps, nodes } from '../model/kubernetes.ts';
import type { ConfigMap } from '../model/kubernetes.ts';
import type { KubeObject, Metadata } from '../model/object.ts';
import type { View } from '../model/view.ts';
import { release } from '../../test/support/release.ts';
import { mergePatch } from './equality.ts';
import { annotationKeys, incarnationOf, onHost, originOf, withMarks } from './metadata.ts';
import { mergeMetadata } from './three-way.ts';

const nothing = {
  get: () => undefined,
  peek: () => undefined,
  list: () => [],
  indexed: () => [],
  findIndexed: () => undefined,
};
const view: View = { release, nowMs: 0, virtual: nothing, host: nothing };

function virtualOf(metadata: Partial<Metadata> = {}): ConfigMap {
  return { metadata: { name: 'settings', namespace: 'shop', uid: 'u1', ...metadata }, data: { a: '1' } };
}

function hostOf(metadata: Partial<Metadata> = {}): ConfigMap {
  return onHost(virtualOf(metadata), configMaps, view, { data: { a: '1' } });
}

function changed(metadata: Partial<Metadata>): KubeObject {
  return { metadata: { ...hostOf().metadata, ...metadata } };
}

function annotated(key: string, value: string): KubeObject {
  return changed({ annotations: { ...hostOf().metadata.annotations, [key]: value } });
}

function live(metadata: Metadata, more: Partial<Metadata> = {}): Metadata {
  return { ...metadata, uid: 'h1', ...more };
}

describe('onHost()', () => {
  test('names, owns and marks the host object [NAM-01, NAM-32, NAM-33, LAB-04, ANN-01]', () => {
    expect(hostOf({ labels: { app: 'x' }, annotations: { note: 'y' } })).toEqual({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: {
        name: 'settings-x-shop-x-vc1',
        namespace: 'tenant-a',
        ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: 'vc1', uid: 'service-uid', controller: true }],
        labels: { app: 'x', 'vcluster.loft.sh/managed-by': 'vc1', 'vcluster.loft.sh/namespace': 'shop' },
        annotations: {
          note: 'y',
          'vcluster.loft.sh/object-name': 'settings',
          'vcluster.loft.sh/object-namespace': 'shop',
          'vcluster.loft.sh/object-uid': 'u1',
          'vcluster.loft.sh/object-kind': '/v1, Kind=ConfigMap',
          'vcluster.loft.sh/object-host-name': 'settings-x-shop-x-vc1',
          'vcluster.loft.sh/object-host-namespace': 'tenant-a',
          'vcluster.loft.sh/last-agreed': expect.stringMatching(/^annotation note \w+\nlabel app \w+$/u),
        },
      },
      data: { a: '1' },
    });
  });

  test('takes nothing else over from the virtual metadata [CORE-30, CORE-31, NAM-10]', () => {
    const { metadata } = hostOf({
      resourceVersion: '1',
      generation: 4,
      creationTimestamp: '2026-01-01T00:00:00Z',
      deletionTimestamp: '2026-01-01T00:00:00Z',
      finalizers: ['foregroundDeletion'],
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'r1' }],
    });
    expect(Object.keys(metadata).toSorted()).toEqual(['annotations', 'labels', 'name', 'namespace', 'ownerReferences']);
  });

  test('cluster-scoped objects have a marker and no owner [NAM-03, NAM-31, NAM-34, LAB-05, VEC-04]', () => {
    const host = onHost({ metadata: { name: 'fast-ssd', uid: 'u1' } }, nodes, view, {});
    expect(host.metadata).toMatchObject({
      name: 'vcluster-fast-ssd-x-tenant-a-x-vc1',
      labels: { 'vcluster.loft.sh/managed-by': 'tenant-a-x-vc1' },
    });
    expect(host.metadata).not.toHaveProperty('ownerReferences');
    expect(host.metadata).not.toHaveProperty('namespace');
    expect(originOf(host, nodes, release)).toEqual({ namespace: '', name: 'fast-ssd' });
  });

  test('a tenant cannot write bookkeeping [ANN-02, CORE-08, F60]', () => {
    const spoofed = hostOf({
      annotations: { [annotationKeys.objectName]: 'other', 'vcluster.loft.sh/skip-backsync': 'true' },
      labels: { 'vcluster.loft.sh/managed-by': 'vc2', 'vcluster.loft.sh/namespace': 'other' },
    });
    expect(spoofed.metadata.annotations).not.toHaveProperty(['vcluster.loft.sh/skip-backsync']);
    expect(originOf(spoofed, configMaps, release)).toEqual({ namespace: 'shop', name: 'settings' });
    expect(spoofed.metadata.labels).toMatchObject({ 'vcluster.loft.sh/namespace': 'shop' });
  });

  test.each([
    'kubectl.kubernetes.io/last-applied-configuration',
    'kubernetes.io/config.mirror',
    'kubernetes.io/psp',
    'container.apparmor.security.beta.kubernetes.io/app',
    'k8s.v1.cni.cncf.io/networks',
    'cni.projectcalico.org/ipAddrs',
    'eks.amazonaws.com/role-arn',
    'vault.hashicorp.com/agent-inject',
    'sidecar.istio.io/inject',
    'external-dns.alpha.kubernetes.io/hostname',
    'cert-manager.io/cluster-issuer',
    'nginx.ingress.kubernetes.io/configuration-snippet',
    'service.beta.kubernetes.io/aws-load-balancer-internal',
  ])('the annotation %s stays in the virtual cluster [ANN-06, ANN-07]', (key) => {
    expect(hostOf({ annotations: { [key]: 'x' } }).metadata.annotations).not.toHaveProperty([key]);
  });

  test('any names, labels and annotations come back to their origin [F59]', () => {
    const name = fc.stringMatching(/^[a-z0-9]([-a-z0-9.]{0,200}[a-z0-9])?$/u);
    const map = fc.dictionary(fc.string(), fc.string());
    fc.assert(
      fc.property(name, name, map, map, (objectName, namespace, labels, annotations) => {
        const host = hostOf({ name: objectName, namespace, labels, annotations });
        expect(originOf(host, configMaps, release)).toEqual({ namespace, name: objectName });
        expect(incarnationOf(host)).toBe('u1');
      }),
    );
  });
});

describe('originOf() [NAM-30, NAM-07, MAP-04, MAP-08]', () => {
  test.each([
    ['a copy under another name', changed({ name: 'copy' })],
    ['a copy in another namespace', changed({ namespace: 'elsewhere' })],
    ['an object of another virtual cluster', changed({ labels: { 'vcluster.loft.sh/managed-by': 'vc2' } })],
    ['an object without marks', changed({ labels: {}, annotations: {} })],
    ['an object that names another origin', annotated(annotationKeys.objectName, 'other')],
    ['an empty origin name', annotated(annotationKeys.objectName, '')],
    ['an empty origin namespace', annotated(annotationKeys.objectNamespace, '')],
    ['another kind', annotated(annotationKeys.objectKind, '/v1, Kind=Secret')],
    ['another stated host name', annotated(annotationKeys.objectHostName, 'other')],
    ['another stated host namespace', annotated(annotationKeys.objectHostNamespace, 'other')],
  ])('%s is not ours', (_, object) => {
    expect(originOf(object, configMaps, release)).toBeUndefined();
  });

  test('[VEC-08] of two objects with the same host name only the one it was written for is the origin [NAM-06]', () => {
    const host = hostOf({ name: 'a-x-b', namespace: 'c' });
    expect(host.metadata.name).toBe(hostOf({ name: 'a', namespace: 'b-x-c' }).metadata.name);
    expect(originOf(host, configMaps, release)).toEqual({ namespace: 'c', name: 'a-x-b' });
  });
});

describe('mergeMetadata()', () => {
  test('an object as it was created needs no patch', () => {
    const desired = hostOf({ labels: { a: 'b' }, annotations: { c: 'd' } }).metadata;
    const host = live(desired);
    expect(mergePatch(host, mergeMetadata(host, desired))).toBeUndefined();
  });

  test('a second pass has nothing to do, whatever the tenant and others have written', () => {
    const map = fc.dictionary(fc.stringMatching(/^[a-z./]{1,9}$/u), fc.string());
    const property = fc.property(map, map, map, (before, after, added) => {
      const first = hostOf({ labels: before, annotations: before }).metadata;
      const host = live(first, {
        labels: { ...first.labels, ...added },
        annotations: { ...first.annotations, ...added },
      });
      const desired = hostOf({ labels: after, annotations: after }).metadata;
      const merged = mergeMetadata(host, desired);
      expect(mergePatch(merged, mergeMetadata(merged, desired))).toBeUndefined();
    });
    fc.assert(property);
  });

  test('what the tenant has removed goes, what others have added stays [LAB-13, ANN-04, CORE-17]', () => {
    const before = hostOf({ labels: { a: '1', b: '2' }, annotations: { c: '3', d: '4' } }).metadata;
    const host = live(before, {
      labels: { ...before.labels, injected: 'yes' },
      annotations: { ...before.annotations, 'webhook.io/seen': 'yes' },
    });
    const merged = mergeMetadata(host, hostOf({ labels: { a: '1' }, annotations: { c: '3' } }).metadata);
    expect(merged.labels).toMatchObject({ a: '1', injected: 'yes' });
    expect(merged.labels).not.toHaveProperty('b');
    expect(merged.annotations).toMatchObject({ c: '3', 'webhook.io/seen': 'yes' });
    expect(merged.annotations).not.toHaveProperty('d');
  });

  test('bookkeeping that is no longer wanted goes, labels of other controllers stay [LAB-07, LAB-10]', () => {
    const desired = hostOf().metadata;
    const host = live(desired, {
      labels: {
        ...desired.labels,
        'vcluster.loft.sh/ns-label-vc1-x-0123456789': 'x',
        'vcluster.loft.sh/controlled-by': 'other',
      },
      annotations: { ...desired.annotations, 'vcluster.loft.sh/owner-references': '[]' },
    });
    expect(mergeMetadata(host, desired)).toEqual({
      ...host,
      labels: { ...desired.labels, 'vcluster.loft.sh/controlled-by': 'other' },
      annotations: desired.annotations,
    });
  });

  test('the owner is repaired and other owners are kept [NAM-35]', () => {
    const desired = hostOf().metadata;
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x1' };
    const former = { apiVersion: 'v1', kind: 'Service', name: 'vc1', uid: 'former' };
    const merged = mergeMetadata(live(desired, { ownerReferences: [other, former] }), desired);
    expect(merged.ownerReferences).toEqual([...(desired.ownerReferences ?? []), other]);
  });

  test('a second controller is never asked for', () => {
    const desired = hostOf().metadata;
    const other = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x1', controller: true };
    const merged = mergeMetadata(live(desired, { ownerReferences: [other] }), desired);
    expect(merged.ownerReferences?.filter(({ controller }) => controller === true)).toEqual([other]);
  });
});

test('withMarks() lists added annotations, so that they can be taken back', () => {
  const marked = withMarks(hostOf({ annotations: { b: '1' } }), {
    labels: { more: 'x' },
    annotations: { 'a.io/x': '2', 'vcluster.loft.sh/uid': '3' },
  });
  expect(marked.metadata.annotations).toMatchObject({
    b: '1',
    'a.io/x': '2',
    'vcluster.loft.sh/uid': '3',
    'vcluster.loft.sh/last-agreed': expect.stringMatching(/^annotation a\.io\/x !\nannotation b \w+\nlabel more !$/u),
  });
  expect(marked.metadata.labels).toMatchObject({ more: 'x' });
});
