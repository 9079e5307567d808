/**
 * What the host's scheduler and kubelet say in a pod's status, in the tenant's words: why it cannot be placed, which config map is
 * missing. Names of the host, its namespace and the address of its API server are nobody's business (I7). Pure.
 */
import type { PodStatus } from '../../model/kubernetes.ts';
import type { Release } from '../../model/view.ts';
import { hostName } from '../../translate/names.ts';

interface Named {
  readonly name: string;
  readonly namespace?: string;
}

/** The same status with every message in it translated; the very same where nothing is said. */
export function inTenantsWords(status: PodStatus, pod: Named, release: Release): PodStatus {
  return translated(status, (message) => translate(message, pod, release));
}

function translated<T>(value: T, change: (message: string) => string): T {
  if (Array.isArray(value)) return value.map((each: unknown) => translated(each, change)) as T;
  // What is no plain object, such as a number too large for JavaScript, is passed on as it is.
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value).map(([field, inner]: readonly [string, unknown]) => [
    field,
    field === 'message' && typeof inner === 'string' ? change(inner) : translated(inner, change),
  ]);
  return Object.fromEntries(entries) as T;
}

function translate(message: string, { name, namespace = '' }: Named, release: Release): string {
  return (
    message
      .replaceAll(/https?:\/\/[^\s"/]+\/apis?\/[^\s"]*/gu, 'the host')
      .replaceAll(hostName(name, namespace, release), name)
      // What it refers to, such as its claims; in one namespace all names of the host end alike.
      .replaceAll(`-x-${namespace}-x-${release.name}`, '')
      .replaceAll(new RegExp(`(?<![a-z0-9-])${release.namespace}(?![a-z0-9-])`, 'gu'), namespace)
  );
}
