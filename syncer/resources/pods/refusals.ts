/**
 * What a tenant may ask for in a pod and cannot have here. Refused with an event on the pod, never dropped in silence, and never
 * passed on in the hope that the host will refuse it.
 */
import type { Container, PodSpec } from '../../model/kubernetes.ts';
import type { Release } from '../../model/view.ts';
import { knownEnvSources, knownValueSources } from './containers.ts';
import { hostVersionRefusal } from './host-fields.ts';
import { isJson } from './rewriting.ts';
import { ruleRefusal } from './rules.ts';
import { hasInexpressibleAffinity } from './scheduling.ts';
import { unknownVolumeKind } from './volumes.ts';

/** Fields that name objects of the pod's namespace which have no copy on the host (POD-68, POD-109). */
const unsyncedFields: readonly string[] = ['resourceClaims', 'workloadRef', 'schedulingGroup'];

/** Why a pod cannot run on the host, in words for its author; undefined when it can. */
export function refusalOf(spec: PodSpec, { podRules, hostMinor }: Release): string | undefined {
  return (
    unsyncedField(spec) ??
    unsafeVolume(spec) ??
    environmentOf(spec) ??
    unionOfNamespaces(spec) ??
    ruleRefusal(spec, podRules) ??
    hostVersionRefusal(spec, hostMinor)
  );
}

/** A tenant who names the node goes past the host's scheduler and its taints (POD-11). */
export function nodeNameRefusal(nodeName: string): string {
  return (
    `spec.nodeName is ${nodeName}, but in this virtual cluster only the host's scheduler chooses the node. ` +
    'Use nodeSelector or required node affinity instead.'
  );
}

function unsyncedField(spec: PodSpec): string | undefined {
  const field = unsyncedFields.find((each) => isSet(spec[each]));
  return (
    field &&
    `spec.${field} is not supported in this virtual cluster: what it names does not exist on the host. Remove it.`
  );
}

function unsafeVolume({ volumes = [] }: PodSpec): string | undefined {
  const [refused] = volumes.flatMap((volume) => {
    const kind = unknownVolumeKind(volume);
    return kind === undefined
      ? []
      : [`Volume ${volume.name} uses ${kind}, which is not supported in this virtual cluster.`];
  });
  return refused;
}

function environmentOf({ containers, initContainers = [] }: PodSpec): string | undefined {
  return environmentRefusal([...initContainers, ...containers]);
}

/** Why containers cannot have the environment that they ask for; undefined when they can (POD-109). */
export function environmentRefusal(containers: readonly Container[]): string | undefined {
  const [refused] = containers.flatMap((container) =>
    unknownSources(container).map(
      (source) =>
        `Container ${container.name} takes its environment from ${source}, which is not supported in this virtual cluster.`,
    ),
  );
  return refused;
}

function unknownSources({ env = [], envFrom = [] }: Container): readonly string[] {
  const values = env.flatMap(({ valueFrom }) => (isJson(valueFrom) ? Object.keys(valueFrom) : []));
  return [
    ...values.filter((kind) => !knownValueSources.has(kind)),
    ...envFrom.flatMap((source) => Object.keys(source)).filter((kind) => !knownEnvSources.has(kind)),
  ];
}

function unionOfNamespaces(spec: PodSpec): string | undefined {
  return hasInexpressibleAffinity(spec)
    ? 'A required podAffinity term has both namespaces and namespaceSelector, which cannot be expressed on the host. Use one of them.'
    : undefined;
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null && value !== '';
}
