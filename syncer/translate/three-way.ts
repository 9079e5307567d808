/**
 * Metadata that both sides may change, brought together: labels, annotations and owners of an object and its host object. What has
 * changed since both agreed (base.ts) decides; where both have changed, the virtual side wins (CORE-16, CORE-17).
 */
import type { Metadata, OwnerReference, StringMap } from '../model/object.ts';
import { agreedOn, isAsAgreed, ownMark } from './base.ts';
import type { Agreed, Field } from './base.ts';
import { isDeniedAnnotation } from './denied-annotations.ts';
import { isDeniedLabel } from './denied-labels.ts';
import { isReserved, labelKeys } from './labels.ts';
import { annotationKeys } from './metadata.ts';

/**
 * The metadata of a live host object with everything of ours put right. What the tenant has removed goes; what others have added
 * on the host stays, and what they have changed of the tenant's stays when the tenant has not: it is pulled instead.
 */
export function mergeMetadata(host: Metadata, desired: Metadata): Metadata {
  const text = host.annotations?.[annotationKeys.base];
  const version = host.annotations?.[annotationKeys.version];
  const labels = mergeMap(host.labels, desired.labels, agreedOn('label', text));
  const annotations = mergeMap(host.annotations, desired.annotations, agreedOn('annotation', text));
  const ownerReferences = mergeOwners(host.ownerReferences ?? [], desired.ownerReferences ?? []);
  // Alone it is not worth a write; whoever writes for another reason renews it.
  const kept = version === undefined ? {} : { [annotationKeys.version]: version };
  return { ...host, labels, annotations: { ...annotations, ...kept }, ownerReferences };
}

/** A merge patch for the virtual metadata: what has changed on the host and not there (LAB-08, ANN-03, CORE-16); undefined when nothing has. */
export function pullMetadata(
  host: Metadata,
  desired: Metadata,
  virtual: Metadata,
): { readonly labels?: object; readonly annotations?: object } | undefined {
  const labels = changesOnHost('label', host, desired, virtual.labels);
  const annotations = changesOnHost('annotation', host, desired, virtual.annotations);
  if (labels === undefined && annotations === undefined) return undefined;
  return { ...(labels && { labels }), ...(annotations && { annotations }) };
}

/** The fields of metadata that both sides may change. */
type Shared = Extract<Field, 'label' | 'annotation'>;

function mergeMap(host: StringMap | undefined, desired: StringMap | undefined, agreed: Agreed): StringMap {
  const wanted = desired ?? {};
  const others = Object.entries(host ?? {}).filter(
    ([key]) => !isReserved(key) && !Object.hasOwn(wanted, key) && !agreed.has(key),
  );
  const ours = Object.entries(wanted).flatMap(([key, value]) => {
    if (isReserved(key) || !isAsAgreed(agreed, key, value)) return [[key, value] as const];
    const there = ownValue(host, key);
    return there === undefined ? [] : [[key, there] as const];
  });
  // Set and read by other controllers on the host (LAB-07).
  const controlledBy = ownValue(host, labelKeys.controlledBy);
  return {
    ...Object.fromEntries(others),
    ...Object.fromEntries(ours),
    ...(controlledBy !== undefined && { [labelKeys.controlledBy]: controlledBy }),
  };
}

function changesOnHost(
  field: Shared,
  host: Metadata,
  desired: Metadata,
  virtual: StringMap | undefined,
): object | undefined {
  const maps = { label: 'labels', annotation: 'annotations' } as const;
  const [there, wanted] = [host[maps[field]], desired[maps[field]]];
  const agreed = agreedOn(field, host.annotations?.[annotationKeys.base]);
  const marks = agreedOn(field, desired.annotations?.[annotationKeys.base]);
  const changes = [...new Set([...Object.keys(there ?? {}), ...agreed.keys()])].flatMap((key) => {
    const value = ownValue(there, key);
    const unchanged = isAsAgreed(agreed, key, ownValue(wanted, key)) && marks.get(key) !== ownMark;
    if (!unchanged || value === ownValue(virtual, key) || !mayBeShown(field, key, value, host)) return [];
    return [[key, value ?? null] as const];
  });
  return changes.length === 0 ? undefined : Object.fromEntries(changes);
}

/** Never bookkeeping, never what is denied on the way there, never a value that gives the host object's name away. */
function mayBeShown(field: Shared, key: string, value: string | undefined, host: Metadata): boolean {
  if (isReserved(key)) return false;
  const isOneWay = field === 'label' ? isDeniedLabel(key) : isDeniedAnnotation(key);
  return !isOneWay && (value === undefined || !value.includes(host.name));
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

function ownValue(map: StringMap | undefined, key: string): string | undefined {
  return map !== undefined && Object.hasOwn(map, key) ? map[key] : undefined;
}
