import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clusterScopedHostName, digest, hostName, nameLengthMax, shorten } from './names.ts';

const vc1 = { name: 'vc1', namespace: 'tenant-a' };
const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/u);
const subdomain = fc
  .array(label, { minLength: 1, maxLength: 5 })
  .map((labels) => labels.join('.'))
  .filter((name) => name.length <= 253);

describe('golden vectors', () => {
  test.each([
    ['nginx', 'default', 'nginx-x-default-x-vc1'],
    ['kube-dns', 'kube-system', 'kube-dns-x-kube-system-x-vc1'],
  ])('[VEC-01] %s in %s', (name, namespace, expected) => {
    expect(hostName(name, namespace, vc1)).toBe(expected);
  });

  test('[VEC-02] a name of 64 characters and more ends in its digest', () => {
    const name = hostName('a'.repeat(40), 'default', { name: 'my-vcluster' });
    expect(name).toBe(`${'a'.repeat(40)}-x-default-x-7799225210`);
    expect(name).toHaveLength(63);
  });

  test('[VEC-03] a cut after a dot leaves no ".-"', () => {
    expect(hostName(`${'a'.repeat(51)}.bbb`, 'default', vc1)).toBe(`${'a'.repeat(51)}-f505bd0674`);
  });

  test('[VEC-04] cluster-scoped names and the value of their marker', () => {
    expect(clusterScopedHostName('fast-ssd', vc1)).toBe('vcluster-fast-ssd-x-tenant-a-x-vc1');
    expect(shorten('tenant-a-x-vc1')).toBe('tenant-a-x-vc1');
  });

  test('[VEC-08] the ambiguity of the wire format is known; ownership refuses the second object [NAM-06]', () => {
    expect(hostName('a-x-b', 'c', vc1)).toBe('a-x-b-x-c-x-vc1');
    expect(hostName('a', 'b-x-c', vc1)).toBe('a-x-b-x-c-x-vc1');
  });
});

describe('properties', () => {
  test('host names have at most 63 characters and are valid [NAM-02, NAM-08]', () => {
    fc.assert(
      fc.property(subdomain, label, label, (name, namespace, release) => {
        const host = hostName(name, namespace, { name: release });
        expect(host.length).toBeLessThanOrEqual(nameLengthMax);
        expect(host).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u);
      }),
    );
  });

  test('names without dots give DNS labels', () => {
    fc.assert(
      fc.property(label, label, label, (name, namespace, release) => {
        expect(hostName(name, namespace, { name: release })).toMatch(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/u);
      }),
    );
  });

  test('host names are deterministic and differ unless the joined names are the same [NAM-05]', () => {
    const triple = fc.tuple(subdomain, label);
    fc.assert(
      fc.property(triple, triple, ([name, namespace], [otherName, otherNamespace]) => {
        const same = `${name}-x-${namespace}` === `${otherName}-x-${otherNamespace}`;
        expect(hostName(name, namespace, vc1) === hostName(otherName, otherNamespace, vc1)).toBe(same);
      }),
    );
  });

  test('long names that differ only in the part cut off have different host names [F59]', () => {
    fc.assert(
      fc.property(fc.uniqueArray(label, { minLength: 2, maxLength: 2 }), ([a = '', b = '']) => {
        const long = 'n'.repeat(60);
        expect(hostName(`${long}.${a}`, 'default', vc1)).not.toBe(hostName(`${long}.${b}`, 'default', vc1));
      }),
    );
  });

  test('shorten() leaves short text alone', () => {
    const short = fc.property(fc.string({ maxLength: nameLengthMax }), (text) => {
      expect(shorten(text)).toBe(text);
    });
    fc.assert(short);
  });

  test('digest() has ten hexadecimal digits', () => {
    const anyText = fc.property(fc.string(), (text) => {
      expect(digest(text)).toMatch(/^[0-9a-f]{10}$/u);
    });
    fc.assert(anyText);
  });
});
