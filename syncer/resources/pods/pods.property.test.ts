/** Pods of a tenant who means harm: what comes out refers to nothing but the tenant's own, and loses nothing on the way. */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { ExactNumber, parseJson } from '../../model/json.ts';
import { namespaces, nodes, pods as podKind, services } from '../../model/kubernetes.ts';
import type { Container, Pod } from '../../model/kubernetes.ts';
import { equal } from '../../translate/equality.ts';
import { hostName } from '../../translate/names.ts';
import { jsonValues, unknownFields, runs } from '../../../test/support/arbitraries.ts';
import { newPods, podStatuses } from '../../../test/support/arbitrary-pods.ts';
import { release } from '../../../test/support/release.ts';
import { settle } from '../../../test/support/settle.ts';
import { object, viewOf } from '../../../test/support/world.ts';
import type { World } from '../../../test/support/world.ts';
import { defineToHost } from '../define.ts';
import { pods } from './pods.ts';
import { statusFromHost } from './status.ts';

const often = runs(60);
vi.setConfig({ testTimeout: 60_000 });
const resource = defineToHost(pods);
const dns = { clusterIP: '10.96.0.53', clusterIPs: ['10.96.0.53'] };
const around: World = {
  virtual: [
    ...['shop', 'b', 'x-b', 'kube-system', 'n'.repeat(60)].map((name) => object(namespaces, { name })),
    object(nodes, { name: 'node-1' }),
  ],
  host: [object(services, { name: 'kube-dns-x-kube-system-x-vc1', namespace: 'tenant-a' }, { spec: dns })],
};

/** What the pod becomes; undefined when it is refused. */
function translated(pod: Pod): Pod | undefined {
  const result = pods.toHost(pod, viewOf({ ...around, virtual: [...(around.virtual ?? []), pod] }));
  return result.is === 'object' ? result.object : undefined;
}

/** Every string of a value that begins with the mark of references, wherever it is. */
function references(value: unknown): readonly string[] {
  if (typeof value === 'string') return value.startsWith('zz') ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(references) : [];
}

describe('toHost()', () => {
  test("every name that a pod refers to becomes one of the tenant's own, in its own namespace [POD-108, POD-109, I5]", () => {
    const isolated = (pod: Pod): void => {
      const { namespace = '' } = pod.metadata;
      const own = new Set(references(pod.spec).map((name) => hostName(name, namespace, release)));
      // At rest, so with the ephemeral containers, which come later by a verb of their own.
      const { host } = settle(resource, { virtual: pod, host: undefined }, around);
      const strange = references((host as Pod | undefined)?.spec).filter((name) => !own.has(name));
      expect(strange).toEqual([]);
    };
    fc.assert(fc.property(newPods, isolated), often);
  });

  test('what it is refused for is said, and names nothing of the host [POD-109, I7]', () => {
    const told = (pod: Pod): void => {
      const { actions } = settle(resource, { virtual: pod, host: undefined }, around);
      const said = actions.flatMap((action) => (action.do === 'warn' ? [action.message] : []));
      expect(said.filter((message) => /tenant-a|-x-vc1/u.test(message))).toEqual([]);
      expect(said.length > 0 || translated(pod) !== undefined).toBe(true);
    };
    fc.assert(fc.property(newPods, told), often);
  });

  test('nothing outside of its bookkeeping runs as, on or for anything that the tenant names [POD-11, POD-50, ABU-10]', () => {
    const confined = (pod: Pod): void => {
      const { spec } = translated(pod) ?? { spec: {} as Pod['spec'] };
      const taken = ['nodeName', 'serviceAccount', 'priorityClassName', 'priority', 'subdomain'].filter((field) =>
        Object.hasOwn(spec, field),
      );
      expect(taken).toEqual([]);
      expect([undefined, 'vc-workload-vc1']).toContain(spec.serviceAccountName);
      const sources = (spec.volumes ?? []).filter(({ projected }) =>
        JSON.stringify(projected)?.includes('AccountToken'),
      );
      expect(sources).toEqual([]);
      expect((spec.volumes ?? []).filter((volume) => Object.hasOwn(volume, 'ephemeral'))).toEqual([]);
    };
    fc.assert(fc.property(newPods, confined), often);
  });

  test('fields that it does not know come out byte for byte [CORE-24, POD-62, F71]', () => {
    const faithful = (pod: Pod, inSpec: object, inContainer: object, inVolume: object): void => {
      const volume = { name: 'mine', emptyDir: inVolume };
      const spec = { ...inSpec, containers: [{ ...inContainer, name: 'c0' }], volumes: [volume] };
      const host = translated({ ...pod, spec });
      expect(host).toBeDefined();
      const [container] = host?.spec.containers ?? [];
      expect(JSON.stringify(only(host?.spec, inSpec))).toBe(JSON.stringify(inSpec));
      expect(JSON.stringify(only(container, inContainer))).toBe(JSON.stringify(inContainer));
      expect(JSON.stringify(host?.spec.volumes)).toBe(JSON.stringify([volume]));
    };
    fc.assert(fc.property(newPods, unknownFields, unknownFields, unknownFields, faithful), often);
  });

  test('whatever is missing in it, nothing is thrown [I9]', () => {
    const survives = (pod: Pod, holes: readonly number[]): void => {
      const { spec, metadata, ...rest } = pod;
      const holed = { ...rest, metadata, spec: pierced(spec, holes) } as Pod;
      expect(() => translated(holed)).not.toThrow();
      expect(() =>
        resource.decide(`${metadata.namespace}/${metadata.name}`, viewOf({ virtual: [holed] }), 'u'),
      ).not.toThrow();
    };
    fc.assert(fc.property(newPods, fc.array(fc.nat({ max: 80 }), { maxLength: 4 }), survives), often);
  });
});

