/**
 * Kubernetes objects for property tests: whatever a real API server could hold, with a tenant who means harm. What the server
 * validates is valid (names, keys of labels), everything else is not to be trusted, and any optional field may be missing.
 *
 * Names of referenced objects begin with `zz`, and nothing else does: what is found of them on the host can be told apart.
 */
import * as fc from 'fast-check';
import { apiVersion } from '../../syncer/model/kind.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { parseJson } from '../../syncer/model/json.ts';
import { configMaps, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { ConfigMap, Secret, Service } from '../../syncer/model/kubernetes.ts';
import type { KubeObject, Metadata, StringMap } from '../../syncer/model/object.ts';

type Any<T> = fc.Arbitrary<T>;

/** How often a property is tried; PROPERTY_RUNS=5000 (with `--testTimeout`) for a long look. */
export function runs(usual: number): { readonly numRuns: number } {
  return { numRuns: Number(process.env['PROPERTY_RUNS'] ?? usual) };
}

export const dnsLabels: Any<string> = fc.stringMatching(/^[a-y]([-a-y0-9]{0,61}[a-y0-9])?$/u);
/** Few, so that objects share them, and some that make host names long or ambiguous. */
export const namespaceNames: Any<string> = fc.constantFrom('shop', 'b', 'x-b', 'kube-system', 'n'.repeat(60));
export const subdomains: Any<string> = fc
  .array(dnsLabels, { minLength: 1, maxLength: 4 })
  .map((labels) => labels.join('.'))
  .filter((name) => name.length <= 253);
export const referenceNames: Any<string> = fc
  .tuple(fc.constant('zz'), fc.stringMatching(/^[a-y0-9]{1,6}$/u), fc.constantFrom('', '.a', `-${'l'.repeat(60)}`))
  .map((parts) => parts.join(''));

/** Keys that mean something: to us, to the host, to JavaScript. */
const loadedKeys = [
  'app',
  'release',
  'constructor',
  'toString',
  'owner',
  'vcluster.loft.sh/managed-by',
  'vcluster.loft.sh/namespace',
  'vcluster.loft.sh/controlled-by',
  'vcluster.loft.sh/object-uid',
  'vcluster.loft.sh/object-name',
  'vcluster.loft.sh/object-host-name',
  'vcluster.loft.sh/last-agreed',
  'vcluster.loft.sh/label-vc1-x-a4d451ec23',
  'vcluster.loft.sh/ns-label-vc1-x-a4d451ec23',
  'service.kubernetes.io/headless',
  'kubernetes.io/config.source',
  'kubectl.kubernetes.io/last-applied-configuration',
  'cluster-autoscaler.kubernetes.io/safe-to-evict',
];
export const labelKeyNames: Any<string> = fc.oneof(
  fc.constantFrom(...loadedKeys),
  fc.stringMatching(/^[A-Ya-y0-9]([-A-Ya-y0-9_.]{0,8}[A-Ya-y0-9])?$/u),
  fc.stringMatching(/^[a-y]{1,6}\.example\/[a-y]{1,6}$/u),
);
export const labelValues: Any<string> = fc.oneof(
  fc.constantFrom('', 'vc1', 'vc2', 'shop', 'b', 'true'),
  fc.stringMatching(/^[A-Ya-y0-9]([-A-Ya-y0-9_.]{0,8}[A-Ya-y0-9])?$/u),
);
export const labelMaps: Any<StringMap> = fc.dictionary(labelKeyNames, labelValues, {
  maxKeys: 5,
  noNullPrototype: true,
});

/** Text of a tenant's choice, without the mark of references. */
export const texts: Any<string> = fc.string({ unit: 'binary', maxLength: 12 }).map((text) => text.replaceAll('z', 'y'));
const annotationMaps: Any<StringMap> = fc.dictionary(
  labelKeyNames,
  fc.oneof(texts, fc.constantFrom('true', 'shop', 'label app 1x\nannotation note !')),
  { maxKeys: 5, noNullPrototype: true },
);

const hostileKeys = fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'length', '');
const numberTexts = fc.constantFrom('9007199254740993', '-9223372036854775808', '-0', '1.0', '1e3', '0.1', '7');

