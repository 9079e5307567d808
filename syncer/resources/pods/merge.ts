/**
 * The few parts of a pod that may change after it was created. Everything else of a host pod stays as it is, whatever the
 * virtual pod says: a pod is never made again because of a difference (POD-89), and what the host's admission has added stays.
 */
import type { Pod, PodSpec } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import type { Host } from '../../model/side.ts';
import { equal } from '../../translate/equality.ts';
import { mergeMetadata } from '../../translate/three-way.ts';
import { withImages } from './asked-images.ts';
import { hostsRewritten } from './hosts.ts';
import { appliedResources } from './resize.ts';

/** What was noted when the pod was created, or when it was resized: true for as long as it runs, whatever a new pod would get. */
const notes: readonly string[] = [appliedResources, hostsRewritten];

/** The live host pod with everything that the virtual side may change put right. */
export function merge(host: Host<Pod>, desired: Host<Pod>): Host<Pod> {
  return {
    ...host,
    metadata: withOwnNotes(host.metadata, mergeMetadata(host.metadata, desired.metadata)),
    spec: mergeSpec(host, desired.spec),
  };
}

function withOwnNotes(host: Metadata, merged: Metadata): Metadata {
  const others = Object.entries(merged.annotations ?? {}).filter(([key]) => !notes.includes(key));
  const kept = Object.entries(host.annotations ?? {}).filter(([key]) => notes.includes(key));
  return { ...merged, annotations: Object.fromEntries([...others, ...kept]) };
}

function mergeSpec({ metadata, spec: host }: Host<Pod>, desired: PodSpec): PodSpec {
  const { activeDeadlineSeconds } = desired;
  const { initContainers, schedulingGates } = host;
  const tolerations = mergeTolerations(host.tolerations ?? [], desired.tolerations ?? []);
  return {
    ...host,
    containers: withImages(host.containers, desired.containers, metadata),
    ...(initContainers && { initContainers: withImages(initContainers, desired.initContainers ?? [], metadata) }),
    ...(activeDeadlineSeconds !== undefined && { activeDeadlineSeconds }),
    ...(tolerations.length > 0 && { tolerations }),
    ...(schedulingGates && { schedulingGates: mergeGates(schedulingGates, desired.schedulingGates ?? []) }),
  };
}

/** Tolerations can only be added (POD-82). */
function mergeTolerations<T>(host: readonly T[], desired: readonly T[]): readonly T[] {
  return [...host, ...desired.filter((wanted) => !host.some((have) => equal(have, wanted)))];
}

/** Scheduling gates can only be removed (POD-81). */
function mergeGates<T extends { readonly name: string }>(host: readonly T[], desired: readonly T[]): readonly T[] {
  const left = new Set(desired.map(({ name }) => name));
  return host.filter(({ name }) => left.has(name));
}
