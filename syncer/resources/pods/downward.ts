/**
 * What a container learns about its own pod (fieldRef). On the host the pod has another name, namespace and UID, so such fields
 * are pointed to annotations of the host pod that carry the virtual values.
 */
import type { Pod } from '../../model/kubernetes.ts';
import type { StringMap } from '../../model/object.ts';
import type { Virtual } from '../../model/side.ts';
import type { Release } from '../../model/view.ts';
import { isDeniedAnnotation } from '../../translate/denied-annotations.ts';
import { labelKeyToHost, reservedPrefix } from '../../translate/labels.ts';
import { digest } from '../../translate/names.ts';

export const podAnnotationKeys = {
  name: 'vcluster.loft.sh/name',
  namespace: 'vcluster.loft.sh/namespace',
  uid: 'vcluster.loft.sh/uid',
  serviceAccountName: 'vcluster.loft.sh/service-account-name',
  labels: 'vcluster.loft.sh/labels',
  /** Only where a volume asks for all annotations: the tenant's, without our bookkeeping (POD-76). */
  annotations: 'vcluster.loft.sh/annotations',
} as const;

const movedFields: ReadonlyMap<string, string> = new Map([
  ['metadata.name', podAnnotationKeys.name],
  ['metadata.namespace', podAnnotationKeys.namespace],
  ['metadata.uid', podAnnotationKeys.uid],
  ['metadata.labels', podAnnotationKeys.labels],
  ['metadata.annotations', podAnnotationKeys.annotations],
  ['spec.serviceAccountName', podAnnotationKeys.serviceAccountName],
]);

/** Where the host pod carries what a field of the virtual pod says (POD-75). */
export function hostFieldPath(path: string, release: Release): string {
  const moved = movedFields.get(path);
  if (moved !== undefined) return `metadata.annotations['${moved}']`;
  const [, map, key] = /^metadata\.(labels|annotations)\['(.+)'\]$/u.exec(path) ?? [];
  if (key === undefined) return path;
  return map === 'labels'
    ? `metadata.labels['${labelKeyToHost(key, release)}']`
    : `metadata.annotations['${hostAnnotationKey(key)}']`;
}

/** Annotations that the host pod carries for its containers to read (POD-78), given the field paths that they ask for. */
export function downwardAnnotations(pod: Virtual<Pod>, paths: Iterable<string>): StringMap {
  const { name, namespace = '', uid = '', labels, annotations } = pod.metadata;
  return {
    [podAnnotationKeys.name]: name,
    [podAnnotationKeys.namespace]: namespace,
    [podAnnotationKeys.uid]: uid,
    [podAnnotationKeys.serviceAccountName]: pod.spec.serviceAccountName ?? 'default',
    [podAnnotationKeys.labels]: formatMap(labels ?? {}),
    ...Object.fromEntries([...paths].flatMap((path) => copiesFor(path, annotations ?? {}))),
  };
}

/** Annotations that do not travel are carried under another key, where only the pod itself looks for them. */
function hostAnnotationKey(key: string): string {
  const travels = !key.startsWith(reservedPrefix) && !isDeniedAnnotation(key);
  return travels ? key : `vcluster.loft.sh/annotation-${digest(key)}`;
}

function copiesFor(path: string, annotations: StringMap): readonly (readonly [string, string])[] {
  if (path === 'metadata.annotations') return [[podAnnotationKeys.annotations, formatMap(annotations)]];
  const [, key = ''] = /^metadata\.annotations\['(.+)'\]$/u.exec(path) ?? [];
  const hostKey = hostAnnotationKey(key);
  const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  return value === undefined || hostKey === key ? [] : [[hostKey, value]];
}

/** The format in which kubelets write a map into a file. */
function formatMap(map: StringMap): string {
  return Object.entries(map)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}
