/** What a Pod Security check looks at, and the few ways in which checks look. Pure; every value may be missing or of any type. */
import type { Container, PodSpec } from '../../../model/kubernetes.ts';
import type { StringMap } from '../../../model/object.ts';
import { isJson } from '../rewriting.ts';

export interface Subject {
  readonly annotations: StringMap;
  readonly spec: PodSpec;
  /** Init and ephemeral containers, too. */
  readonly containers: readonly Container[];
  readonly windows: boolean;
  /** The pod has a user namespace of its own: root there is nobody outside (hostUsers: false). */
  readonly ownUsers: boolean;
}

export function subjectOf(spec: PodSpec, annotations: StringMap): Subject {
  const { containers, initContainers = [], ephemeralContainers = [], os } = spec;
  return {
    annotations,
    spec,
    containers: [...initContainers, ...containers, ...ephemeralContainers],
    windows: at(os, 'name') === 'windows',
    ownUsers: spec['hostUsers'] === false,
  };
}

/** The value at a path inside of nested objects; undefined where there is none. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let inner = value;
  for (const key of path) {
    if (!isJson(inner) || !Object.hasOwn(inner, key)) return undefined;
    inner = inner[key];
  }
  return inner ?? undefined;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const list = at(value, ...path);
  return Array.isArray(list) ? list : [];
}

/** The containers that a predicate finds fault with, as words; undefined when there are none. */
export function containersWhere({ containers }: Subject, isBad: (container: Container) => boolean): string | undefined {
  const names = containers.filter(isBad).map(({ name }) => JSON.stringify(name));
  if (names.length === 0) return undefined;
  return `${names.length === 1 ? 'container' : 'containers'} ${names.join(', ')}`;
}

/** The pod itself, or containers of it, whose security context a predicate finds fault with, as words. */
export function settersWhere(subject: Subject, isBad: (securityContext: unknown) => boolean): string | undefined {
  const pod = isBad(at(subject.spec, 'securityContext')) ? 'pod' : undefined;
  const containers = containersWhere(subject, (container) => isBad(at(container, 'securityContext')));
  return pod === undefined || containers === undefined ? (pod ?? containers) : `${pod} and ${containers}`;
}

/**
 * The pod, or containers of it, where a field of the security context must have a good value and has not. A container may leave
 * the field to the pod.
 */
export function withoutGood(
  subject: Subject,
  path: readonly string[],
  isGood: (value: unknown) => boolean,
): string | undefined {
  const ofPod = at(subject.spec, 'securityContext', ...path);
  if (ofPod !== undefined && !isGood(ofPod)) return 'pod';
  return containersWhere(subject, (container) => {
    const own = at(container, 'securityContext', ...path);
    return own === undefined ? ofPod === undefined : !isGood(own);
  });
}
