/**
 * Giving a virtual Service another cluster IP without deleting it (design decision D4): a round trip through type ExternalName,
 * which drops the IP, keeps the UID and shows watchers two updates. The spec to come back to is kept in an annotation, so that
 * a crash between the two writes loses nothing.
 *
 *   ClusterIP, wrong IP ──► ExternalName + annotation ──► ClusterIP, right IP
 */
import type { Action } from '../model/action.ts';
import { parseJson } from '../model/json.ts';
import { services as Service } from '../model/kubernetes.ts';
import type { Service as ServiceObject, ServiceSpec } from '../model/kubernetes.ts';
import { keyOf } from '../model/object.ts';
import type { Virtual } from '../model/side.ts';

export const movingAnnotation = 'vcluster.loft.sh/moving-service';
const placeholder = 'pending.invalid';

/** The spec that the tenant knows: the kept one while the Service is between two addresses. */
export function settledSpec(service: Virtual<ServiceObject>): ServiceSpec {
  const kept = service.metadata.annotations?.[movingAnnotation];
  const between = service.spec.type === 'ExternalName' && service.spec.externalName === placeholder;
  return kept !== undefined && between ? (tryParseSpec(kept) ?? service.spec) : service.spec;
}

/** A tenant can write this annotation, too; what is no spec of a Service at all is not taken for one. */
function tryParseSpec(text: string): ServiceSpec | undefined {
  try {
    const spec: unknown = parseJson(text);
    return isMap(spec) && isSpec(spec) ? spec : undefined;
  } catch {
    return undefined;
  }
}

function isSpec(spec: Readonly<Record<string, unknown>>): spec is ServiceSpec {
  const { ports = [], clusterIPs = [], selector = {} } = spec;
  return Array.isArray(clusterIPs) && Array.isArray(ports) && ports.every(isMap) && isMap(selector);
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The next write that brings a virtual Service to these addresses; none when it has them. */
export function moveTo(
  service: Virtual<ServiceObject>,
  address: Pick<ServiceSpec, 'clusterIP' | 'clusterIPs'>,
): readonly Action[] {
  const spec = settledSpec(service);
  const { uid, resourceVersion, annotations } = service.metadata;
  if (spec !== service.spec) {
    const { [movingAnnotation]: _kept, ...others } = annotations ?? {};
    const metadata = { ...service.metadata, annotations: others };
    return [
      {
        do: 'replace',
        side: 'virtual',
        kind: Service,
        object: { ...service, metadata, spec: { ...spec, ...address } } as ServiceObject,
      },
    ];
  }
  if (service.spec.clusterIP === address.clusterIP) return [];
  const patch = {
    metadata: { uid, resourceVersion, annotations: { [movingAnnotation]: JSON.stringify(service.spec) } },
    spec: { type: 'ExternalName', externalName: placeholder, clusterIP: null, clusterIPs: null },
  };
  return [{ do: 'patch', side: 'virtual', kind: Service, key: keyOf(service), patch }];
}

/** The name of a ServiceCIDR for the surroundings of an address, and the object: learns a host range at run time (D4). */
export function rangeAround(ip: string): { readonly metadata: { readonly name: string }; readonly spec: object } {
  const cidr = ip.includes(':') ? `${ipv6Network(ip)}/112` : `${ip.split('.').slice(0, 3).join('.')}.0/24`;
  const name = `host-${cidr.replace(/[^0-9a-f]+/g, '-')}`;
  return { metadata: { name }, spec: { cidrs: [cidr] } };
}

/** The first seven of eight groups, in the one spelling that API servers take for a network. */
function ipv6Network(ip: string): string {
  const [head = [], tail = []] = ip.split('::').map((half) => half.split(':').filter((group) => group !== ''));
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  const groups = [...head, ...zeros, ...tail];
  return new URL(`http://[${groups.with(7, '0').join(':')}]`).hostname.slice(1, -1);
}
