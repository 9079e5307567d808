/** Host names: valid for every kind, and one owner each, however the wire format is abused. */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { configMaps } from '../model/kubernetes.ts';
import { dnsLabels, subdomains, runs } from '../../test/support/arbitraries.ts';
import { release } from '../../test/support/release.ts';
import { object, viewOf } from '../../test/support/world.ts';
import { hostName, shorten } from './names.ts';
import { onHost, originOf } from './metadata.ts';

interface Coordinates {
  readonly name: string;
  readonly namespace: string;
}

const often = runs(500);
vi.setConfig({ testTimeout: 60_000 });
const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/u;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/u;

/** Names made of what the wire format is made of, so that they collide as often as they can. */
const confusing = fc
  .array(fc.constantFrom('a', 'b', 'x', '-x-', '-', 'vc1'), { minLength: 1, maxLength: 5 })
  .map((parts) => parts.join('').replaceAll(/^-+|-+$/gu, ''))
  .filter((name) => name !== '');
/** Alike until after the place where host names are cut, so that only the digest tells them apart. */
const long = fc.nat({ max: 999 }).map((number) => `${'a'.repeat(60)}-${number}`);
const coordinates: fc.Arbitrary<Coordinates> = fc.record({
  name: fc.oneof(confusing, long, subdomains),
  namespace: fc.oneof(confusing, dnsLabels).map((name) => name.slice(0, 63).replace(/-+$/u, '')),
});

function joined({ name, namespace }: Coordinates): string {
  return `${name}-x-${namespace}-x-${release.name}`;
}

function configMap(at: Coordinates, uid: string): ReturnType<typeof onHost> {
  const virtual = object(configMaps, { ...at, uid });
  return onHost(virtual, configMaps, viewOf({}), {});
}

describe('hostName()', () => {
  test('is a label for a Service when its name is one, a subdomain always, and no longer than 63 [NAM-02, NAM-08]', () => {
    const valid = ({ name, namespace }: Coordinates): void => {
      const host = hostName(name, namespace, release);
      expect(host).toMatch(subdomain);
      expect(host.length).toBeLessThanOrEqual(63);
      expect(label.test(host) || name.includes('.')).toBe(true);
      // A Service's name begins with a letter, and so must its host name (DNS-1035).
      expect(host[0]).toBe(name[0]);
    };
    fc.assert(fc.property(coordinates, valid), often);
  });

  test('differs for different objects, unless they are one text when joined [NAM-05, NAM-06]', () => {
    const injective = (one: Coordinates, other: Coordinates): void => {
      const same = hostName(one.name, one.namespace, release) === hostName(other.name, other.namespace, release);
      expect(same).toBe(joined(one) === joined(other));
    };
    fc.assert(fc.property(coordinates, coordinates, injective), often);
  });

  test('of all objects that share one, the host object belongs to the one it was written for [NAM-30, VEC-08]', () => {
    const owned = (parts: readonly string[], cut: number, otherCut: number): void => {
      const split = (at: number): Coordinates => ({
        name: parts.slice(0, at).join('-x-'),
        namespace: parts.slice(at).join('-x-'),
      });
      const [one, other] = [split((cut % (parts.length - 1)) + 1), split((otherCut % (parts.length - 1)) + 1)];
      expect(hostName(one.name, one.namespace, release)).toBe(hostName(other.name, other.namespace, release));
      expect(originOf(configMap(one, 'u1'), configMaps, release)).toEqual({ namespace: one.namespace, name: one.name });
    };
    const parts = fc.array(fc.constantFrom('a', 'b', 'x'), { minLength: 2, maxLength: 5 });
    fc.assert(fc.property(parts, fc.nat(), fc.nat(), owned), often);
  });

  test('shorten() leaves what is short enough, and cuts nothing twice', () => {
    const stable = (text: string): void => {
      expect(shorten(shorten(text))).toBe(shorten(text));
    };
    fc.assert(fc.property(subdomains, stable), often);
  });
});
