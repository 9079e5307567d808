import { describe, expect, test } from 'vitest';
import type { PodSpec } from '../../model/kubernetes.ts';
import { clusterDns, hostAliasesOf, hostnameOf, usesClusterDns } from './dns.ts';
import { podOf } from './fixtures.ts';
import { release } from '../../../test/support/release.ts';

const domain = 'cluster.local';

function dnsOf(dnsConfig?: PodSpec['dnsConfig']): NonNullable<PodSpec['dnsConfig']> {
  return clusterDns(podOf(dnsConfig && { dnsConfig }), ['10.96.0.53'], domain).dnsConfig ?? {};
}

describe('usesClusterDns() [POD-120, POD-123]', () => {
  test.each<[Partial<PodSpec>, boolean]>([
    [{}, true],
    [{ dnsPolicy: 'ClusterFirst' }, true],
    [{ dnsPolicy: 'ClusterFirst', hostNetwork: true }, false],
    [{ dnsPolicy: 'ClusterFirstWithHostNet', hostNetwork: true }, true],
    [{ dnsPolicy: 'ClusterFirstWithHostNet' }, true],
    [{ dnsPolicy: 'Default' }, false],
    [{ dnsPolicy: 'None' }, false],
  ])('%j: %s', (spec, expected) => {
    expect(usesClusterDns(podOf(spec).spec)).toBe(expected);
  });
});

describe('clusterDns()', () => {
  test('spells ClusterFirst out for the virtual namespace [POD-120]', () => {
    expect(clusterDns(podOf(), ['10.96.0.53', 'fd00::53'], domain)).toEqual({
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['10.96.0.53', 'fd00::53'],
        searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
        options: [{ name: 'ndots', value: '5' }],
      },
    });
  });

  test("the tenant's own settings follow, without repeating ours [POD-120]", () => {
    expect(
      dnsOf({ nameservers: ['1.1.1.1', '10.96.0.53'], searches: ['svc.cluster.local', 'corp.example'] }),
    ).toMatchObject({
      nameservers: ['10.96.0.53', '1.1.1.1'],
      searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'],
    });
  });

  test("the tenant's options win [POD-121]", () => {
    expect(dnsOf({ options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }] }).options).toEqual([
      { name: 'ndots', value: '2' },
      { name: 'edns0' },
    ]);
    expect(dnsOf({ options: [{ name: 'edns0' }] }).options).toEqual([{ name: 'ndots', value: '5' }, { name: 'edns0' }]);
  });

  test('limits of the API cut from the end of the tenant [POD-122]', () => {
    const many = Array.from({ length: 40 }, (_, index) => `d${index}.example`);
    const { nameservers, searches } = dnsOf({ nameservers: ['1.1.1.1', '2.2.2.2', '3.3.3.3'], searches: many });
    expect(nameservers).toEqual(['10.96.0.53', '1.1.1.1', '2.2.2.2']);
    expect(searches).toHaveLength(32);
    expect(searches?.[0]).toBe('shop.svc.cluster.local');
    const long = Array.from({ length: 20 }, (_, index) => `${String(index)}${'x'.repeat(180)}.example`);
    expect(dnsOf({ searches: long }).searches?.join(' ').length).toBeLessThanOrEqual(2048);
  });
});

describe('hostnameOf()', () => {
  test.each([
    ['web-0', undefined, 'web-0'],
    ['web-0', 'own', 'own'],
    ['a.b.c', undefined, 'a-b-c'],
    [`${'a'.repeat(62)}.bc`, undefined, 'a'.repeat(62)],
    [`${'a'.repeat(60)}-.-b`, undefined, 'a'.repeat(60)],
    ['b'.repeat(80), undefined, 'b'.repeat(63)],
  ])('%s with hostname %s [POD-126, POD-127]', (name, hostname, expected) => {
    expect(hostnameOf(podOf(hostname === undefined ? {} : { hostname }, { name }))).toBe(expected);
  });
});

describe('hostAliasesOf() [POD-65]', () => {
  const ours = {
    ip: '10.96.7.7',
    hostnames: ['kubernetes.default.svc.cluster.local', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
  };

  test('the API server is found without DNS', () => {
    const own = { ip: '1.2.3.4', hostnames: ['db'] };
    expect(hostAliasesOf(podOf({ hostAliases: [own] }).spec, release)).toEqual([own, ours]);
  });

  test.each([{ hostNetwork: true }, { os: { name: 'windows' } }])('not with %j', (spec) => {
    expect(hostAliasesOf(podOf(spec).spec, release)).toEqual([]);
  });
});

test('both addresses of a DNS service with two families are asked, in its order [POD-124]', () => {
  const both = ['10.96.0.53', 'fd00:10:96::53'];
  expect(clusterDns(podOf(), both, 'cluster.local').dnsConfig?.nameservers).toEqual(both);
});