describe('pull()', () => {
  test('a status arrives byte for byte in what this program does not know, and once [CORE-24, POD-90, F71]', () => {
    const faithful = (pod: Pod, status: object, unknown: object): void => {
      const { host, virtual } = settle(resource, { virtual: plainPod(pod), host: undefined }, around);
      const bound = {
        ...(host as Pod),
        spec: { ...(host as Pod).spec, nodeName: 'node-1' },
        status: { ...status, ...unknown },
      };
      const settled = settle(resource, { virtual, host: bound }, around);
      const shown = (settled.virtual as Pod).status;
      expect(JSON.stringify(withoutBlanks(only(shown, unknown)))).toBe(JSON.stringify(withoutBlanks(unknown)));
      expect(JSON.stringify(statusFromHost(bound, settled.virtual as Pod))).toContain('conditions');
    };
    fc.assert(fc.property(newPods, podStatuses, unknownFields, faithful), often);
  });

  test('whatever the host shows, nothing is thrown and it comes to rest [I2, I9]', () => {
    const survives = (pod: Pod, status: unknown, nodeName: string | undefined): void => {
      const { host, virtual } = settle(resource, { virtual: plainPod(pod), host: undefined }, around);
      const shown = { ...(host as Pod), spec: { ...(host as Pod).spec, ...(nodeName && { nodeName }) }, status };
      expect(() => settle(resource, { virtual, host: shown }, around)).not.toThrow();
    };
    const statuses = fc.oneof(
      podStatuses,
      jsonValues.filter((value) => typeof value === 'object'),
    );
    fc.assert(fc.property(newPods, statuses, fc.constantFrom(undefined, 'node-1', 'node-2'), survives), often);
  });
});

test('a grace period that no number can hold is the same on both sides: there is nothing to shorten [POD-23, F71]', () => {
  const deleting = (): Pod => {
    const end = '{"deletionTimestamp":"2026-01-01T00:00:00Z","deletionGracePeriodSeconds":9223372036854775807}';
    const its = { name: 'a', namespace: 'shop', uid: 'u', ...(parseJson(end) as object) };
    return object(podKind, its, { spec: { containers: [], nodeName: 'node-1' }, status: { phase: 'Running' } });
  };
  expect(pods.pull?.(deleting(), deleting(), viewOf(around))).toEqual([]);
});

/** A container that is not refused. */
function plain({ env: _env, envFrom: _envFrom, ...container }: Container): Container {
  return container;
}

function plainPod({ spec, ...pod }: Pod): Pod {
  const { readinessGates } = spec;
  return { ...pod, spec: { containers: spec.containers.map(plain), ...(readinessGates && { readinessGates }) } };
}

/** The fields of one thing that another has, in the other's order. */
function only(thing: object | undefined, like: object): object {
  return Object.fromEntries(Object.keys(like).map((key) => [key, Reflect.get(Object(thing), key)]));
}

/** What a merge patch can bring: in maps it has no word for null, and nothing stands for an empty map or list (CORE-23). */
function withoutBlanks(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof ExactNumber) return value;
  const entries = Object.entries(value).map(([key, inner]) => [key, withoutBlanks(inner)] as const);
  return Object.fromEntries(entries.filter(([, inner]) => !equal(inner, undefined)));
}

/** A copy in which some fields, counted as they are met, are missing. */
function pierced(value: object, holes: readonly number[]): object {
  let met = 0;
  // What API servers insist on.
  const keep = new Set(['containers', 'name', 'podAffinityTerm', 'key', 'operator', 'conditionType']);
  const copy = (each: unknown): unknown => {
    if (typeof each !== 'object' || each === null) return each;
    if (Array.isArray(each)) return each.map(copy);
    return Object.fromEntries(
      Object.entries(each).flatMap(([key, inner]) =>
        keep.has(key) || !holes.includes(met++) ? [[key, copy(inner)]] : [],
      ),
    );
  };
  return copy(value) as object;
}