/** Any JSON, numbers that JavaScript cannot hold and unwelcome keys included. */
export const jsonValues: Any<unknown> = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    numberTexts.map(parseJson),
    texts,
    fc.constantFrom(true, false, null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(texts, hostileKeys), tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

/** Fields that a later Kubernetes may have and this program does not know. */
export const unknownFields: Any<Readonly<Record<string, unknown>>> = fc.dictionary(
  fc.oneof(
    fc.stringMatching(/^x[A-Y][a-y]{0,5}$/u),
    hostileKeys.filter((key) => key !== ''),
  ),
  jsonValues,
  { maxKeys: 3, noNullPrototype: true },
);

export const metadata: Any<Metadata> = metadataOf(subdomains);

export function metadataOf(names: Any<string>): Any<Metadata> {
  return fc.record(
    {
      name: names,
      namespace: namespaceNames,
      uid: fc.uuid(),
      resourceVersion: fc.integer({ min: 2, max: 10_000 }).map(String),
      generation: fc.nat(),
      labels: labelMaps,
      annotations: annotationMaps,
      finalizers: fc.constant(['example/kept']),
      ownerReferences: fc.array(
        fc.record({
          apiVersion: fc.constantFrom('v1', 'apps/v1'),
          kind: fc.constantFrom('Service', 'ReplicaSet', 'DaemonSet'),
          name: fc.constantFrom('vc1', 'web'),
          uid: fc.uuid(),
          controller: fc.boolean(),
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: ['name', 'namespace', 'uid', 'resourceVersion'] },
  );
}

export function objectsOf<T extends KubeObject>(kind: Kind<T>, meta: Any<Metadata>, fields: Any<object>): Any<T> {
  return fc.tuple(meta, fields).map(
    ([its, rest]) =>
      // Spread keeps `__proto__` an ordinary key.
      ({ ...rest, apiVersion: apiVersion(kind), kind: kind.kind, metadata: its }) as unknown as T,
  );
}

/** A record in which any field may be missing. */
export function partly<T extends object>(fields: { [F in keyof T]-?: Any<Exclude<T[F], undefined>> }): Any<Partial<T>> {
  return fc.record(fields, { requiredKeys: [] }) as unknown as Any<Partial<T>>;
}

const dataKeys = fc.oneof(fc.stringMatching(/^[-._a-zA-Y0-9]{1,8}$/u), fc.constantFrom('__proto__', 'constructor'));
const used = fc.constant({ 'vcluster.loft.sh/force-sync': 'true' });
const usedMetadata = fc
  .tuple(metadata, used)
  .map(([its, mark]) => ({ ...its, annotations: { ...its.annotations, ...mark } }));

export const configMapObjects: Any<ConfigMap> = objectsOf(
  configMaps,
  usedMetadata,
  partly({
    data: fc.dictionary(dataKeys, texts, { maxKeys: 4, noNullPrototype: true }),
    binaryData: fc.dictionary(dataKeys, fc.base64String({ maxLength: 8 }), { maxKeys: 2, noNullPrototype: true }),
    immutable: fc.boolean(),
  }),
);

export const secretObjects: Any<Secret> = objectsOf(
  secrets,
  usedMetadata,
  partly({
    type: fc.constantFrom('Opaque', 'kubernetes.io/tls', 'kubernetes.io/service-account-token', 'helm.sh/release.v1'),
    data: fc.dictionary(dataKeys, fc.base64String({ maxLength: 8 }), { maxKeys: 4, noNullPrototype: true }),
    immutable: fc.boolean(),
  }),
);

const ports = fc.uniqueArray(
  fc.record(
    {
      name: fc.constantFrom('http', 'dns', 'metrics'),
      port: fc.constantFrom(80, 443, 53),
      protocol: fc.constantFrom('TCP', 'UDP'),
      targetPort: fc.oneof(fc.constant(8080), fc.constant('web')),
      nodePort: fc.constantFrom(30_001, 30_002),
    },
    { requiredKeys: ['port'] },
  ),
  { maxLength: 3, selector: ({ port, protocol }) => `${port}/${protocol ?? 'TCP'}` },
);

export const serviceObjects: Any<Service> = objectsOf(
  services,
  metadataOf(dnsLabels),
  fc.record(
    {
      spec: fc
        .tuple(
          partly({
            type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
            clusterIP: fc.constantFrom('', 'None', '10.96.1.1'),
            ports,
            selector: labelMaps,
            externalName: fc.constant('example.org'),
            externalIPs: fc.constantFrom([], ['10.0.0.1']),
            sessionAffinity: fc.constantFrom('None', 'ClientIP'),
            loadBalancerSourceRanges: fc.constant(['10.0.0.0/8']),
            allocateLoadBalancerNodePorts: fc.boolean(),
          }),
          unknownFields,
        )
        .map(([spec, unknown]) => ({ ...unknown, ...(spec.type === 'ExternalName' ? withoutAddress(spec) : spec) })),
      status: fc.constantFrom({}, { loadBalancer: {} }, { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } }),
    },
    { requiredKeys: ['spec'] },
  ),
);

/** No API server takes an address on such a Service. */
function withoutAddress({ clusterIP: _clusterIP, ...spec }: { readonly clusterIP?: string }): object {
  return spec;
}
