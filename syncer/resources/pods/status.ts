/**
 * What the host knows about a pod, on its way back: node, status, deletion. In this order, so that a Job sees how its pod ended
 * before the pod goes (POD-25, POD-100). On the way, what the host takes only by a verb of its own: readiness gates, ephemeral
 * containers, resizes.
 */
import type { Action, Warning } from '../../model/action.ts';
import { nodes, pods } from '../../model/kubernetes.ts';
import type { Condition, ContainerStatus, Pod, PodStatus } from '../../model/kubernetes.ts';
import { isDeleting, keyOf } from '../../model/object.ts';
import type { Host, Virtual } from '../../model/side.ts';
import type { Release, View } from '../../model/view.ts';
import { equal, mergePatch } from '../../translate/equality.ts';
import { pushEphemeral } from './ephemeral.ts';
import { withOwnImages } from './images.ts';
import { pushResize } from './resize.ts';
import { inTenantsWords } from './status-words.ts';

const defaultGraceSeconds = 30;

/** Writes that bring a virtual pod, and of its host pod what has a verb of its own, up to date. */
export function pull(host: Host<Pod>, virtual: Virtual<Pod>, view: View): readonly Action[] {
  const { nodeName: hostNode = '' } = host.spec;
  const { nodeName: virtualNode = '' } = virtual.spec;
  if (virtualNode === '' && hostNode !== '' && !isDeleting(virtual)) {
    // The status waits for the node: it would be a status of a running pod that runs nowhere. Bound, the pod comes again.
    return [...bind(hostNode, virtual, view), ...deletions(host, virtual)];
  }
  if (virtualNode !== '' && virtualNode !== hostNode) return isDeleting(virtual) ? [] : [unbindable(host, virtual)];
  return [
    ...pullStatus(host, virtual, view.release),
    ...pushGates(host, virtual),
    ...pushContainers(host, virtual, view),
    ...deletions(host, virtual),
  ];
}

/** The status that a virtual pod should have (POD-90 to POD-96). */
export function statusFromHost(host: Host<Pod>, virtual: Virtual<Pod>): PodStatus {
  const status = host.status ?? {};
  const { qosClass } = virtual.status ?? {};
  const { spec } = virtual;
  const conditions = conditionsFromHost(host, virtual);
  const { qosClass: _, observedGeneration: __, ...rest } = status;
  return {
    ...rest,
    ...(qosClass !== undefined && { qosClass }), // Immutable, and the host may count defaults of its own into it.
    ...ofContainers('containerStatuses', status, spec.containers),
    ...ofContainers('initContainerStatuses', status, spec.initContainers),
    ...ofContainers('ephemeralContainerStatuses', status, spec.ephemeralContainers),
    conditions,
    ...observedGeneration(status, virtual.status, host, virtual),
  };
}

/** POD-40. The precondition keeps the binding from a pod made again under the same name. */
function bind(node: string, virtual: Virtual<Pod>, view: View): readonly Action[] {
  if (view.virtual.get(nodes, { namespace: '', name: node }) === undefined) return []; // Being made; it wakes this key.
  const { name, namespace = '', uid } = virtual.metadata;
  const body = {
    apiVersion: 'v1',
    kind: 'Binding',
    metadata: { name, namespace, ...(uid !== undefined && { uid }) },
    target: { apiVersion: 'v1', kind: 'Node', name: node },
  };
  return [{ do: 'post', side: 'virtual', kind: pods, key: keyOf(virtual), subresource: 'binding', body }];
}

/**
 * Bound to another node than the host's (POD-41), or while the host has not chosen one (POD-42): beyond repair. Unless it is our
 * view of the host pod that is old, and another syncer has bound the virtual one to the node that it has by now.
 */
function unbindable(host: Host<Pod>, virtual: Virtual<Pod>): Action {
  const { nodeName = '' } = host.spec;
  const { resourceVersion } = host.metadata;
  const onlyIfStill = { side: 'host', kind: pods, key: keyOf(host), resourceVersion } as const;
  return { ...deleteVirtual(virtual, nodeName === '' ? defaultGraceSeconds : undefined), onlyIfStill };
}

