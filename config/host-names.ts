/**
 * The rule that ties a virtual object's name to its host object's name, for everybody who needs it: the syncer writes by it,
 * constructs and provider tell people by it. Wire format, bit for bit the one that tools and dashboards of existing virtual
 * clusters know. Pure.
 *
 * A host name is not a key: the wire format is ambiguous (`a-x-b` in `c` and `a` in `b-x-c` share one name) and its digest is
 * short. So nothing may conclude from a name alone whose object it is; the syncer looks at what is written on the host object,
 * and a name already taken by another object is refused (NAM-06, NAM-30).
 */
import { hash } from 'node:crypto';
import { nameProblem } from './names.ts';

/** Longest host name: label values, Services and host names of pods allow no more. */
export const hostNameLengthMax = 63;

const keptLength = 52;
const separator = '-x-';

/** The first 10 hexadecimal digits of SHA-256. */
export function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 10);
}

/** At most 63 characters: longer text is cut and ends in its digest (NAM-02). */
export function shorten(text: string): string {
  if (text.length <= hostNameLengthMax) return text;
  return `${text.slice(0, keptLength)}-${digest(text)}`.replaceAll('.-', '-');
}

/** Host name of a namespaced virtual object, the same for every kind (NAM-01, NAM-05). */
export function hostName(name: string, namespace: string, release: { readonly name: string }): string {
  return shorten([name, namespace, release.name].join(separator));
}

/** Host name of a cluster-scoped virtual object (NAM-03). */
export function clusterScopedHostName(
  name: string,
  release: { readonly name: string; readonly namespace: string },
): string {
  return shorten(`vcluster-${[name, release.namespace, release.name].join(separator)}`);
}

/** A namespaced virtual object and the virtual cluster it is in. */
export interface VirtualName {
  readonly name: string;
  readonly namespace: string;
  readonly cluster: string;
}

/** What a host name can stand for: one object, or why that cannot be told. */
export type VirtualNameReading =
  | { readonly is: 'object'; readonly object: VirtualName }
  /** Longer than 63 characters before; the digest cannot be undone. */
  | { readonly is: 'shortened' }
  /** Several names are written like this, all of them given. */
  | { readonly is: 'ambiguous'; readonly objects: readonly VirtualName[] }
  /** No host name of a namespaced virtual object looks like this. */
  | { readonly is: 'foreign' };

/** Undoes {@link hostName} as far as that is possible. It says what can be read, never whose object it is. */
export function readHostName(text: string): VirtualNameReading {
  if (!isSubdomain(text) || text.length > hostNameLengthMax) return { is: 'foreign' };
  // One character less when the cut came after a dot. A name that has all its characters and looks like this is rare, and
  // taking it for a shortened one harms nobody.
  if (text.length >= hostNameLengthMax - 1 && /-[0-9a-f]{10}$/.test(text)) return { is: 'shortened' };
  const objects = readings(text);
  const [object] = objects;
  if (object === undefined) return { is: 'foreign' };
  return objects.length === 1 ? { is: 'object', object } : { is: 'ambiguous', objects };
}

/** Every way to take the text apart in which each part is a valid name. Separators may overlap: `a-x-x-b` has two. */
function readings(text: string): readonly VirtualName[] {
  const places = [...Array(text.length).keys()].filter((at) => text.startsWith(separator, at));
  return places
    .flatMap((first) =>
      places
        .filter((second) => second >= first + separator.length)
        .map((second) => ({
          name: text.slice(0, first),
          namespace: text.slice(first + separator.length, second),
          cluster: text.slice(second + separator.length),
        })),
    )
    .filter(
      ({ name, namespace, cluster }) => isSubdomain(name) && isLabel(namespace) && nameProblem(cluster) === undefined,
    );
}

function isLabel(text: string): boolean {
  return /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(text);
}

function isSubdomain(text: string): boolean {
  return text.split('.').every(isLabel);
}
