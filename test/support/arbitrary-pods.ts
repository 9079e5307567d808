/** Pods for property tests: every way that a pod can refer to something by name, in places where the API has it or might. */
import * as fc from 'fast-check';
import { pods } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { LabelSelector } from '../../syncer/translate/labels.ts';
import {
  dnsLabels,
  jsonValues,
  labelKeyNames,
  labelMaps,
  labelValues,
  metadata,
  namespaceNames,
  objectsOf,
  partly,
  referenceNames,
  texts,
  unknownFields,
} from './arbitraries.ts';

type Any<T> = fc.Arbitrary<T>;

const named = partly({ name: referenceNames, optional: fc.boolean(), key: dnsLabels });
const secretRef = partly({ name: referenceNames, namespace: fc.constant('kube-system') });

const fieldPaths = fc.oneof(
  fc.constantFrom(
    'metadata.name',
    'metadata.namespace',
    'metadata.uid',
    'metadata.labels',
    'metadata.annotations',
    'spec.nodeName',
    'spec.serviceAccountName',
    'status.podIP',
  ),
  fc.tuple(fc.constantFrom('labels', 'annotations'), labelKeyNames).map(([map, key]) => `metadata.${map}['${key}']`),
);
const fieldRefs = fc.record({ apiVersion: fc.constant('v1'), fieldPath: fieldPaths });

const envVars = fc.record(
  {
    name: fc.constantFrom('A', 'KUBERNETES_SERVICE_HOST', '__proto__', 'constructor', '}]}'),
    value: texts,
    valueFrom: fc.oneof(
      named.map((configMapKeyRef) => ({ configMapKeyRef })),
      named.map((secretKeyRef) => ({ secretKeyRef })),
      fieldRefs.map((fieldRef) => ({ fieldRef })),
      fc.constant({ resourceFieldRef: { resource: 'limits.cpu', divisor: '1' } }),
      named.map((vaultKeyRef) => ({ vaultKeyRef })),
    ),
  },
  { requiredKeys: ['name'] },
);
const envSources = fc.oneof(
  partly({ prefix: fc.constant('P_'), configMapRef: named }),
  partly({ secretRef: named }),
  named.map((vaultRef) => ({ vaultRef })),
);

const quantities = fc.constantFrom('100m', '0.1', '1Gi', '1024Mi', '1e3', '0');
export const resourceNeeds: Any<object> = partly({
  requests: partly({ cpu: quantities, memory: quantities }),
  limits: partly({ cpu: quantities, 'example.com/gpu': fc.constant('1') }),
});

function containersNamed(prefix: string, maxLength: number): Any<readonly object[]> {
  const one = fc
    .tuple(
      partly({
        image: fc.constantFrom('app:1', 'app:2'),
        env: fc.array(envVars, { maxLength: 3 }),
        envFrom: fc.array(envSources, { maxLength: 2 }),
        resources: resourceNeeds,
        securityContext: jsonValues,
      }),
      unknownFields,
    )
    .map(([known, unknown]) => ({ ...unknown, ...known }));
  return fc
    .array(one, { maxLength })
    .map((containers) => containers.map((container, index) => ({ ...container, name: `${prefix}${index}` })));
}

const items = fc.array(fc.record({ path: dnsLabels, fieldRef: fieldRefs }), { maxLength: 2 });
const projections = fc.oneof(
  named.map((secret) => ({ secret })),
  named.map((configMap) => ({ configMap })),
  items.map((list) => ({ downwardAPI: { items: list } })),
  partly({ path: dnsLabels, audience: dnsLabels, expirationSeconds: fc.constantFrom(600, 3607, 86_400) }).map(
    (serviceAccountToken) => ({ serviceAccountToken }),
  ),
  named.map((clusterTrustBundle) => ({ clusterTrustBundle })),
);
const volumeSources: Any<object> = fc.oneof(
  fc.tuple(named, unknownFields).map(([known, unknown]) => ({ configMap: { ...unknown, ...known } })),
  partly({ secretName: referenceNames, defaultMode: fc.constant(0o644) }).map((secret) => ({ secret })),
  fc.record({ claimName: referenceNames }).map((persistentVolumeClaim) => ({ persistentVolumeClaim })),
  fc.oneof(fc.constant(null), fc.array(projections, { maxLength: 3 })).map((sources) => ({ projected: { sources } })),
  partly({ items }).map((downwardAPI) => ({ downwardAPI })),
  fc.constantFrom<object>({ emptyDir: {} }, { hostPath: { path: '/' } }, { image: { reference: 'app:1' } }),
  partly({ secretName: referenceNames, secretNamespace: fc.constant('kube-system') }).map((azureFile) => ({
    azureFile,
  })),
  fc.record({ endpoints: referenceNames, path: dnsLabels }).map((glusterfs) => ({ glusterfs })),
  partly({ driver: dnsLabels, nodePublishSecretRef: secretRef }).map((csi) => ({ csi })),
  fc
    .tuple(fc.constantFrom('iscsi', 'rbd', 'flexVolume', 'cinder', 'cephfs', 'scaleIO', 'storageos'), secretRef)
    .map(([kind, ref]) => ({ [kind]: { secretRef: ref } })),
  fc.constant({ ephemeral: { volumeClaimTemplate: { spec: {} } } }),
  named.map((vault) => ({ vault })),
);
const volumes = fc
  .array(volumeSources, { maxLength: 4 })
  .map((sources) => sources.map((source, index) => ({ ...source, name: `v${index}` })));

