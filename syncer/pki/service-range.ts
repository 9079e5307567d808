/**
 * The range in which the virtual API server allocates cluster IPs, guessed from one IP that the host has allocated.
 *
 * A virtual service has the cluster IP of its host service, so both must allocate in the same range; a namespaced account
 * cannot read the host's. The guess may be too wide or too narrow, and the syncer copes with either. Pure.
 */
import { isIPv4, isIPv6 } from 'node:net';

/** The /16 around an IPv4 address, the /112 around an IPv6 address; a comma between two families. */
export function serviceRange(clusterIPs: readonly string[]): string {
  return clusterIPs.map(rangeAround).join(',');
}

function rangeAround(address: string): string {
  if (isIPv4(address)) return `${address.split('.').slice(0, 2).join('.')}.0.0/16`;
  if (!isIPv6(address)) throw new Error(`"${address}" is not an IP address.`);
  const groups = expand(address);
  return `${canonical([...groups.slice(0, 7), '0'])}/112`;
}

/** The eight groups of an IPv6 address. */
function expand(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  if (tail === undefined) return left;
  const right = tail === '' ? [] : tail.split(':');
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
}

/** The shortest spelling, by the URL parser's rules, which are RFC 5952's. */
function canonical(groups: readonly string[]): string {
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
