/**
 * Services: same cluster IP on both sides (design decision D4), selectors confined to the tenant's own pods (spec SVC-01).
 * What the host allocates (IP, node ports, load balancer) comes back.
 */
import type { Action } from '../model/action.ts';
import { services as Service } from '../model/kubernetes.ts';
import type { Service as ServiceObject, ServicePort, ServiceSpec } from '../model/kubernetes.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { Resource, Translated } from '../model/resource.ts';
import type { Host, Virtual } from '../model/side.ts';
import type { Release, View } from '../model/view.ts';
import { mergePatch } from '../translate/equality.ts';
import { omit, pick } from '../translate/fields.ts';
import { matchLabelsToHost, podScope } from '../translate/labels.ts';
import { onHost } from '../translate/metadata.ts';
import { hostName } from '../translate/names.ts';
import { mergeMetadata } from '../translate/three-way.ts';
import { defineToHost } from './define.ts';
import { movingAnnotation, moveTo, rangeAround, settledSpec } from './service-address.ts';

/** What the tenant decides, for as long as the Service lives. */
const tenantFields = [
  'type',
  'externalName',
  'sessionAffinity',
  'sessionAffinityConfig',
  'publishNotReadyAddresses',
  'externalTrafficPolicy',
  'internalTrafficPolicy',
  'trafficDistribution',
  'loadBalancerSourceRanges',
  'loadBalancerClass',
  'allocateLoadBalancerNodePorts',
] as const;

/** What the host allocates. */
const allocatedFields = ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy', 'healthCheckNodePort'] as const;

/** What a tenant does not decide, or not in these words. */
const hostOnlyFields = ['externalIPs', 'loadBalancerIP', 'healthCheckNodePort', 'selector'] as const;

const serviceCidrs: Kind = {
  group: 'networking.k8s.io',
  version: 'v1',
  plural: 'servicecidrs',
  kind: 'ServiceCIDR',
  namespaced: false,
};

export const services: Resource = defineToHost<ServiceObject>({
  kind: Service,
  ignores: ({ metadata }) => metadata.namespace === 'default' && metadata.name === 'kubernetes',
  toHost: translate,
  merge,
  otherwise: (object, message) => withoutTaken(object, message),
  pull,
  afterRefusal: learnRange,
});

function translate(service: Virtual<ServiceObject>, view: View): Translated<ServiceObject> {
  const spec = settledSpec(service);
  if (((spec['externalIPs'] as readonly string[] | undefined) ?? []).length > 0) {
    return {
      is: 'refused',
      why: 'spec.externalIPs is not allowed here: it would let a Service take over traffic of others.',
    };
  }
  const fields = { spec: { ...omit(spec, hostOnlyFields), ...selector(spec, service, view.release) } };
  const { [movingAnnotation]: _kept, ...annotations } = service.metadata.annotations ?? {};
  const settled = { ...service, metadata: { ...service.metadata, annotations } };
  return { is: 'object', object: onHost<ServiceObject>(settled, Service, view, fields) };
}

/** No selector, or an empty one, selects nothing and must stay that way (SVC-02). */
function selector(
  spec: ServiceSpec,
  { metadata }: Virtual<ServiceObject>,
  release: Release,
): Pick<ServiceSpec, 'selector'> {
  if (Object.keys(spec.selector ?? {}).length === 0) return {};
  return {
    selector: { ...matchLabelsToHost(spec.selector ?? {}, release), ...podScope(release, metadata.namespace ?? '') },
  };
}

function merge(host: Host<ServiceObject>, desired: Host<ServiceObject>): Host<ServiceObject> {
  const isName = desired.spec.type === 'ExternalName';
  const kept = omit(host.spec, [...tenantFields, 'selector', 'ports', ...(isName ? allocatedFields : [])]);
  const keepsAddress = isName || (host.spec.clusterIP ?? '') !== '';
  const spec = {
    ...pick(desired.spec, [...tenantFields, 'selector']),
    ...(keepsAddress ? {} : pick(desired.spec, ['clusterIP', 'clusterIPs'])),
    ...kept,
    ...laterFields(kept, desired.spec),
    ...withHostDefaults(host.spec, desired.spec),
  };
  return { ...host, metadata: mergeMetadata(host.metadata, desired.metadata), spec };
}