function pullStatus(host: Host<Pod>, virtual: Virtual<Pod>, release: Release): readonly Action[] {
  const shown = withOwnImages(statusFromHost(host, virtual), virtual.spec, release.podRules.images);
  const status = inTenantsWords(shown, virtual.metadata, release);
  const patch = mergePatch(virtual.status ?? {}, status);
  return patch === undefined ? [] : [statusPatch('virtual', virtual, patch)];
}

/**
 * Conditions of declared readiness gates that controllers in the virtual cluster have set: the host's kubelet and services must
 * know them (POD-94). No other condition travels this way (ABU-25).
 */
function pushGates(host: Host<Pod>, virtual: Virtual<Pod>): readonly Action[] {
  const gates = gatesOf(virtual);
  const wanted = (virtual.status?.conditions ?? []).filter(({ type }) => gates.has(type));
  const have = host.status?.conditions ?? [];
  const differs = wanted.some((condition) => !have.some((other) => sameState(condition, other)));
  if (!differs || isDeleting(host)) return [];
  const types = new Set(wanted.map(({ type }) => type));
  const conditions = [...have.filter(({ type }) => !types.has(type)), ...wanted.map(withoutGeneration)];
  return [{ ...statusPatch('host', host, { conditions }), ifForbidden: unansweredGates(virtual) }];
}

/** The syncer's rights may have been cut: the pod then never becomes ready, and everything else about it goes on (POD-98). */
function unansweredGates(virtual: Virtual<Pod>): Warning {
  const message =
    'Conditions that answer readiness gates do not reach the host, which does not let this virtual cluster write the status of pods.';
  return { kind: pods, object: virtual, reason: 'SyncWarning', message };
}

/** One kind of change at a time: each is made to exactly the host pod that was read, and its answer brings the pod again. */
function pushContainers(host: Host<Pod>, virtual: Virtual<Pod>, view: View): readonly Action[] {
  const added = pushEphemeral(host, virtual, view);
  return added.some((action) => action.do === 'patch') ? added : [...added, ...pushResize(host, virtual)];
}

/** A patch of the status of exactly the object that was read. */
function statusPatch(side: 'host' | 'virtual', pod: Pod, status: object): Extract<Action, { do: 'patch' }> {
  const { uid, resourceVersion } = pod.metadata;
  const patch = { metadata: { uid, resourceVersion }, status };
  return { do: 'patch', side, kind: pods, key: keyOf(pod), patch, subresource: 'status' };
}

function deletions(host: Host<Pod>, virtual: Virtual<Pod>): readonly Action[] {
  if (!isDeleting(host)) return [];
  if (!isDeleting(virtual)) {
    return [deleteVirtual(virtual, virtual.spec.terminationGracePeriodSeconds ?? defaultGraceSeconds)]; // POD-22
  }
  const { deletionGracePeriodSeconds: hostGrace } = host.metadata;
  const { deletionGracePeriodSeconds: virtualGrace } = virtual.metadata;
  if (hostGrace === undefined || virtualGrace === undefined || equal(hostGrace, virtualGrace)) return [];
  // A grace period can only be shortened, so the shorter one wins (POD-23, POD-24).
  if (hostGrace < virtualGrace) return [deleteVirtual(virtual, hostGrace)];
  const { uid = '' } = host.metadata;
  return [{ do: 'delete', side: 'host', kind: pods, key: keyOf(host), uid, graceSeconds: virtualGrace }];
}

function deleteVirtual(virtual: Virtual<Pod>, graceSeconds: number | undefined): Extract<Action, { do: 'delete' }> {
  const { uid = '' } = virtual.metadata;
  return { do: 'delete', side: 'virtual', kind: pods, key: keyOf(virtual), uid, graceSeconds };
}

