/** The gateway's look-ups, answered from the syncer's caches. Everything it lets through belongs to this tenant (design D1). */
import { pods as PodKind, services as ServiceKind } from './model/kubernetes.ts';
import type { Pod } from './model/kubernetes.ts';
import type { Key, Virtual } from './model/side.ts';
import type { Index, View } from './model/view.ts';
import { hostPodsByNode, virtualPodsByNode } from './resources/pods/references.ts';
import { incarnationOf, originOf } from './translate/metadata.ts';
import { hostName } from './translate/names.ts';
import { canonicalAddress } from './gateway/address.ts';
import type { GatewayView, HostPod } from './gateway/options.ts';

/** Host pods by the address of their node, and virtual pods by their own: what a dial names. */
export const hostPodsByNodeAddress: Index<'host', Pod> = {
  name: 'hostPodsByNodeAddress',
  side: 'host',
  kind: PodKind,
  values: ({ status }) => addresses(status?.hostIPs?.map(({ ip }) => ip) ?? [status?.hostIP]),
};

export const virtualPodsByAddress: Index<'virtual', Pod> = {
  name: 'virtualPodsByAddress',
  side: 'virtual',
  kind: PodKind,
  values: (pod) => (pod.spec.hostNetwork === true ? [] : podAddresses(pod)),
};

export const gatewayIndexes: readonly Index[] = [
  hostPodsByNodeAddress,
  virtualPodsByAddress,
  hostPodsByNode,
  virtualPodsByNode,
];

function addresses(ips: readonly (string | undefined)[]): readonly string[] {
  return ips.flatMap((ip) => (ip === undefined ? [] : [canonicalAddress(ip) ?? ip]));
}

function podAddresses({ status }: Pod): readonly string[] {
  return addresses(status?.podIPs?.map(({ ip }) => ip) ?? [status?.podIP]);
}

export function cacheView(view: () => View): GatewayView {
  const ownPodAt = (ip: string): Pod | undefined => {
    const { host, release } = view();
    return host.findIndexed(hostPodsByNodeAddress, ip, (pod) => originOf(pod, PodKind, release) !== undefined);
  };
  return {
    hostPodOf: (key) => hostPodOf(key, view()),
    isNodeAddress: (ip) => ownPodAt(ip) !== undefined,
    nodeNameOfAddress: (ip) => ownPodAt(ip)?.spec.nodeName,
    podAddress: (ip) =>
      view().virtual.findIndexed(virtualPodsByAddress, ip, (pod) => hasHostPod(pod, view())) !== undefined,
    podsOnNode: (nodeName) => view().virtual.indexed(virtualPodsByNode, nodeName),
    serviceTarget: (ip, port) => serviceTarget(ip, port, view()),
  };
}

function hostPodOf(key: Key<'virtual'>, { virtual, host, release }: View): HostPod | undefined {
  const pod = virtual.get(PodKind, key);
  const hostKey: Key<'host'> = { namespace: release.namespace, name: hostName(key.name, key.namespace, release) };
  const hostPod = host.get(PodKind, hostKey);
  if (pod === undefined || hostPod === undefined) return undefined;
  const ours = originOf(hostPod, PodKind, release) !== undefined && incarnationOf(hostPod) === pod.metadata.uid;
  if (!ours) return undefined;
  const { containers, initContainers = [], ephemeralContainers = [], nodeName } = pod.spec;
  const names = [...containers, ...initContainers, ...ephemeralContainers].map(({ name }) => name);
  return { hostKey, uid: pod.metadata.uid ?? '', containers: names, nodeName };
}

/**
 * The virtual pod's status is writable by the tenant; only an address that its own host pod has now counts (I7). A finished pod
 * still shows the address that it had, while the network may have given it to somebody else.
 */
function hasHostPod(pod: Virtual<Pod>, view: View): boolean {
  const { name, namespace = '' } = pod.metadata;
  const key: Key<'host'> = { namespace: view.release.namespace, name: hostName(name, namespace, view.release) };
  const hostPod = view.host.get(PodKind, key);
  if (hostPod === undefined || originOf(hostPod, PodKind, view.release) === undefined) return false;
  if (incarnationOf(hostPod) !== pod.metadata.uid || hasFinished(hostPod) || hostPod.spec.hostNetwork === true)
    return false;
  const real = new Set(podAddresses(hostPod));
  return podAddresses(pod).every((ip) => real.has(ip));
}

function hasFinished({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

/** Looked up on the host side: a tenant can write any address into a virtual Service's endpoints, but not into host Services. */
function serviceTarget(ip: string, port: number, { host, release }: View): boolean {
  return host.list(ServiceKind, release.namespace).some((service) => {
    if (originOf(service, ServiceKind, release) === undefined) return false;
    const ips = addresses(service.spec.clusterIPs ?? [service.spec.clusterIP]);
    return ips.includes(ip) && (service.spec.ports ?? []).some((candidate) => candidate.port === port);
  });
}
