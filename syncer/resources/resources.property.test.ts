/** What holds for every kind, whatever a tenant writes into it. */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { parseJson } from '../model/json.ts';
import type { KubeObject } from '../model/object.ts';
import type { Resource } from '../model/resource.ts';
import { hostName } from '../translate/names.ts';
import {
  configMapObjects,
  jsonValues,
  labelMaps,
  metadata as anyMetadata,
  namespaceNames,
  objectsOf,
  partly,
  referenceNames,
  runs,
  secretObjects,
  serviceObjects,
  unknownFields,
} from '../../test/support/arbitraries.ts';
import { newPods } from '../../test/support/arbitrary-pods.ts';
import { release } from '../../test/support/release.ts';
import { secondLook, settle } from '../../test/support/settle.ts';
import { object } from '../../test/support/world.ts';
import type { World } from '../../test/support/world.ts';
import { namespaces, nodes, services as serviceKind } from '../model/kubernetes.ts';
import { configMaps } from './configmaps.ts';
import { defineToHost } from './define.ts';
import { persistentVolumeClaims } from './persistentvolumeclaims.ts';
import { pods } from './pods/pods.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';

const dns = { clusterIP: '10.96.0.53', clusterIPs: ['10.96.0.53'] };
const around: World = {
  virtual: [
    ...['shop', 'b', 'x-b', 'kube-system', 'n'.repeat(60)].map((name) =>
      object(namespaces, { name, labels: { name } }),
    ),
    object(nodes, { name: 'node-1' }),
  ],
  host: [object(serviceKind, { name: 'kube-dns-x-kube-system-x-vc1', namespace: 'tenant-a' }, { spec: dns })],
};

const anySize = fc.constantFrom('1Gi', '1024Mi', '16Mi');
const anySource = fc.record(
  { kind: fc.constantFrom('PersistentVolumeClaim', 'VolumeSnapshot'), name: referenceNames, namespace: namespaceNames },
  { requiredKeys: ['kind', 'name'] },
);
const claimObjects = objectsOf(
  persistentVolumeClaims.kind,
  anyMetadata,
  fc.record({
    spec: fc
      .tuple(
        partly({
          accessModes: fc.constant(['ReadWriteOnce']),
          resources: anySize.map((storage) => ({ requests: { storage } })),
          storageClassName: fc.constantFrom('', 'fast'),
          volumeName: fc.constantFrom('', 'pv-1'),
          selector: fc.constant({ matchLabels: { app: 'web' } }),
          dataSource: anySource,
        }),
        unknownFields,
      )
      .map(([known, unknown]) => ({ ...unknown, ...known })),
    status: fc.constantFrom({}, { phase: 'Pending' }),
  }),
);

/** The unknown fields of a spec, as text (test/support/arbitraries.ts `unknownFields`). */
function later(found: KubeObject): string {
  const entries = Object.entries((found as { readonly spec?: object }).spec ?? {});
  const unknown = entries.filter(([key]) => /^x[A-Z]/u.test(key) || key in Object.prototype);
  return JSON.stringify(Object.fromEntries(unknown.toSorted(([a], [b]) => (a < b ? -1 : 1))));
}

const kinds: readonly (readonly [string, Resource, fc.Arbitrary<KubeObject>])[] = [
  ['configmaps', configMaps, configMapObjects],
  ['secrets', secrets, secretObjects],
  ['services', services, serviceObjects],
  ['persistentvolumeclaims', persistentVolumeClaims, claimObjects],
  ['pods', defineToHost(pods), newPods],
];

const often = runs(40);
vi.setConfig({ testTimeout: 60_000 });

describe.each(kinds)('%s', (_name, resource, objects) => {
  test('at rest after a few writes, and a second look writes nothing [I2, CORE-23]', () => {
    const comesToRest = (virtual: KubeObject): void => {
      const settled = settle(resource, { virtual, host: undefined }, around);
      expect(secondLook(resource, settled, around)).toEqual([]);
    };
    fc.assert(fc.property(objects, comesToRest), often);
  });

  test('so also when others on the host have had their say [CORE-17, F75]', () => {
    const comesToRest = (virtual: KubeObject, labels: object, status: unknown): void => {
      const { host, ...rest } = settle(resource, { virtual, host: undefined }, around);
      if (host === undefined) return;
      const metadata = {
        ...host.metadata,
        resourceVersion: '999',
        labels: { ...host.metadata.labels, ...labels },
        annotations: { ...host.metadata.annotations, 'host.example/note': 'theirs' },
      };
      const edited = { ...host, metadata, xStatus: status };
      const settled = settle(resource, { virtual: rest.virtual, host: edited }, around);
      expect(secondLook(resource, settled, around)).toEqual([]);
    };
    fc.assert(fc.property(objects, labelMaps, jsonValues, comesToRest), often);
  });

  test('goes through JSON unchanged, numbers and keys included [F71]', () => {
    const survives = (virtual: KubeObject): void => {
      const { host = virtual } = settle(resource, { virtual, host: undefined }, around);
      expect(JSON.stringify(parseJson(JSON.stringify(host)))).toBe(JSON.stringify(host));
    };
    fc.assert(fc.property(objects, survives), often);
  });

  test('fields of a later Kubernetes arrive byte for byte [CORE-24, F71]', () => {
    const faithful = (virtual: KubeObject): void => {
      const { host, virtual: now } = settle(resource, { virtual, host: undefined }, around);
      expect(later(host ?? virtual)).toBe(later(virtual));
      expect(later(now ?? virtual)).toBe(later(virtual));
    };
    fc.assert(fc.property(objects, faithful), often);
  });

  test('what is made is under its own name in the one namespace, owned and marked [NAM-01, NAM-32, LAB-04]', () => {
    const isOurs = (virtual: KubeObject): void => {
      const { host } = settle(resource, { virtual, host: undefined }, around);
      if (host === undefined) return;
      const { name, namespace = '' } = virtual.metadata;
      expect(host.metadata).toMatchObject({
        name: hostName(name, namespace, release),
        namespace: release.namespace,
        ownerReferences: [{ kind: 'Service', name: 'vc1', uid: 'service-uid' }],
        labels: { 'vcluster.loft.sh/managed-by': 'vc1', 'vcluster.loft.sh/namespace': namespace },
        annotations: {
          'vcluster.loft.sh/object-name': name,
          'vcluster.loft.sh/object-namespace': namespace,
          'vcluster.loft.sh/object-uid': virtual.metadata.uid,
          'vcluster.loft.sh/object-host-name': hostName(name, namespace, release),
        },
      });
      expect(host.metadata).not.toHaveProperty('finalizers');
    };
    fc.assert(fc.property(objects, isOurs), often);
  });
});
