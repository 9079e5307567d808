/**
 * Names of host objects. Wire format, bit for bit the one that tools and dashboards of existing virtual clusters know.
 *
 * A host name is not a key: the wire format is ambiguous (`a-x-b` in `c` and `a` in `b-x-c` share one name) and its digest is
 * short. So nothing may conclude from a name alone whose object it is; metadata.ts `originOf` decides, and a name already taken
 * by another object is refused (NAM-06, NAM-30).
 */
import { hash } from 'node:crypto';

/** Longest host name: label values, Services and host names of pods allow no more. */
export const nameLengthMax = 63;

const keptLength = 52;

/** The first 10 hexadecimal digits of SHA-256. */
export function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 10);
}

/** At most 63 characters: longer text is cut and ends in its digest (NAM-02). */
export function shorten(text: string): string {
  if (text.length <= nameLengthMax) return text;
  return `${text.slice(0, keptLength)}-${digest(text)}`.replaceAll('.-', '-');
}

/** Host name of a namespaced virtual object, the same for every kind (NAM-01, NAM-05). */
export function hostName(name: string, namespace: string, release: { readonly name: string }): string {
  return shorten(`${name}-x-${namespace}-x-${release.name}`);
}

/** Host name of a cluster-scoped virtual object (NAM-03). */
export function clusterScopedHostName(
  name: string,
  release: { readonly name: string; readonly namespace: string },
): string {
  return shorten(`vcluster-${name}-x-${release.namespace}-x-${release.name}`);
}
