/**
 * Addresses of CONNECT requests. They are compared as parsed addresses, never as the text a client chose: one address has
 * many spellings, and a host name can mean another address at the next look-up. Pure.
 */
import { BlockList, SocketAddress, isIPv4, isIPv6 } from 'node:net';

export interface Authority {
  readonly address: string;
  readonly port: number;
}

const mappedIPv4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/;

/** The one spelling of an IP address: RFC 5952, an IPv4 address in IPv6 clothes as IPv4. Undefined for anything else. */
export function canonicalAddress(text: string): string | undefined {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return undefined;
  const { address } = new SocketAddress({ address: text, family: 'ipv6' });
  return mappedIPv4.exec(address)?.[1] ?? address;
}

/** `10.0.0.1:443` or `[fd00::1]:443`. Undefined for host names and everything malformed. */
export function parseAuthority(text: string): Authority | undefined {
  const parts = /^(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})$/.exec(text);
  const [, v6, v4, digits] = parts ?? [];
  const port = Number(digits);
  if (parts === null || port > 65_535 || (v6 !== undefined && !isIPv6(v6))) return undefined;
  const address = canonicalAddress(v6 ?? v4 ?? '');
  return address === undefined ? undefined : { address, port };
}

const neverDialled = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  // Link-local, and with it the metadata service of most clouds.
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  neverDialled.addSubnet(network, prefix, 'ipv4');
}
for (const [network, prefix] of [
  ['::', 96],
  // Addresses that carry an IPv4 address inside would slip past the rules for IPv4.
  ['64:ff9b::', 96],
  ['2002::', 16],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
] as const) {
  neverDialled.addSubnet(network, prefix, 'ipv6');
}

/** Loopback, link-local, multicast, metadata services: refused whatever the caches say about them. */
export function isNeverDialled(address: string): boolean {
  return neverDialled.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');
}
