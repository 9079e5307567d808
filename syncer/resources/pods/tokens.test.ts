import { describe, expect, test } from 'vitest';
import type { Action } from '../../model/action.ts';
import { pods, secrets } from '../../model/kubernetes.ts';
import type { Pod, Secret } from '../../model/kubernetes.ts';
import type { KubeObject, Metadata } from '../../model/object.ts';
import { onHost, originOf } from '../../translate/metadata.ts';
import { hostName } from '../../translate/names.ts';
import { object, podOf, viewOf } from './fixtures.ts';
import { release } from '../../../test/support/release.ts';
import { tokens, tokenSecretName, tokenSources } from './tokens.ts';

const hourMs = 3_600_000;

function apiAccess(token: object = { expirationSeconds: 3607, path: 'token' }, name = 'kube-api-access-x1y2z'): object {
  return {
    name,
    projected: { sources: [{ serviceAccountToken: token }, { configMap: { name: 'kube-root-ca.crt' } }] },
  };
}

function virtualPod(volumes: readonly object[] = [apiAccess()], metadata: Partial<Metadata> = {}): Pod {
  return podOf({ volumes: volumes.map((volume) => ({ name: 'v', ...volume })) }, metadata);
}

function hostPod(metadata: Partial<Metadata> = {}): Pod {
  const host = onHost(virtualPod(), pods, viewOf({}), { spec: { containers: [] } });
  return { ...host, metadata: { ...host.metadata, uid: 'host-uid', ...metadata } };
}

function issued(plan: { readonly actions: readonly Action[] }): Extract<Action, { do: 'issueTokens' }> {
  const [action] = plan.actions;
  if (action?.do !== 'issueTokens') throw new Error('No tokens were issued.');
  return action;
}

function decide(
  virtual: readonly KubeObject[],
  host: readonly KubeObject[],
  nowMs = 0,
): ReturnType<typeof tokens.decide> {
  return tokens.decide('shop/web-0', viewOf({ virtual, host, nowMs }), undefined);
}

/** The Secret as the host keeps it after tokens were issued. */
function stored(plan: { readonly actions: readonly Action[] }, metadata: Partial<Metadata> = {}): Secret {
  const { secret, tokens: requests } = issued(plan);
  const data = Object.fromEntries(requests.map(({ dataKey }) => [dataKey, 'dG9rZW4=']));
  return object(secrets, { ...secret.metadata, resourceVersion: '5', ...metadata }, { data });
}

describe('tokenSources()', () => {
  test.each<[string, object, object]>([
    [
      'the default mount gets a day [D12]',
      apiAccess(),
      { expirationSeconds: 86_400, dataKey: 'kube-api-access-x1y2z.0', path: 'token' },
    ],
    [
      'an asked lifetime is honoured [POD-113]',
      apiAccess({ expirationSeconds: 7200, path: 't', audience: 'vault' }, 'vault'),
      { expirationSeconds: 7200, audience: 'vault', dataKey: 'vault.0' },
    ],
    [
      'the same number in a volume of the tenant is an asked lifetime',
      apiAccess({ expirationSeconds: 3607, path: 't' }, 'own'),
      { expirationSeconds: 3607 },
    ],
    ['600 seconds are the least', apiAccess({ expirationSeconds: 1, path: 't' }, 'own'), { expirationSeconds: 600 }],
    ['an hour when nothing is asked', apiAccess({ path: 't' }, 'own'), { expirationSeconds: 3600 }],
  ])('%s', (_, volume, expected) => {
    expect(tokenSources(virtualPod([volume]))).toMatchObject([expected]);
  });

  test('pods without a token volume have none', () => {
    expect(tokenSources(podOf())).toEqual([]);
  });
});

