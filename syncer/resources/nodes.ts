/**
 * Nodes: exactly those that the tenant's pods run on, with their true name and address, made from what pods show. A namespaced
 * account may not read host nodes, and a tenant has no business with their sizes (spec NODE-01…06, design decision D1).
 */
import type { Action, Plan } from '../model/action.ts';
import { nothingToDo } from '../model/action.ts';
import { nodes as NodeKind, pods as PodKind } from '../model/kubernetes.ts';
import type { Condition, Node, NodeAddress, Pod } from '../model/kubernetes.ts';
import type { Change, Resource } from '../model/resource.ts';
import type { Host, Virtual } from '../model/side.ts';
import type { Release, View } from '../model/view.ts';
import { equal } from '../translate/equality.ts';
import { labelKeys, originOf } from '../translate/metadata.ts';
import { hostPodsByNode, virtualPodsByNode } from './pods/references.ts';

/** Added by the API server to every new node; there is no kubelet to make it go away (NODE-06). */
const notReadyTaint = 'node.kubernetes.io/not-ready';
const kubeletPort = 10250;

export const nodes: Resource = {
  name: 'nodes',
  kind: NodeKind,
  sources: [
    { side: 'virtual', kind: NodeKind },
    { side: 'virtual', kind: PodKind },
    { side: 'host', kind: PodKind },
  ],
  indexes: [hostPodsByNode, virtualPodsByNode],
  hostRules: [],
  keysOf: ({ side, kind, object }: Change, view: View) => {
    if (kind.plural === NodeKind.plural && side === 'virtual') return [object.metadata.name];
    const { nodeName = '' } = kind.plural === PodKind.plural ? (object as Pod).spec : {};
    // Of a node that is there, the pods that matter have been read; the thousands of changes of all others wake nobody.
    const isKnown = nodeName === '' || view.virtual.peek(NodeKind, { namespace: '', name: nodeName }) !== undefined;
    return isKnown ? [] : [nodeName];
  },
  decide,
};

function decide(name: string, view: View): Plan {
  const key = { namespace: '', name };
  const node = view.virtual.peek(NodeKind, key);
  const pod = podOn(name, view);
  if (node === undefined) return pod === undefined ? nothingToDo : { actions: [create(name, pod, view.release)] };
  // A node that the tenant made by hand stays the tenant's (NODE-09).
  if (node.metadata.labels?.[labelKeys.managedBy] !== view.release.name) return nothingToDo;
  if (pod === undefined && view.virtual.findIndexed(virtualPodsByNode, name) === undefined) {
    return { actions: [{ do: 'delete', side: 'virtual', kind: NodeKind, key, uid: node.metadata.uid ?? '' }] };
  }
  return { actions: [...untaint(node), ...readdress(node, pod)] };
}

/** One of our host pods there, if possible one that shows the node's address. */
function podOn(name: string, view: View): Host<Pod> | undefined {
  const isOurs = (pod: Host<Pod>): boolean => originOf(pod, PodKind, view.release) !== undefined;
  const shown = view.host.findIndexed(hostPodsByNode, name, (pod) => ipsOf(pod).length > 0 && isOurs(pod));
  return shown ?? view.host.findIndexed(hostPodsByNode, name, isOurs);
}

function create(name: string, pod: Host<Pod>, release: Release): Action {
  const object: Node = {
    metadata: {
      name,
      labels: {
        [labelKeys.managedBy]: release.name,
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': release.architecture,
        'beta.kubernetes.io/os': 'linux',
        'beta.kubernetes.io/arch': release.architecture,
      },
      annotations: {
        'node.alpha.kubernetes.io/ttl': '0',
        'volumes.kubernetes.io/controller-managed-attach-detach': 'false',
      },
    },
    spec: {},
    status: status(addresses(name, pod), release),
  };
  return { do: 'create', side: 'virtual', kind: NodeKind, object };
}

/** The host does not tell its nodes' sizes; these are large enough that nothing in the virtual cluster counts on them. */
const size = {
  cpu: '16',
  memory: '32Gi',
  'ephemeral-storage': '100Gi',
  pods: '110',
  'hugepages-1Gi': '0',
  'hugepages-2Mi': '0',
};

function status(
  known: readonly NodeAddress[],
  { kubernetesVersion, architecture }: Release,
): NonNullable<Node['status']> {
  return {
    capacity: size,
    allocatable: size,
    addresses: known,
    daemonEndpoints: { kubeletEndpoint: { Port: kubeletPort } },
    conditions: [
      condition('MemoryPressure', 'False', 'KubeletHasSufficientMemory'),
      condition('DiskPressure', 'False', 'KubeletHasNoDiskPressure'),
      condition('PIDPressure', 'False', 'KubeletHasSufficientPID'),
      condition('Ready', 'True', 'KubeletReady'),
    ],
    nodeInfo: {
      machineID: '',
      systemUUID: '',
      bootID: '',
      kernelVersion: '',
      osImage: '',
      containerRuntimeVersion: '',
      kubeletVersion: `v${kubernetesVersion}`,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture,
    },
  };
}

function condition(type: string, value: string, reason: string): Condition {
  return { type, status: value, reason };
}

/** The node's addresses as its kubelet reports them on every pod; the virtual API server dials them for logs and exec. */
function addresses(name: string, pod: Host<Pod> | undefined): readonly NodeAddress[] {
  const internal = (pod === undefined ? [] : ipsOf(pod)).map((address) => ({ type: 'InternalIP', address }));
  return [...internal, { type: 'Hostname', address: name }];
}

function ipsOf({ status: shown }: Host<Pod>): readonly string[] {
  return shown?.hostIPs?.map(({ ip }) => ip) ?? (shown?.hostIP === undefined ? [] : [shown.hostIP]);
}

function untaint(node: Virtual<Node>): readonly Action[] {
  const taints = node.spec?.taints ?? [];
  const left = taints.filter((taint) => taint.key !== notReadyTaint);
  if (left.length === taints.length) return [];
  const { name, uid, resourceVersion } = node.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: { taints: left.length === 0 ? null : left } };
  return [{ do: 'patch', side: 'virtual', kind: NodeKind, key: { namespace: '', name }, patch }];
}

function readdress(node: Virtual<Node>, pod: Host<Pod> | undefined): readonly Action[] {
  const wanted = addresses(node.metadata.name, pod);
  const hasAddress = wanted.some(({ type }) => type === 'InternalIP');
  if (!hasAddress || equal(node.status?.addresses, wanted)) return [];
  const key = { namespace: '', name: node.metadata.name };
  const patch = { metadata: { uid: node.metadata.uid }, status: { addresses: wanted } };
  return [{ do: 'patch', side: 'virtual', kind: NodeKind, key, patch, subresource: 'status' }];
}