const expressions = fc.array(
  fc.record(
    {
      key: labelKeyNames,
      operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist'),
      values: fc.array(labelValues, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['key', 'operator', 'values'] },
  ),
  { maxLength: 2 },
);
export const selectors: Any<LabelSelector> = partly<LabelSelector>({
  matchLabels: labelMaps,
  matchExpressions: expressions,
});

export const affinityTerms: Any<object> = fc.record(
  {
    topologyKey: fc.constant('kubernetes.io/hostname'),
    labelSelector: selectors,
    namespaces: fc.uniqueArray(namespaceNames, { maxLength: 2 }),
    namespaceSelector: selectors,
  },
  { requiredKeys: ['topologyKey'] },
);
const affinityKinds = partly({
  requiredDuringSchedulingIgnoredDuringExecution: fc.array(affinityTerms, { maxLength: 2 }),
  preferredDuringSchedulingIgnoredDuringExecution: fc.array(
    fc.record({ weight: fc.constant(1), podAffinityTerm: affinityTerms }),
    { maxLength: 2 },
  ),
});
const affinities = partly({
  podAffinity: affinityKinds,
  podAntiAffinity: affinityKinds,
  nodeAffinity: fc.constant({ requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: null } }),
});
const spreads = fc.array(
  partly({
    maxSkew: fc.constant(1),
    topologyKey: fc.constant('zone'),
    labelSelector: selectors,
    matchLabelKeys: fc.array(labelKeyNames, { maxLength: 2 }),
  }),
  { maxLength: 2 },
);

const gates = ['example.org/ready', 'plain'] as const;

const knownSpec = partly({
  initContainers: containersNamed('i', 2),
  ephemeralContainers: containersNamed('e', 2),
  volumes,
  imagePullSecrets: fc.array(named, { maxLength: 2 }),
  affinity: affinities,
  topologySpreadConstraints: spreads,
  tolerations: fc.array(
    jsonValues.map((value) => ({ key: 'a', value })),
    { maxLength: 2 },
  ),
  serviceAccountName: fc.constantFrom('', 'default', 'robot'),
  serviceAccount: fc.constant('robot'),
  hostNetwork: fc.boolean(),
  dnsPolicy: fc.constantFrom('ClusterFirst', 'Default', 'None', 'ClusterFirstWithHostNet'),
  dnsConfig: partly({ searches: fc.array(dnsLabels, { maxLength: 2 }), nameservers: fc.constant(['1.1.1.1']) }),
  hostname: dnsLabels,
  subdomain: dnsLabels,
  enableServiceLinks: fc.boolean(),
  terminationGracePeriodSeconds: fc.constantFrom(0, 30, 300),
  hostAliases: fc.constant([{ ip: '1.2.3.4', hostnames: ['a.example'] }]),
  readinessGates: fc.subarray(gates.map((conditionType) => ({ conditionType }))),
  schedulingGates: fc.subarray([{ name: 'example.org/gate' }]),
  activeDeadlineSeconds: fc.constant(60),
  priorityClassName: fc.constant('high'),
  resourceClaims: fc.constantFrom<object[]>([], [{ name: 'c', resourceClaimName: 'zzclaim' }]),
});

export const podStatuses: Any<object> = fc
  .tuple(
    partly({
      phase: fc.constantFrom('Pending', 'Running'),
      startTime: fc.constant('2026-01-01T00:00:00Z'),
      hostIP: fc.constant('10.0.0.1'),
      qosClass: fc.constantFrom('Burstable', 'BestEffort'),
      observedGeneration: fc.constantFrom(1, 2),
      conditions: fc.uniqueArray(
        fc.record({
          type: fc.constantFrom('Ready', 'PodScheduled', 'ContainersReady', 'mesh.example/up', ...gates),
          status: fc.constantFrom('True', 'False'),
          lastProbeTime: fc.constant(null),
          observedGeneration: fc.constantFrom(1, 2),
        }),
        { maxLength: 4, selector: ({ type }) => type },
      ),
      containerStatuses: fc.array(fc.record({ name: fc.constantFrom('c0', 'c1', 'sidecar'), state: jsonValues }), {
        maxLength: 2,
      }),
    }),
    unknownFields,
  )
  .map(([known, unknown]) => ({ ...unknown, ...known }));

/** Not bound and not started, as they are when they come. */
export const newPods: Any<Pod> = objectsOf(
  pods,
  metadata,
  fc.tuple(containersNamed('c', 2), knownSpec, unknownFields).map(([containers, known, unknown]) => ({
    spec: { ...unknown, ...known, containers: containers.length === 0 ? [{ name: 'c0', image: 'app:1' }] : containers },
    status: { phase: 'Pending', qosClass: 'BestEffort' },
  })),
);
