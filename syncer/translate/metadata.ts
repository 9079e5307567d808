/**
 * The one place where an object crosses from the virtual side to the host side, and back.
 *
 * Every host object says in its annotations whose copy it is. `onHost` writes that, `originOf` reads and checks it: both live
 * here so that they cannot drift apart. Nothing a tenant writes under `vcluster.loft.sh/` gets through (ANN-02).
 */
import { apiVersion, kindText } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import type { KubeObject, Metadata, OwnerReference, StringMap } from '../model/object.ts';
import type { Host, Key, Virtual } from '../model/side.ts';
import type { Release, View } from '../model/view.ts';
import { isDeniedAnnotation } from './denied-annotations.ts';
import { isTranslatedKey, labelKeys, labelsToHost, reservedPrefix } from './labels.ts';
import { clusterScopedHostName, hostName, shorten } from './names.ts';

export { labelKeys } from './labels.ts';

export const annotationKeys = {
  objectName: 'vcluster.loft.sh/object-name',
  objectNamespace: 'vcluster.loft.sh/object-namespace',
  objectUid: 'vcluster.loft.sh/object-uid',
  objectKind: 'vcluster.loft.sh/object-kind',
  objectHostName: 'vcluster.loft.sh/object-host-name',
  objectHostNamespace: 'vcluster.loft.sh/object-host-namespace',
  /** Keys, one a line, that the tenant's object has: what is listed and no longer wanted is removed. */
  managedAnnotations: 'vcluster.loft.sh/managed-annotations',
  managedLabels: 'vcluster.loft.sh/managed-labels',
  /** On a virtual object: sync it although nothing uses it. */
  forceSync: 'vcluster.loft.sh/force-sync',
} as const;

type Fields<T extends KubeObject> = Omit<T, 'metadata' | 'apiVersion' | 'kind'>;

/** The host object of a virtual one: identity, ownership, labels and annotations from here, the rest from `fields`. */
export function onHost<T extends KubeObject>(
  virtual: Virtual<T>,
  kind: Kind<T>,
  view: View,
  fields: Fields<T>,
): Host<T> {
  const metadata = hostMetadata(virtual.metadata, kind, view.release);
  const object: KubeObject = { apiVersion: apiVersion(kind), kind: kind.kind, metadata, ...fields };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of T: its identity from here, the rest of it is Fields<T>
  return object as Host<T>;
}

/** A host object made by `onHost`, with more labels and annotations that are ours to add and to remove. */
export function withMarks<T extends KubeObject>(
  host: Host<T>,
  marks: { readonly labels?: StringMap; readonly annotations?: StringMap },
): Host<T> {
  const { metadata } = host;
  const listed = lines(metadata.annotations?.[annotationKeys.managedAnnotations]);
  const added = Object.keys(marks.annotations ?? {}).filter((key) => !key.startsWith(reservedPrefix));
  return {
    ...host,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...marks.labels },
      annotations: {
        ...metadata.annotations,
        ...marks.annotations,
        ...listing(annotationKeys.managedAnnotations, [...listed, ...added]),
      },
    },
  };
}

/** The virtual object that a host object is the copy of; undefined when the host object is not ours (NAM-30, NAM-31). */
export function originOf(host: Host<KubeObject>, kind: Kind, release: Release): Key<'virtual'> | undefined {
  const { metadata } = host;
  const origin = statedOrigin(metadata.annotations ?? {}, kind);
  if (origin === undefined) return undefined;
  const expected = identity(origin, kind, release);
  const ours =
    metadata.name === expected.name &&
    (metadata.namespace ?? '') === expected.namespace &&
    metadata.labels?.[labelKeys.managedBy] === expected.managedBy &&
    isOriginal(metadata, kind);
  return ours ? origin : undefined;
}

/** The UID of the virtual object that a host object was written for. */
export function incarnationOf(host: Host<KubeObject>): string | undefined {
  return host.metadata.annotations?.[annotationKeys.objectUid];
}

/**
 * The metadata of a live host object with everything of ours put right. What was ours and is no longer wanted goes; what others
 * have added on the host (webhooks, controllers, administrators) stays.
 */
export function mergeMetadata(host: Metadata, desired: Metadata): Metadata {
  const labels = mergeMap(host.labels, desired.labels, [
    ...lines(host.annotations?.[annotationKeys.managedLabels]),
    ...Object.keys(host.labels ?? {}).filter(isTranslatedKey),
  ]);
  const annotations = mergeMap(host.annotations, desired.annotations, [
    ...lines(host.annotations?.[annotationKeys.managedAnnotations]),
    ...Object.keys(host.annotations ?? {}).filter((key) => key.startsWith(reservedPrefix)),
  ]);
  const ownerReferences = mergeOwners(host.ownerReferences ?? [], desired.ownerReferences ?? []);
  return { ...host, labels, annotations, ownerReferences };
}

