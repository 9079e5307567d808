import { assert, integer, ipV4, ipV6, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalAddress, isNeverDialled, parseAuthority } from './address.ts';

describe('parseAuthority()', () => {
  test.each([
    ['10.96.0.1:443', '10.96.0.1', 443],
    ['[fd00::1]:10250', 'fd00::1', 10_250],
    ['[FD00:0:0:0:0:0:0:1]:80', 'fd00::1', 80],
    ['[::ffff:10.96.0.1]:80', '10.96.0.1', 80],
    ['[::ffff:a60:1]:80', '10.96.0.1', 80],
  ])('reads %s', (text, address, port) => {
    expect(parseAuthority(text)).toEqual({ address, port });
  });

  test.each([
    ['localhost:80'],
    ['metadata.google.internal:80'],
    ['web.default.svc:80'],
    ['10.96.0.1'],
    ['10.96.0.1:'],
    ['10.96.0.1:0'],
    ['10.96.0.1:080'],
    ['10.96.0.1:65536'],
    ['10.96.0.1:80:80'],
    ['010.96.0.1:80'],
    ['10.96.1:80'],
    ['0x0a600001:80'],
    ['174063617:80'],
    ['[10.96.0.1]:80'],
    ['[fe80::1%eth0]:80'],
    ['fd00::1:80'],
    ['user@10.96.0.1:80'],
    ['http://10.96.0.1:80'],
    ['10.96.0.1:80/'],
    [' 10.96.0.1:80'],
    [''],
  ])('refuses %s [F67]', (text) => {
    expect(parseAuthority(text)).toBeUndefined();
  });

  test('one address has one form', () => {
    assert(
      property(ipV6(), integer({ min: 1, max: 65_535 }), (ip, port) => {
        const parsed = parseAuthority(`[${ip}]:${port}`);
        expect(parsed).toEqual({ address: canonicalAddress(ip), port });
        expect(canonicalAddress(parsed?.address ?? '')).toBe(parsed?.address);
        expect(canonicalAddress(ip.toUpperCase())).toBe(parsed?.address);
      }),
    );
    assert(
      property(ipV4(), (ip) => {
        expect(canonicalAddress(`::ffff:${ip}`)).toBe(ip);
      }),
    );
  });
});

describe('isNeverDialled()', () => {
  test.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '224.0.0.1', '255.255.255.255', '::', '::1'])(
    '%s',
    (ip) => {
      expect(isNeverDialled(ip)).toBe(true);
    },
  );
  test.each(['fe80::1', 'ff02::1', 'fd00:ec2::254', '64:ff9b::a9fe:a9fe', '2002:7f00:1::', '::7f00:1'])('%s', (ip) => {
    expect(isNeverDialled(ip)).toBe(true);
  });
  test.each(['10.96.0.1', '192.168.1.1', '100.64.0.1', 'fd00::1', '2001:db8::1'])('leaves %s to the view', (ip) => {
    expect(isNeverDialled(ip)).toBe(false);
  });
});
