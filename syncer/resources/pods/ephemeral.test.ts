import { describe, expect, test } from 'vitest';
import type { Action } from '../../model/action.ts';
import { services } from '../../model/kubernetes.ts';
import type { Container, Pod } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import { pushEphemeral } from './ephemeral.ts';
import { object, podOf, usual, viewOf } from './fixtures.ts';
import { pods } from './pods.ts';
import { podsByConfigMap, podsBySecret } from './references.ts';
import { pull } from './status.ts';

const view = viewOf(usual);
const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

function debugged(...ephemeralContainers: readonly Container[]): Pod {
  return podOf({ ephemeralContainers });
}

function hostOf(ephemeralContainers: readonly Container[] = [], metadata: Partial<Metadata> = {}): Pod {
  const identity = { name: 'web-0-x-shop-x-vc1', namespace: 'tenant-a', uid: 'host-uid', resourceVersion: '70' };
  return podOf({ ephemeralContainers }, { ...identity, ...metadata });
}

function listIn([action]: readonly Action[]): readonly Container[] {
  if (action?.do !== 'patch') throw new Error('Nothing was patched.');
  const { spec } = action.patch as { readonly spec: { readonly ephemeralContainers: readonly Container[] } };
  return spec.ephemeralContainers;
}

function namesIn(actions: readonly Action[]): readonly string[] {
  return listIn(actions).map(({ name }) => name);
}

describe('pushEphemeral() [POD-83]', () => {
  test('adds by name what the host does not have, through its own verb, to the pod that was read', () => {
    const actions = pushEphemeral(hostOf(), debugged({ name: 'debug', image: 'busybox' }), view);
    expect(actions).toMatchObject([
      {
        do: 'patch',
        side: 'host',
        subresource: 'ephemeralcontainers',
        key: { namespace: 'tenant-a', name: 'web-0-x-shop-x-vc1' },
        patch: { metadata: { uid: 'host-uid', resourceVersion: '70' } },
      },
    ]);
    expect(listIn(actions)).toMatchObject([{ name: 'debug', image: 'busybox' }]);
  });

  test('sends the whole list: those of the host stay first and as they are', () => {
    const theirs = { name: 'theirs', image: 'x', ofTheHost: { a: 1 } };
    const host = hostOf([theirs, { name: 'one', image: 'old' }]);
    const list = listIn(pushEphemeral(host, debugged({ name: 'one', image: 'new' }, { name: 'two' }), view));
    expect(list.slice(0, 2)).toEqual([theirs, { name: 'one', image: 'old' }]);
    expect(list.slice(2)).toMatchObject([{ name: 'two' }]);
  });

  test.each<[string, Pod, Pod]>([
    ['when there is none', hostOf(), podOf()],
    ['that the host has', hostOf([{ name: 'debug', image: 'other' }]), debugged({ name: 'debug', image: 'x' })],
    ['over one of the host only', hostOf([{ name: 'theirs' }]), podOf()],
    ['to a host pod that is going', hostOf([], deleting), debugged({ name: 'debug' })],
    ['to a virtual pod that is going', hostOf(), podOf({ ephemeralContainers: [{ name: 'debug' }] }, deleting)],
  ])('writes nothing %s', (_, host, virtual) => {
    expect(pushEphemeral(host, virtual, view)).toEqual([]);
  });

  test('environment, field paths and names are translated as for other containers [POD-70, POD-74, POD-75]', () => {
    const db = object(services, { name: 'db', namespace: 'shop' }, { spec: { clusterIP: '10.96.1.1', ports: [] } });
    const env = [
      { name: 'NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
      { name: 'KEY', valueFrom: { secretKeyRef: { name: 'a', key: 'k' } } },
    ];
    const container = { name: 'debug', targetContainerName: 'app', env, envFrom: [{ configMapRef: { name: 'c' } }] };
    const world = viewOf({ ...usual, virtual: [...usual.virtual, db] });
    const [debug] = listIn(pushEphemeral(hostOf(), debugged(container), world));
    expect(debug).toMatchObject({
      targetContainerName: 'app',
      envFrom: [{ configMapRef: { name: 'c-x-shop-x-vc1' } }],
    });
    expect(debug?.env).toEqual(
      expect.arrayContaining([
        { name: 'KUBERNETES_SERVICE_HOST', value: '10.96.7.7' },
        { name: 'NAME', valueFrom: { fieldRef: { fieldPath: "metadata.annotations['vcluster.loft.sh/name']" } } },
        { name: 'KEY', valueFrom: { secretKeyRef: { name: 'a-x-shop-x-vc1', key: 'k' } } },
      ]),
    );
  });

  test('services are only looked up for one that is to be added', () => {
    const world = viewOf(usual);
    pushEphemeral(hostOf([{ name: 'debug' }]), debugged({ name: 'debug' }), world);
    expect(world.read).toEqual([]);
  });

  test('what an ephemeral container uses is synced [POD-108]', () => {
    const virtual = debugged({
      name: 'debug',
      envFrom: [{ configMapRef: { name: 'c' } }, { secretRef: { name: 's' } }],
    });
    expect(podsByConfigMap.values(virtual)).toEqual(['shop/c']);
    expect(podsBySecret.values(virtual)).toEqual(['shop/s']);
  });

  test('an unknown source of environment is refused, the others are added [POD-109]', () => {
    const unknown = { name: 'bad', env: [{ name: 'X', valueFrom: { vaultOf2030: {} } }] };
    const [warning, ...rest] = pushEphemeral(hostOf(), debugged(unknown, { name: 'good' }), view);
    expect(warning).toMatchObject({ do: 'warn', message: expect.stringContaining('vaultOf2030') as string });
    expect(namesIn(rest)).toEqual(['good']);
  });

  test('they are no part of the pod that is created, and no difference to be merged', () => {
    const virtual = debugged({ name: 'debug' });
    const translated = pods.toHost(virtual, view);
    if (translated.is !== 'object') throw new Error(translated.why);
    expect(translated.object.spec).not.toHaveProperty('ephemeralContainers');
    expect(pods.merge(hostOf([{ name: 'theirs' }]), translated.object).spec.ephemeralContainers).toEqual([
      { name: 'theirs' },
    ]);
  });

  test('pull() asks for them after the status', () => {
    const host: Pod = { ...hostOf(), status: { phase: 'Running' } };
    const actions = pull(host, debugged({ name: 'debug' }), view);
    expect(actions.map((action) => (action.do === 'patch' ? action.subresource : action.do))).toEqual([
      'status',
      'ephemeralcontainers',
    ]);
  });
});
