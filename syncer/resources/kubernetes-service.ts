/**
 * `default/kubernetes`, how pods find their API server: moved to the address of host Service `<name>` (design decision D4), with
 * endpoints that are the control plane's real addresses (spec SVC-51, SVC-52). Nothing is written to the host.
 */
import type { Action, Plan } from '../model/action.ts';
import { nothingToDo } from '../model/action.ts';
import { apiVersion } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import { endpointSlices as EndpointSlice, services as Service } from '../model/kubernetes.ts';
import type { EndpointSlice as EndpointSliceObject } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import type { Change, Resource } from '../model/resource.ts';
import type { Key } from '../model/side.ts';
import type { View } from '../model/view.ts';
import { equal } from '../translate/equality.ts';
import { moveTo } from './service-address.ts';

const key: Key<'virtual'> = { namespace: 'default', name: 'kubernetes' };
const serviceNameLabel = 'kubernetes.io/service-name';
const queueKey = 'default/kubernetes';

interface Subset {
  readonly addresses?: readonly { readonly ip: string }[];
  readonly ports?: readonly object[];
}
type Endpoints = KubeObject & { readonly subsets?: readonly Subset[] };

const endpoints: Kind<Endpoints> = {
  group: '',
  version: 'v1',
  plural: 'endpoints',
  kind: 'Endpoints',
  namespaced: true,
};

export const kubernetesService: Resource = {
  name: 'kubernetes-service',
  kind: Service,
  sources: [
    { side: 'virtual', kind: Service },
    { side: 'virtual', kind: EndpointSlice },
    { side: 'virtual', kind: endpoints, keep: onlyKubernetes },
    { side: 'host', kind: EndpointSlice },
  ],
  indexes: [],
  hostRules: [{ apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] }],
  keysOf: concerns,
  decide: (_key, view) => decide(view),
};

/** The one object of this kind that is read; of the others only the name is kept. */
function onlyKubernetes(object: KubeObject): KubeObject {
  return object.metadata.name === key.name ? object : { metadata: object.metadata };
}

function concerns({ side, kind, object }: Change, view: View): readonly string[] {
  if (side === 'virtual') return isOwn(object) ? [queueKey] : [];
  return kind.plural === EndpointSlice.plural && serviceOf(object) === view.release.name ? [queueKey] : [];
}

function isOwn({ metadata }: KubeObject): boolean {
  return metadata.namespace === key.namespace && metadata.name === key.name;
}

function serviceOf({ metadata }: KubeObject): string | undefined {
  return metadata.labels?.[serviceNameLabel];
}

function decide(view: View): Plan {
  const service = view.virtual.get(Service, key);
  if (service === undefined) return { actions: [], why: 'The API server has not made default/kubernetes yet' };
  const clusterIPs = view.release.service.clusterIPs.slice(0, service.spec.clusterIPs?.length ?? 1);
  const moves = moveTo(service, { clusterIP: clusterIPs[0] ?? '', clusterIPs });
  if (moves.length > 0) return { actions: moves };
  const addresses = controlPlaneAddresses(view);
  if (addresses.length === 0) return nothingToDo;
  return { actions: [...writeSlice(addresses, view), ...writeEndpoints(addresses, view)] };
}

/** Ready addresses of the control plane's pods, in a stable order. */
function controlPlaneAddresses(view: View): readonly string[] {
  const slices = view.host.list(EndpointSlice, view.release.namespace);
  const own = slices.filter((slice) => serviceOf(slice) === view.release.name && slice.addressType !== 'FQDN');
  const ready = own.flatMap((slice) => (slice.endpoints ?? []).filter(isReady).flatMap(({ addresses }) => addresses));
  return [...new Set(ready)].toSorted();
}

function isReady(endpoint: Readonly<Record<string, unknown>>): boolean {
  return (endpoint['conditions'] as { ready?: boolean } | undefined)?.ready !== false;
}

const port = { name: 'https', port: 6443, protocol: 'TCP' };

function writeSlice(addresses: readonly string[], view: View): readonly Action[] {
  const object: EndpointSliceObject = {
    apiVersion: apiVersion(EndpointSlice),
    kind: EndpointSlice.kind,
    metadata: { ...key, labels: { [serviceNameLabel]: key.name } },
    addressType: addresses[0]?.includes(':') === true ? 'IPv6' : 'IPv4',
    endpoints: [{ addresses, conditions: { ready: true } }],
    ports: [port],
  };
  const present = view.virtual.get(EndpointSlice, key);
  return write(EndpointSlice, present, object, (slice) => [addressesOf(slice), slice.ports]);
}

function addressesOf(slice: EndpointSliceObject): readonly string[] {
  return (slice.endpoints ?? []).flatMap(({ addresses }) => addresses);
}

function writeEndpoints(addresses: readonly string[], view: View): readonly Action[] {
  const object: Endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { ...key, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
    subsets: [{ addresses: addresses.map((ip) => ({ ip })), ports: [port] }],
  };
  return write(endpoints, view.virtual.get(endpoints, key), object, ({ subsets }) => subsets);
}

function write<T extends KubeObject>(
  kind: Kind<T>,
  present: T | undefined,
  wanted: T,
  content: (object: T) => unknown,
): readonly Action[] {
  if (present === undefined) return [{ do: 'create', side: 'virtual', kind, object: wanted }];
  if (equal(content(present), content(wanted))) return [];
  const metadata = { ...present.metadata, labels: { ...present.metadata.labels, ...wanted.metadata.labels } };
  return [{ do: 'replace', side: 'virtual', kind, object: { ...wanted, metadata } }];
}
