/** Kinds as values: where a kind is served, and which type its objects have. */
import type { KubeObject } from './object.ts';
import type { Key } from './side.ts';

declare const object: unique symbol;

export interface Kind<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly [object]?: T;
}

/** `v1` or `apps/v1`. */
export function apiVersion(kind: Kind): string {
  return kind.group === '' ? kind.version : `${kind.group}/${kind.version}`;
}

/** The form that annotation `vcluster.loft.sh/object-kind` carries (spec ANN-01): `/v1, Kind=Pod`, `apps/v1, Kind=Deployment`. */
export function kindText(kind: Kind): string {
  return `${kind.group}/${kind.version}, Kind=${kind.kind}`;
}

/** The URL path of all objects of a kind, in one namespace or (empty) in all. */
export function collectionPath(kind: Kind, namespace: string): string {
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${kind.group}/${kind.version}`;
  return kind.namespaced && namespace !== ''
    ? `${root}/namespaces/${encodeURIComponent(namespace)}/${kind.plural}`
    : `${root}/${kind.plural}`;
}

export function objectPath(kind: Kind, key: Key, subresource?: string): string {
  const path = `${collectionPath(kind, key.namespace)}/${encodeURIComponent(key.name)}`;
  return subresource === undefined ? path : `${path}/${subresource}`;
}