/** Annotations of the tenant that may reach the host (ANN-06, ANN-07). */
export function annotationsToHost(annotations: StringMap | undefined): StringMap {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => !key.startsWith(reservedPrefix) && !isDeniedAnnotation(key)),
  );
}

/** The owner of every namespaced host object: deleting the release's Service deletes them all (NAM-32, NAM-33). */
export function serviceOwner(release: Release): OwnerReference {
  return { apiVersion: 'v1', kind: 'Service', name: release.name, uid: release.service.uid, controller: true };
}

function hostMetadata(virtual: Metadata, kind: Kind, release: Release): Metadata {
  const namespace = kind.namespaced ? (virtual.namespace ?? '') : '';
  const host = identity({ name: virtual.name, namespace }, kind, release);
  const labels = labelsToHost(virtual.labels, release);
  const annotations = annotationsToHost(virtual.annotations);
  return {
    name: host.name,
    ...(kind.namespaced && { namespace: host.namespace, ownerReferences: [serviceOwner(release)] }),
    labels: {
      ...labels,
      [labelKeys.managedBy]: host.managedBy,
      ...(kind.namespaced && { [labelKeys.namespace]: namespace }),
    },
    annotations: {
      ...annotations,
      ...listing(annotationKeys.managedAnnotations, Object.keys(annotations)),
      ...listing(annotationKeys.managedLabels, Object.keys(labels)),
      [annotationKeys.objectName]: virtual.name,
      ...(kind.namespaced && { [annotationKeys.objectNamespace]: namespace }),
      ...(virtual.uid !== undefined && { [annotationKeys.objectUid]: virtual.uid }),
      [annotationKeys.objectKind]: kindText(kind),
      [annotationKeys.objectHostName]: host.name,
      ...(kind.namespaced && { [annotationKeys.objectHostNamespace]: host.namespace }),
    },
  };
}

interface Identity {
  readonly name: string;
  readonly namespace: string;
  readonly managedBy: string;
}

function identity(virtual: Key<'virtual'>, kind: Kind, release: Release): Identity {
  return kind.namespaced
    ? {
        name: hostName(virtual.name, virtual.namespace, release),
        namespace: release.namespace,
        managedBy: release.name,
      }
    : {
        name: clusterScopedHostName(virtual.name, release),
        namespace: '',
        managedBy: shorten(`${release.namespace}-x-${release.name}`),
      };
}

function statedOrigin(annotations: StringMap, kind: Kind): Key<'virtual'> | undefined {
  const name = annotations[annotationKeys.objectName] ?? '';
  const namespace = kind.namespaced ? (annotations[annotationKeys.objectNamespace] ?? '') : '';
  return name === '' || (kind.namespaced && namespace === '') ? undefined : { namespace, name };
}

/** False for what an operator has copied from one of our objects, annotations included. */
function isOriginal({ name, namespace, annotations = {} }: Metadata, kind: Kind): boolean {
  return (
    agrees(annotations[annotationKeys.objectKind], kindText(kind)) &&
    agrees(annotations[annotationKeys.objectHostName], name) &&
    agrees(annotations[annotationKeys.objectHostNamespace], namespace)
  );
}

function agrees(stated: string | undefined, actual: string | undefined): boolean {
  return stated === undefined || stated === actual;
}

function mergeMap(host: StringMap | undefined, desired: StringMap | undefined, owned: readonly string[]): StringMap {
  const dropped = new Set(owned);
  dropped.delete(labelKeys.controlledBy); // Set and read by other controllers on the host (LAB-07).
  const kept = Object.entries(host ?? {}).filter(([key]) => !dropped.has(key));
  return { ...Object.fromEntries(kept), ...desired };
}

/** Ours are matched by kind and name, so that a Service that was made again takes over (NAM-35). */
function mergeOwners(host: readonly OwnerReference[], desired: readonly OwnerReference[]): readonly OwnerReference[] {
  const isOurs = (owner: OwnerReference): boolean =>
    desired.some((own) => own.kind === owner.kind && own.apiVersion === owner.apiVersion && own.name === owner.name);
  const others = host.filter((owner) => !isOurs(owner));
  // The API server refuses a second controller.
  const taken = others.some((owner) => owner.controller === true);
  const ours = desired.map((own) => (taken ? { ...own, controller: false } : own));
  return [...ours, ...others];
}

function listing(key: string, values: readonly string[]): StringMap {
  return values.length === 0 ? {} : { [key]: [...new Set(values)].toSorted().join('\n') };
}

function lines(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split('\n');
}
