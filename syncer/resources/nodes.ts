/**
 * Nodes: exactly those that the tenant's pods run on, with their true name and address, made from what pods show. A namespaced
 * account may not read host nodes, and a tenant has no business with their sizes (spec NODE-01…06, design decision D1).
 */
import type { Action, Plan } from '../model/action.ts';
import { nothingToDo } from '../model/action.ts';
import { nodes as NodeKind, pods as PodKind } from '../model/kubernetes.ts';
import type { Condition, Node, NodeAddress, Pod } from '../model/kubernetes.ts';
import type { StringMap } from '../model/object.ts';
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

function decide(name: string, view: View, had: string | undefined): Plan {
  const key = { namespace: '', name };
  const node = view.virtual.peek(NodeKind, key);
  const pod = podOn(name, view);
  if (node === undefined) return pod === undefined ? nothingToDo : { actions: [create(name, pod, view.release)] };
  // A node that the tenant made by hand stays the tenant's (NODE-09); taking our label away makes none of ours his (F74).
  const { uid } = node.metadata;
  if (node.metadata.labels?.[labelKeys.managedBy] !== view.release.name && had !== uid) return nothingToDo;
  if (pod === undefined && view.virtual.findIndexed(virtualPodsByNode, name) === undefined) {
    return { actions: [{ do: 'delete', side: 'virtual', kind: NodeKind, key, uid: uid ?? '' }] };
  }
  return { actions: restored(node, pod, view.release), remembers: uid };
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
      labels: labelsOf(name, release),
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

function labelsOf(name: string, { name: releaseName, architecture }: Release): StringMap {
  return {
    [labelKeys.managedBy]: releaseName,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': architecture,
  };
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

const endpoints = { kubeletEndpoint: { Port: kubeletPort } };

const conditions: readonly Condition[] = [
  { type: 'MemoryPressure', status: 'False', reason: 'KubeletHasSufficientMemory' },
  { type: 'DiskPressure', status: 'False', reason: 'KubeletHasNoDiskPressure' },
  { type: 'PIDPressure', status: 'False', reason: 'KubeletHasSufficientPID' },
  { type: 'Ready', status: 'True', reason: 'KubeletReady' },
];

function status(
  known: readonly NodeAddress[],
  { kubernetesVersion, architecture }: Release,
): NonNullable<Node['status']> {
  return {
    capacity: size,
    allocatable: size,
    addresses: known,
    daemonEndpoints: endpoints,
    conditions,
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

/** The node's addresses as its kubelet reports them on every pod; the virtual API server dials them for logs and exec. */
function addresses(name: string, pod: Host<Pod> | undefined): readonly NodeAddress[] {
  const internal = (pod === undefined ? [] : ipsOf(pod)).map((address) => ({ type: 'InternalIP', address }));
  return [...internal, { type: 'Hostname', address: name }];
}

function ipsOf({ status: shown }: Host<Pod>): readonly string[] {
  return shown?.hostIPs?.map(({ ip }) => ip) ?? (shown?.hostIP === undefined ? [] : [shown.hostIP]);
}

/**
 * What the tenant has changed of a node's identity and state is put back, once for each change (F74). Labels, taints, conditions and
 * sizes that he has added are his.
 */
function restored(node: Virtual<Node>, pod: Host<Pod> | undefined, release: Release): readonly Action[] {
  const { name, uid, resourceVersion } = node.metadata;
  const key = { namespace: '', name };
  const patch = { ...untainted(node), ...relabelled(node, release) };
  const state = stateOf(node, pod);
  const spec: readonly Action[] =
    Object.keys(patch).length === 0
      ? []
      : [
          {
            do: 'patch',
            side: 'virtual',
            kind: NodeKind,
            key,
            patch: { ...patch, metadata: { ...patch.metadata, uid, resourceVersion } },
          },
        ];
  const shown: readonly Action[] =
    Object.keys(state).length === 0
      ? []
      : [
          {
            do: 'patch',
            side: 'virtual',
            kind: NodeKind,
            key,
            patch: { metadata: { uid }, status: state },
            subresource: 'status',
          },
        ];
  return [...spec, ...shown];
}

function untainted({ spec }: Virtual<Node>): { readonly spec?: object } {
  const taints = spec?.taints ?? [];
  const left = taints.filter((taint) => taint.key !== notReadyTaint);
  return left.length === taints.length ? {} : { spec: { taints: left.length === 0 ? null : left } };
}

function relabelled({ metadata }: Virtual<Node>, release: Release): { readonly metadata?: object } {
  const own = metadata.labels ?? {};
  const lost = Object.entries(labelsOf(metadata.name, release)).filter(([key, value]) => own[key] !== value);
  return lost.length === 0 ? {} : { metadata: { labels: Object.fromEntries(lost) } };
}

function stateOf({ metadata, status: shown }: Virtual<Node>, pod: Host<Pod> | undefined): NonNullable<Node['status']> {
  const known = addresses(metadata.name, pod);
  const hasAddress = known.some(({ type }) => type === 'InternalIP');
  const own = new Map(conditions.map((condition) => [condition.type, condition]));
  const have = shown?.conditions ?? [];
  const isRight = (condition: Condition): boolean =>
    have.some(({ type, status: is }) => type === condition.type && is === condition.status);
  return {
    ...(hasAddress && !equal(shown?.addresses, known) && { addresses: known }),
    ...(!conditions.every(isRight) && { conditions: [...have.filter(({ type }) => !own.has(type)), ...conditions] }),
    ...(!equal(shown?.['daemonEndpoints'], endpoints) && { daemonEndpoints: endpoints }),
  };
}
