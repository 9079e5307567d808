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
import { agreedLines, baseText, linesOf, markLines } from './base.ts';
import { isDeniedAnnotation } from './denied-annotations.ts';
import { withoutDeniedOf } from './denied-labels.ts';
import { isReserved, labelKeys, labelsToHost } from './labels.ts';
import { clusterScopedHostName, hostName, shorten } from './names.ts';

export { labelKeys } from './labels.ts';

export const annotationKeys = {
  objectName: 'vcluster.loft.sh/object-name',
  objectNamespace: 'vcluster.loft.sh/object-namespace',
  objectUid: 'vcluster.loft.sh/object-uid',
  objectKind: 'vcluster.loft.sh/object-kind',
  objectHostName: 'vcluster.loft.sh/object-host-name',
  objectHostNamespace: 'vcluster.loft.sh/object-host-namespace',
  /** What both sides last agreed on about labels and annotations (base.ts). */
  base: 'vcluster.loft.sh/last-agreed',
  /** The virtual object's resourceVersion when its host object was last written; shows a backing store that has gone back (OPS-08). */
  version: 'vcluster.loft.sh/object-version',
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
  const text = metadata.annotations?.[annotationKeys.base];
  const added = [
    ...markLines('label', unreserved(marks.labels)),
    ...markLines('annotation', unreserved(marks.annotations)),
  ];
  return {
    ...host,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...marks.labels },
      annotations: {
        ...metadata.annotations,
        ...marks.annotations,
        ...(added.length > 0 && { [annotationKeys.base]: baseText([...linesOf(text), ...added]) }),
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

/** Annotations of the tenant that may reach the host (ANN-06, ANN-07). */
export function annotationsToHost(annotations: StringMap | undefined): StringMap {
  return Object.fromEntries(
    Object.entries(annotations ?? {}).filter(([key]) => !isReserved(key) && !isDeniedAnnotation(key)),
  );
}

/** The owner of every namespaced host object: deleting the release's Service deletes them all (NAM-32, NAM-33). */
export function serviceOwner(release: Release): OwnerReference {
  return { apiVersion: 'v1', kind: 'Service', name: release.name, uid: release.service.uid, controller: true };
}

function hostMetadata(virtual: Metadata, kind: Kind, release: Release): Metadata {
  const namespace = kind.namespaced ? (virtual.namespace ?? '') : '';
  const host = identity({ name: virtual.name, namespace }, kind, release);
  const labels = labelsToHost(withoutDeniedOf(kind, virtual.labels ?? {}), release);
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
      ...baseOf(labels, annotations),
      [annotationKeys.objectName]: virtual.name,
      ...(kind.namespaced && { [annotationKeys.objectNamespace]: namespace }),
      ...(virtual.uid !== undefined && { [annotationKeys.objectUid]: virtual.uid }),
      ...(virtual.resourceVersion !== undefined && {
        [annotationKeys.version]: versionStamp(virtual.resourceVersion, release),
      }),
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

/** Comparable only within one epoch: the store may have been replaced, with consent (OPS-08). */
export function versionStamp(resourceVersion: string, { storeEpoch }: Release): string {
  return storeEpoch === 0 ? resourceVersion : `${resourceVersion}/${storeEpoch}`;
}

function baseOf(labels: StringMap, annotations: StringMap): StringMap {
  const shared = Object.fromEntries(Object.entries(labels).filter(([key]) => !isReserved(key)));
  const lines = [...agreedLines('label', shared), ...agreedLines('annotation', annotations)];
  return lines.length === 0 ? {} : { [annotationKeys.base]: baseText(lines) };
}

function unreserved(map: StringMap | undefined): readonly string[] {
  return Object.keys(map ?? {}).filter((key) => !isReserved(key));
}
