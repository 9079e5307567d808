/**
 * What the auditor knows of the product: names, labels and annotations, written down once more from the specification (NAM, LAB,
 * ANN) and not taken from the code that it is to judge. Nothing in this folder imports anything of syncer/.
 */
import { createHash } from 'node:crypto';

/** An object of either API server, as parsed JSON. */
export interface Thing {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly Owner[];
    readonly deletionTimestamp?: string;
  };
  readonly [field: string]: unknown;
}

interface Owner {
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export type Where = 'host' | 'virtual';

/** Which virtual cluster is audited. */
export interface Release {
  readonly name: string;
  readonly namespace: string;
}

/** The kinds that are followed all the time, by plural; all of them are in the core group. */
export type Plural = 'pods' | 'services' | 'configmaps' | 'secrets' | 'nodes' | 'namespaces';
export const followed: readonly Plural[] = ['pods', 'services', 'configmaps', 'secrets', 'nodes', 'namespaces'];

/** Kinds of which the host gets copies. */
export const copied: readonly Plural[] = ['pods', 'services', 'configmaps', 'secrets'];

const reserved = 'vcluster.loft.sh/';
export const marks = {
  managedBy: 'vcluster.loft.sh/managed-by',
  namespace: 'vcluster.loft.sh/namespace',
  objectName: 'vcluster.loft.sh/object-name',
  objectNamespace: 'vcluster.loft.sh/object-namespace',
  objectUid: 'vcluster.loft.sh/object-uid',
  objectHostName: 'vcluster.loft.sh/object-host-name',
  forceSync: 'vcluster.loft.sh/force-sync',
} as const;

const longest = 63;
const keptOfLong = 52;

/** NAM-01, NAM-02. */
export function hostNameOf(name: string, namespace: string, release: Release): string {
  const whole = `${name}-x-${namespace}-x-${release.name}`;
  if (whole.length <= longest) return whole;
  const hash = createHash('sha256').update(whole).digest('hex').slice(0, 10);
  return `${whole.slice(0, keptOfLong)}-${hash}`.replaceAll('.-', '-');
}

/** Whether a label or annotation of the tenant is one that may not pass as it is (LAB-01, ANN-02). */
export function isReserved(key: string): boolean {
  return key === 'release' || key.startsWith(reserved);
}

/** Whether a host object says of itself that it is a copy of something in this virtual cluster. */
export function isCopy({ metadata }: Thing, release: Release): boolean {
  return metadata.labels?.[marks.managedBy] === release.name && metadata.annotations?.[marks.objectName] !== undefined;
}

/** The virtual object that a copy says it is of. */
export function originUid({ metadata }: Thing): string {
  return metadata.annotations?.[marks.objectUid] ?? '';
}

/** `namespace/name`, or the name alone. */
export function textOf({ metadata: { namespace, name } }: Thing): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

/** A value inside an object, by path; undefined where there is none. */
export function at(thing: unknown, ...path: readonly string[]): unknown {
  let found = thing;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[step];
  }
  return found;
}

/** The same where text is expected; empty where there is none. */
export function wordAt(thing: unknown, ...path: readonly string[]): string {
  const found = at(thing, ...path);
  return typeof found === 'string' ? found : '';
}

/** The same where a list is expected. */
export function listAt(thing: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = at(thing, ...path);
  return Array.isArray(found) ? (found as readonly unknown[]) : [];
}
