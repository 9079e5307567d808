/** What the conformance suite needs to know of one kind. */
import type { Kind } from '../../syncer/model/kind.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { apiVersion } from '../../syncer/model/kind.ts';
import type { Metadata } from '../../syncer/model/object.ts';

/** A merge patch, and what must come of it on the other side. */
export interface Edit {
  readonly patch: object;
  readonly result: object;
}

export interface Sample {
  readonly kind: Kind;
  /** What must be there before; made first, removed last. */
  readonly needs?: readonly (readonly [Kind, KubeObject])[];
  /** In namespace `shop`. */
  readonly object: KubeObject;
  /** Part of the host object that it becomes. */
  readonly host: object;
  /** A change by the tenant. */
  readonly update: Edit;
  /** A change on the host of a field that the tenant owns: put right again, so that `result` holds on the host. */
  readonly hostEdit: Edit;
  /** What the host reports in the status of its object; `result` then holds of the virtual one. */
  readonly report?: Edit;
  /** What becomes of the virtual object when somebody deletes the host object. */
  readonly whenHostDeleted: 'virtual is deleted' | 'host is made again';
}

/** A resource whose objects no tenant makes, and why the suite cannot try it. */
export interface Skipped {
  readonly why: string;
}

export const namespace = 'shop';
export const hostNameOf = (name: string): string => `${name}-x-${namespace}-x-team-a`;

export function made(
  kind: Kind,
  metadata: Partial<Metadata> & { readonly name: string },
  rest: object = {},
): KubeObject {
  return { apiVersion: apiVersion(kind), kind: kind.kind, metadata: { namespace, ...metadata }, ...rest };
}