/** Statuses of containers that the tenant knows; the host may have injected more (POD-92). */
function ofContainers(
  field: 'containerStatuses' | 'initContainerStatuses' | 'ephemeralContainerStatuses',
  status: PodStatus,
  known: readonly { readonly name: string }[] | undefined,
): Partial<PodStatus> {
  const names = new Set((known ?? []).map(({ name }) => name));
  const statuses: readonly ContainerStatus[] | undefined = status[field];
  return statuses === undefined ? {} : { [field]: statuses.filter(({ name }) => names.has(name)) };
}

/**
 * Conditions of Kubernetes itself come from the host. Others belong to controllers in the virtual cluster: theirs stay, and what
 * controllers on the host have added stays unseen, unless the pod waits for it (POD-94).
 */
function conditionsFromHost(host: Host<Pod>, virtual: Virtual<Pod>): readonly Condition[] {
  const gates = gatesOf(virtual);
  const own = virtual.status?.conditions ?? [];
  const kept = own.filter(
    (condition) => !isBuiltIn(condition.type) || gates.has(condition.type) || isOwnDisruption(condition, host),
  );
  const keptTypes = new Set(kept.map(({ type }) => type));
  const pulled = (host.status?.conditions ?? [])
    .filter(({ type }) => !keptTypes.has(type) && (isBuiltIn(type) || gates.has(type)))
    .map((condition) =>
      conditionFromHost(
        condition,
        own.find(({ type }) => type === condition.type),
        host,
        virtual,
      ),
    );
  // Next time a gate is one of those kept; its place must be the same then, or it would be written again.
  const isGate = ({ type }: Condition): boolean => gates.has(type);
  return [...pulled.filter((each) => !isGate(each)), ...kept, ...pulled.filter(isGate)];
}

function conditionFromHost(
  condition: Condition,
  before: Condition | undefined,
  host: Host<Pod>,
  virtual: Virtual<Pod>,
): Condition {
  const next = { ...withoutGeneration(condition), ...observedGeneration(condition, before, host, virtual) };
  // Binding sets this one on the virtual side, a moment later than on the host: not worth a write of its own.
  const bound = condition.type === 'PodScheduled' && before !== undefined && sameState(condition, before);
  return bound ? before : next;
}

/**
 * Generations are counted by each API server. The host's counts as observed only when it is the newest there; a virtual API
 * server that does not know the field (before 1.33) must not be sent it, or it would be sent for ever (POD-96).
 */
function observedGeneration(
  reported: Readonly<Record<string, unknown>>,
  before: Readonly<Record<string, unknown>> | undefined,
  host: Host<Pod>,
  virtual: Virtual<Pod>,
): { readonly observedGeneration?: unknown } {
  const { generation } = virtual.metadata;
  if (reported['observedGeneration'] === undefined || generation === undefined) return {};
  const isNewest = reported['observedGeneration'] === host.metadata.generation;
  const value = isNewest ? generation : before?.['observedGeneration'];
  return value === undefined ? {} : { observedGeneration: value };
}

/**
 * The virtual API server itself notes why it ends a pod, in the words that Jobs decide by, before the host has anything to say
 * about it (POD-30). The host's own reason counts as soon as there is one.
 */
function isOwnDisruption({ type, status }: Condition, host: Host<Pod>): boolean {
  const known = host.status?.conditions?.some((condition) => condition.type === type) ?? false;
  return type === 'DisruptionTarget' && status === 'True' && !known;
}

/** Conditions of Kubernetes have plain names; everybody else's are prefixed with a domain. */
function isBuiltIn(type: string): boolean {
  return !type.includes('/');
}

function gatesOf({ spec }: Virtual<Pod>): ReadonlySet<string> {
  return new Set((spec.readinessGates ?? []).map(({ conditionType }) => conditionType));
}

function withoutGeneration(condition: Condition): Condition {
  const { observedGeneration: _, ...rest } = condition;
  return rest;
}

function sameState(a: Condition, b: Condition): boolean {
  return ['type', 'status', 'reason', 'message'].every((field) => equal(a[field] ?? '', b[field] ?? ''));
}
