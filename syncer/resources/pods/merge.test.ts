import { describe, expect, test } from 'vitest';
import { namespaces } from '../../model/kubernetes.ts';
import type { Pod, PodSpec } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import { mergePatch } from '../../translate/equality.ts';
import { object, podOf, usual, viewOf } from './fixtures.ts';
import type { TestView } from './fixtures.ts';
import { pods } from './pods.ts';

function hostOf(virtual: Pod, view: TestView = viewOf(usual)): Pod {
  const translated = pods.toHost(virtual, view);
  if (translated.is !== 'object') throw new Error(translated.why);
  return translated.object;
}

/** The host pod as its API server returns it. */
function live(host: Pod, more: { readonly metadata?: Partial<Metadata>; readonly spec?: Partial<PodSpec> } = {}): Pod {
  const metadata = { ...host.metadata, uid: 'host-uid', resourceVersion: '70', ...more.metadata };
  return { ...host, metadata, spec: { ...host.spec, ...more.spec } };
}

const statefulSet = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 'set-uid', controller: true };

describe('merge()', () => {
  const virtual = podOf({
    tolerations: [{ key: 'a', operator: 'Exists' }],
    initContainers: [{ name: 'init', image: 'init:1' }],
    schedulingGates: [{ name: 'g' }],
  });

  function merged(change: Pod, more: Parameters<typeof live>[1] = {}): object | undefined {
    const host = live(hostOf(virtual), more);
    const view = viewOf({ ...usual, host: [...usual.host, host] });
    return mergePatch(host, pods.merge(host, hostOf(change, view)));
  }

  test('an unchanged pod needs no write, whatever the host has added [POD-63, POD-89]', () => {
    expect(merged(virtual)).toBeUndefined();
    const sidecar = { name: 'sidecar', image: 'mesh' };
    const added = {
      nodeName: 'node-1',
      priority: 0,
      containers: [sidecar, ...hostOf(virtual).spec.containers],
      tolerations: [...(virtual.spec.tolerations ?? []), { key: 'node.kubernetes.io/not-ready', operator: 'Exists' }],
    };
    expect(merged(virtual, { spec: added })).toBeUndefined();
  });

  test("an image from the host's registry of its own stays until the tenant asks for another [POD-80, F44]", () => {
    const mirrored = [{ name: 'app', image: 'mirror/app:1' }];
    expect(merged(virtual, { spec: { containers: mirrored } })).toBeUndefined();
    const asked = { ...virtual, spec: { ...virtual.spec, containers: [{ name: 'app', image: 'app:2' }] } };
    expect(merged(asked, { spec: { containers: mirrored } })).toMatchObject({
      spec: { containers: [{ name: 'app', image: 'app:2' }] },
      metadata: { annotations: { 'vcluster.loft.sh/last-agreed': expect.stringContaining('image app ') } },
    });
  });

  test.each<[string, Partial<PodSpec>, object]>([
    [
      'containers and init containers by name [POD-80]',
      { initContainers: [{ name: 'init', image: 'init:2' }] },
      { initContainers: [{ name: 'init', image: 'init:2' }] },
    ],
    ['activeDeadlineSeconds [POD-81]', { activeDeadlineSeconds: 9 }, { activeDeadlineSeconds: 9 }],
    ['removed scheduling gates [POD-81]', { schedulingGates: [] }, { schedulingGates: [] }],
    [
      'added tolerations [POD-82]',
      {
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'Exists' },
        ],
      },
      {
        tolerations: [
          { key: 'a', operator: 'Exists' },
          { key: 'b', operator: 'Exists' },
        ],
      },
    ],
  ])('carries over %s', (_, spec, expected) => {
    expect(merged({ ...virtual, spec: { ...virtual.spec, ...spec } })).toMatchObject({ spec: expected });
  });

  test('adds no scheduling gate and takes no toleration away [POD-81, POD-82]', () => {
    expect(
      merged({
        ...virtual,
        spec: { ...virtual.spec, schedulingGates: [{ name: 'g' }, { name: 'h' }], tolerations: [] },
      }),
    ).toBeUndefined();
  });

  test('labels refresh what the pod reads of them; no bookkeeping comes back [POD-78, POD-88]', () => {
    const relabelled = { ...virtual, metadata: { ...virtual.metadata, labels: { a: 'b' } } };
    expect(merged(relabelled)).toEqual({
      metadata: {
        labels: { a: 'b' },
        annotations: {
          'vcluster.loft.sh/labels': 'a="b"',
          'vcluster.loft.sh/last-agreed': expect.stringMatching(/\nlabel a \w+$/u),
        },
      },
    });
  });

  test('owner annotations go with the owner [POD-166]', () => {
    const owned = hostOf(podOf({}, { ownerReferences: [statefulSet] }));
    const merge = pods.merge(live(owned), hostOf(podOf()));
    expect(merge.metadata.annotations).not.toHaveProperty(['vcluster.loft.sh/owner-references']);
    expect(merge.metadata.annotations).not.toHaveProperty(['vcluster.loft.sh/owner-set-kind']);
  });

  test('labels of the Namespace are followed [LAB-10]', () => {
    const host = live(hostOf(virtual));
    const renamed = object(namespaces, { name: 'shop', labels: { tier: 'back' } });
    const view = viewOf({ virtual: [renamed], host: [...usual.host, host] });
    const { labels } = pods.merge(host, hostOf(virtual, view)).metadata;
    expect(labels).toEqual({
      'vcluster.loft.sh/managed-by': 'vc1',
      'vcluster.loft.sh/namespace': 'shop',
      'vcluster.loft.sh/ns-label-vc1-x-e29ccc00b2': 'back',
    });
  });
});
