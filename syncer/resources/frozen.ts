/** Config maps and secrets that the API lets nobody change any more (CS-08). */
import { equal } from '../translate/equality.ts';
import { pick } from '../translate/fields.ts';

/** Whether a host object is immutable, by the tenant's wish or by somebody's on the host, and has to become another. */
export function isFrozen<T extends { readonly immutable?: boolean }>(
  host: T,
  desired: T,
  content: readonly (keyof T)[],
): boolean {
  return host.immutable === true && !equal(pick(host, content), pick(desired, content));
}
