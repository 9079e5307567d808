/** What API servers do to what they are given: cluster IPs of Services. */
import { ApiError } from '../../syncer/model/errors.ts';
import type { Service } from '../../syncer/model/kubernetes.ts';

/** Few enough that both sides often choose the same address for different Services. */
const addresses = 24;

/** A Service with a cluster IP of its own, unless it is of the type that has none. */
export function withAddress(
  service: Service,
  before: Service | undefined,
  others: readonly Service[],
  random: () => number,
): Service {
  const { clusterIP: asked = '', clusterIPs: _, ...rest } = service.spec;
  const type = rest.type ?? 'ClusterIP';
  if (type === 'ExternalName') return { ...service, spec: { ...rest, type } };
  const taken = new Set(others.map(({ spec }) => spec.clusterIP));
  const clusterIP = addressFor(asked, before?.spec.clusterIP ?? '', taken) ?? freeAddress(taken, random);
  return { ...service, spec: { ...rest, type, clusterIP, clusterIPs: [clusterIP] } };
}

/** The address asked for, or the one it has; undefined when it is to get one. */
function addressFor(asked: string, former: string, taken: ReadonlySet<string | undefined>): string | undefined {
  const wanted = asked === '' ? former : asked;
  if (former !== '' && wanted !== former) throw invalid('field is immutable');
  if (wanted !== 'None' && wanted !== '' && taken.has(wanted)) throw invalid('provided IP is already allocated');
  return wanted === '' ? undefined : wanted;
}

function freeAddress(taken: ReadonlySet<string | undefined>, random: () => number): string {
  for (;;) {
    const address = `10.96.1.${Math.floor(random() * addresses) + 1}`;
    if (!taken.has(address)) return address;
  }
}

function invalid(why: string): ApiError {
  return new ApiError(`spec.clusterIPs: Invalid value: ${why}`, { status: 422, reason: 'Invalid' });
}