/** Fields of a later Kubernetes. A host that does not know them has dropped them at creation, and is not told again (CORE-24). */
function laterFields(kept: object, desired: ServiceSpec): object {
  const allocated = new Set<string>(allocatedFields);
  return Object.fromEntries(
    Object.entries(desired).filter(([field]) => Object.hasOwn(kept, field) && !allocated.has(field)),
  );
}

/** Ports as the tenant wants them, with the node ports that the host gave; and what the host fills in where nothing is said. */
function withHostDefaults(host: ServiceSpec, desired: ServiceSpec): ServiceSpec {
  const ports = desired.ports?.map((port) => {
    const same = host.ports?.find((other) => samePort(other, port));
    return same?.nodePort === undefined ? withoutNodePort(port) : { ...port, nodePort: same.nodePort };
  });
  const defaults = pick(host, [
    'sessionAffinity',
    'internalTrafficPolicy',
    'externalTrafficPolicy',
    'allocateLoadBalancerNodePorts',
  ]);
  const missing = Object.fromEntries(Object.entries(defaults).filter(([field]) => desired[field] === undefined));
  return { ...missing, ...(ports === undefined ? {} : { ports }) };
}

function withoutNodePort({ nodePort: _nodePort, ...port }: ServicePort): ServicePort {
  return port;
}

function samePort(a: ServicePort, b: ServicePort): boolean {
  return a.port === b.port && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP');
}

/** The host names one cause at a time (findings A.1): first the address is given up, then the node ports. */
function withoutTaken(object: Host<ServiceObject>, message: string): Host<ServiceObject> | undefined {
  if (message.includes('spec.clusterIPs') && object.spec.clusterIPs !== undefined) {
    return { ...object, spec: omit(object.spec, ['clusterIP', 'clusterIPs']) };
  }
  if (message.includes('.nodePort') && object.spec.ports?.some((port) => port.nodePort !== undefined) === true) {
    return { ...object, spec: { ...object.spec, ports: object.spec.ports.map(withoutNodePort) } };
  }
  return undefined;
}

function pull(host: Host<ServiceObject>, virtual: Virtual<ServiceObject>): readonly Action[] {
  const moves = host.spec.type === 'ExternalName' ? [] : moveTo(virtual, pick(host.spec, ['clusterIP', 'clusterIPs']));
  // One write at a time: the next plan starts from its answer.
  return moves.length > 0 ? moves : [...pullNodePorts(host, virtual), ...pullStatus(host, virtual)];
}

function pullNodePorts(host: Host<ServiceObject>, virtual: Virtual<ServiceObject>): readonly Action[] {
  const ports = virtual.spec.ports?.map((port) => {
    const nodePort = host.spec.ports?.find((other) => samePort(other, port))?.nodePort;
    return nodePort === undefined ? port : { ...port, nodePort };
  });
  return patchVirtual(virtual, { ...virtual, spec: { ...virtual.spec, ...(ports === undefined ? {} : { ports }) } });
}

/** A Service that is no load balancer any more must not show an old address (SVC-08). */
function pullStatus(host: Host<ServiceObject>, virtual: Virtual<ServiceObject>): readonly Action[] {
  const loadBalancer = host.spec.type === 'LoadBalancer' ? (host.status?.loadBalancer ?? {}) : {};
  return patchVirtual(virtual, { ...virtual, status: { ...virtual.status, loadBalancer } }, 'status');
}

function patchVirtual(before: Virtual<ServiceObject>, after: ServiceObject, subresource?: string): readonly Action[] {
  const patch = mergePatch(before, after);
  if (patch === undefined) return [];
  const { uid, resourceVersion } = before.metadata;
  const conditional = { ...patch, metadata: { uid, resourceVersion } };
  const where = subresource === undefined ? {} : { subresource };
  return [{ do: 'patch', side: 'virtual', kind: Service, key: keyOf(before), patch: conditional, ...where }];
}

/** The virtual API server does not know the host's range yet: add the surroundings of the address that the host gave. */
function learnRange(virtual: Virtual<ServiceObject>, message: string, view: View): readonly Action[] {
  if (!message.includes('does not match the current range')) return [];
  const { name, namespace = '' } = virtual.metadata;
  const key = { namespace: view.release.namespace, name: hostName(name, namespace, view.release) };
  const ips = view.host.peek(Service, key)?.spec.clusterIPs ?? [];
  return ips.map((ip) => ({ do: 'create', side: 'virtual', kind: serviceCidrs, object: rangeAround(ip) }));
}
