/**
 * Fields of a pod that the host's Kubernetes is too old for (POD-57). Its API server would drop them without a word: here the pod
 * goes without them and its author is told, or, where it would then run with less protection or with other data, it is refused.
 */
import type { Container, PodSpec } from '../../model/kubernetes.ts';
import { equal } from '../../translate/equality.ts';
import { at } from './policy/subject.ts';

interface Field {
  readonly name: string;
  /** The first minor version of Kubernetes that honours it unless told otherwise. */
  readonly since: number;
  readonly isUsed: (spec: PodSpec) => boolean;
  /** The spec without it; absent where a pod must not run without it. */
  readonly without?: (spec: PodSpec) => PodSpec;
}

const ofSpec = (name: string, since: number): Field => ({
  name: `spec.${name}`,
  since,
  isUsed: (spec) => !equal(spec[name], undefined),
  without: (spec) => omit(spec, name),
});

const fields: readonly Field[] = [
  ofSpec('resources', 34),
  ofSpec('hostnameOverride', 35),
  {
    name: 'restartPolicyRules of a container',
    since: 35,
    isUsed: (spec) => containersOf(spec).some((container) => !equal(container['restartPolicyRules'], undefined)),
    without: withoutRestartRules,
  },
  {
    name: 'spec.hostUsers',
    since: 33,
    isUsed: (spec) => spec['hostUsers'] === false,
  },
  {
    name: 'spec.securityContext.supplementalGroupsPolicy',
    since: 33,
    isUsed: (spec) => at(spec, 'securityContext', 'supplementalGroupsPolicy') === 'Strict',
  },
  {
    // Without its source the volume would be an empty folder.
    name: 'a volume of kind image',
    since: 31,
    isUsed: ({ volumes = [] }) => volumes.some((volume) => at(volume, 'image') !== undefined),
  },
];

/** The spec as a host of that minor version understands it, and the names of what is left out. */
export function knownToHost(
  spec: PodSpec,
  hostMinor: number,
): { readonly spec: PodSpec; readonly leftOut: readonly string[] } {
  const unknown = fields.filter(({ since, isUsed, without }) => without && hostMinor < since && isUsed(spec));
  return {
    spec: unknown.reduce((rest, { without }) => without?.(rest) ?? rest, spec),
    leftOut: unknown.map(({ name, since }) => fieldText(name, since)),
  };
}

/** Why a pod cannot run on a host of that minor version; undefined when it can. */
export function hostVersionRefusal(spec: PodSpec, hostMinor: number): string | undefined {
  const field = fields.find(({ since, isUsed, without }) => !without && hostMinor < since && isUsed(spec));
  return field && `${fieldText(field.name, field.since)} The pod would not be what it asks to be.`;
}

function fieldText(name: string, since: number): string {
  return `The Kubernetes that this virtual cluster runs on does not know ${name}, which needs version 1.${since}.`;
}

/** On an older host only init containers may have a restart policy of their own. */
function withoutRestartRules(spec: PodSpec): PodSpec {
  const { containers, initContainers } = spec;
  return {
    ...spec,
    containers: containers.map((container) => omit(container, 'restartPolicyRules', 'restartPolicy')),
    ...(initContainers && { initContainers: initContainers.map((each) => omit(each, 'restartPolicyRules')) }),
  };
}

function omit<T extends object>(object: T, ...fieldNames: readonly string[]): T {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !fieldNames.includes(name))) as T;
}

function containersOf({ containers, initContainers = [] }: PodSpec): readonly Container[] {
  return [...initContainers, ...containers];
}