describe('tokens.decide()', () => {
  test('issues when the host pod exists, owned by it and bound to the virtual pod [POD-111, POD-112, POD-114]', () => {
    const action = issued(decide([virtualPod()], [hostPod()]));
    expect(action).toEqual({
      do: 'issueTokens',
      secret: {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: {
          name: 'vc-token-web-uid',
          namespace: 'tenant-a',
          labels: {
            'vcluster.loft.sh/managed-by': 'vc1',
            'vcluster.loft.sh/namespace': 'shop',
            'vcluster.loft.sh/token-secret': 'true',
          },
          annotations: {
            'vcluster.loft.sh/token-pod': 'shop/web-0',
            'vcluster.loft.sh/token-pod-uid': 'web-uid',
            'vcluster.loft.sh/token-issued-at': '1970-01-01T00:00:00.000Z',
            'vcluster.loft.sh/token-expires-at': '1970-01-02T00:00:00.000Z',
          },
          ownerReferences: [
            { apiVersion: 'v1', kind: 'Pod', name: 'web-0-x-shop-x-vc1', uid: 'host-uid', controller: true },
          ],
        },
      },
      tokens: [
        {
          dataKey: 'kube-api-access-x1y2z.0',
          serviceAccount: { namespace: 'shop', name: 'default' },
          audiences: [],
          expirationSeconds: 86_400,
          pod: { name: 'web-0', uid: 'web-uid' },
        },
      ],
    });
  });

  test.each<[string, readonly KubeObject[], readonly KubeObject[]]>([
    ['without a virtual pod', [], [hostPod()]],
    ['without a host pod', [virtualPod()], []],
    ['for a virtual pod that is going', [virtualPod([apiAccess()], { deletionTimestamp: 'x' })], [hostPod()]],
    ['for a host pod that is going', [virtualPod()], [hostPod({ deletionTimestamp: 'x' })]],
    ["for a former incarnation's host pod", [virtualPod([apiAccess()], { uid: 'new' })], [hostPod()]],
    ["for somebody else's pod of that name", [virtualPod()], [hostPod({ labels: {} })]],
    ['for a pod without token volumes', [podOf()], [hostPod()]],
  ])('issues nothing %s', (_, virtual, host) => {
    expect(decide(virtual, host).actions).toEqual([]);
  });

  test('asks for the service account of the pod and the audience of the volume [POD-111]', () => {
    const pod = virtualPod([apiAccess({ path: 't', audience: 'vault', expirationSeconds: 900 }, 'vault')]);
    const withAccount: Pod = { ...pod, spec: { ...pod.spec, serviceAccountName: 'robot' } };
    expect(issued(decide([withAccount], [hostPod()])).tokens).toMatchObject([
      { serviceAccount: { namespace: 'shop', name: 'robot' }, audiences: ['vault'], expirationSeconds: 900 },
    ]);
  });

  test('renews at 80 % of the shortest lifetime, in place [POD-113, D12]', () => {
    const world = [virtualPod()];
    const secret = stored(decide(world, [hostPod()]));
    expect(decide(world, [hostPod(), secret], hourMs)).toEqual({ actions: [], againInMs: 18.2 * hourMs });
    const renewal = issued(decide(world, [hostPod(), secret], 19.2 * hourMs));
    expect(renewal.existing).toEqual({ resourceVersion: '5' });
    expect(renewal.secret.metadata.annotations).toMatchObject({
      'vcluster.loft.sh/token-issued-at': '1970-01-01T19:12:00.000Z',
    });
  });

  test.each<[string, Partial<Metadata>]>([
    ['a former host pod', { ownerReferences: [] }],
    ['a former virtual pod [POD-116]', { annotations: { 'vcluster.loft.sh/token-pod-uid': 'former' } }],
    ['an unknown time', { annotations: { 'vcluster.loft.sh/token-pod-uid': 'web-uid' } }],
  ])('issues again over a Secret of %s', (_, metadata) => {
    const secret = stored(decide([virtualPod()], [hostPod()]), metadata);
    expect(issued(decide([virtualPod()], [hostPod(), secret])).existing).toEqual({ resourceVersion: '5' });
  });

  test("never touches somebody else's Secret", () => {
    const secret = stored(decide([virtualPod()], [hostPod()]), { labels: {} });
    expect(decide([virtualPod()], [hostPod(), secret])).toMatchObject({
      actions: [],
      why: expect.any(String) as string,
    });
  });
});

describe('the token Secret', () => {
  test('is not taken for a copy of a tenant Secret', () => {
    expect(originOf(stored(decide([virtualPod()], [hostPod()])), secrets, release)).toBeUndefined();
  });

  test('has a name that no tenant Secret can get on the host [POD-115]', () => {
    const name = tokenSecretName(virtualPod([], { uid: '0f4b1c1e-5f2c-4b8e-9d53-3a1d2f0a9b77' }));
    expect(name.length).toBeLessThan(52);
    expect(name).not.toContain('-x-');
    expect(hostName('a', 'b', release)).toContain('-x-');
  });
});

describe('tokens.keysOf()', () => {
  const view = viewOf({ virtual: [virtualPod()], host: [hostPod()] });
  const secret = stored(decide([virtualPod()], [hostPod()]));

  test.each<[string, Parameters<typeof tokens.keysOf>[0], readonly string[]]>([
    ['a virtual pod', { side: 'virtual', kind: pods, object: virtualPod() }, ['shop/web-0']],
    ['its host pod', { side: 'host', kind: pods, object: hostPod() }, ['shop/web-0']],
    ['its Secret', { side: 'host', kind: secrets, object: secret }, ['shop/web-0']],
    ["somebody else's host pod", { side: 'host', kind: pods, object: hostPod({ labels: {} }) }, []],
    ["somebody else's Secret", { side: 'host', kind: secrets, object: object(secrets, { name: 'x' }) }, []],
    [
      'a virtual Secret',
      { side: 'virtual', kind: secrets, object: object(secrets, { name: 'x', namespace: 'y' }) },
      [],
    ],
  ])('%s', (_, change, expected) => {
    expect(tokens.keysOf(change, view)).toEqual(expected);
  });
});
