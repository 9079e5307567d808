/** Config maps and secrets: copies that are on the host only while something uses them. */
import { describe, expect, test } from 'vitest';
import { object, viewOf } from '../../test/support/world.ts';
import type { World } from '../../test/support/world.ts';
import { configMaps as ConfigMap, pods, secrets as Secret } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import { configMaps } from './configmaps.ts';
import { secrets } from './secrets.ts';

const key = 'shop/web';
const identity = { namespace: 'shop', uid: 'v1' };

function user(volume: object): KubeObject {
  return object(
    pods,
    { namespace: 'shop', name: 'user' },
    { spec: { containers: [{ name: 'c' }], volumes: [{ name: 'v', ...volume }] } },
  );
}

function created(resource: typeof secrets, world: World): KubeObject | undefined {
  const [action] = resource.decide(key, viewOf(world), undefined).actions;
  return action?.do === 'create' ? action.object : undefined;
}

describe('config maps', () => {
  const configMap = object(ConfigMap, identity, { data: { a: 'b' }, immutable: true });
  const inUse = user({ configMap: { name: 'web' } });

  test('go to the host with all of their content while a pod uses them [CS-01, MAP-06]', () => {
    expect(created(configMaps, { virtual: [configMap] })).toBeUndefined();
    expect(created(configMaps, { virtual: [configMap, inUse] })).toMatchObject({ data: { a: 'b' }, immutable: true });
  });

  test('a pod of another namespace does not count', () => {
    const stranger = { ...inUse, metadata: { ...inUse.metadata, namespace: 'other' } };
    expect(created(configMaps, { virtual: [configMap, stranger] })).toBeUndefined();
  });

  test('the annotation keeps them there unused [CS-02, MAP-06, ANN-08]', () => {
    const forced = object(ConfigMap, { ...identity, annotations: { 'vcluster.loft.sh/force-sync': 'true' } });
    expect(created(configMaps, { virtual: [forced] })).toBeDefined();
  });

  test("content taken away is taken away, and the host's own fields stay [CS-05]", () => {
    const open = object(ConfigMap, identity, { data: { a: 'b' } });
    const host = {
      ...created(configMaps, { virtual: [open, inUse] }),
      binaryData: { x: 'AA==' },
      own: 1,
    } as KubeObject;
    const plan = configMaps.decide(key, viewOf({ virtual: [open, inUse], host: [host] }), undefined);
    expect(plan.actions).toEqual([
      expect.objectContaining({ do: 'patch', patch: expect.objectContaining({ binaryData: null }) }),
    ]);
    expect(JSON.stringify(plan.actions)).not.toContain('"own"');
  });
});

describe('secrets', () => {
  const inUse = user({ secret: { secretName: 'web' } });
  const typed = (type: string): KubeObject => object(Secret, identity, { type, data: { a: 'Yg==' } });

  test.each([
    ['Opaque', 'Opaque'],
    ['kubernetes.io/tls', 'kubernetes.io/tls'],
    ['kubernetes.io/service-account-token', 'Opaque'],
    ['bootstrap.kubernetes.io/token', 'Opaque'],
    ['helm.sh/release.v1', 'Opaque'],
  ])('type %s is %s on the host, where controllers would act on it [CS-06] [CS-09]', (type, expected) => {
    expect(created(secrets, { virtual: [typed(type), inUse] })).toMatchObject({ type: expected, data: { a: 'Yg==' } });
  });

  test('host secrets that are not copies are kept without their data [CS-16]', () => {
    const keep = secrets.sources.find(
      ({ side, kind, keep: it }) => side === 'host' && kind === Secret && it !== undefined,
    )?.keep;
    const foreign = object(Secret, { name: 'vc1-certs' }, { data: { key: 'cHJpdmF0ZQ==' } });
    expect(keep?.(foreign)).not.toHaveProperty('data');
    const copy = created(secrets, { virtual: [typed('Opaque'), inUse] });
    expect(copy === undefined ? undefined : keep?.(copy)).toEqual(copy);
  });
});
