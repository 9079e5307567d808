/** What kinds whose status the host owns have in common. */
import type { Action } from '../model/action.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { Virtual } from '../model/side.ts';
import { mergePatch } from '../translate/equality.ts';

/** The write that gives a virtual object this status; none when it has it. Only to the object that was read (spec CORE-22). */
export function pullStatus<T extends KubeObject & { readonly status?: object }>(
  kind: Kind<T>,
  virtual: Virtual<T>,
  status: object | undefined,
): readonly Action[] {
  const patch = mergePatch(virtual.status ?? {}, status ?? {});
  if (patch === undefined) return [];
  const { uid, resourceVersion } = virtual.metadata;
  const whole = { metadata: { uid, resourceVersion }, status: patch };
  return [{ do: 'patch', side: 'virtual', kind, key: keyOf(virtual), patch: whole, subresource: 'status' }];
}
