/**
 * The syncer killed in the middle of its work, API servers killed under it: afterwards both sides agree, with one host pod for
 * each virtual pod and no write once they do. SEED=<number> repeats a run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../syncer/cluster/client.ts';
import { pods, secrets, services } from '../syncer/model/kubernetes.ts';
import type { Pod, Secret } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import type { ControlPlane } from '../testbed/index.ts';
import { isFree } from '../testbed/ports.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { census, idle, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { makeNamespace } from './support/namespaces.ts';
import { hostNamespace, startPair } from './support/pair.ts';
import type { Pair } from './support/pair.ts';
import { randomFrom } from './support/random.ts';
import { whoIs } from './support/who-is.ts';

const burst = 50;
const seed = Number(process.env['SEED'] ?? 20_261_123);
const random = randomFrom(seed);
const virtualUid = 'vcluster.loft.sh/object-uid';

let pair: Pair;

beforeAll(async () => {
  pair = await startPair('resilience');
  await makeNamespace(pair, namespace);
});

afterAll(() => pair.stop());

async function podsOf(side: 'host' | 'virtual'): Promise<readonly Pod[]> {
  const scope = { namespace: side === 'host' ? hostNamespace : '' };
  return (await pair[side].list(pods, scope, AbortSignal.timeout(10_000))).items as readonly Pod[];
}

function podOf(name: string): KubeObject {
  return made(pods, { name, labels: { app: 'burst' } }, { spec: { containers: [{ name: 'c', image: 'x' }] } });
}

/** Until every virtual pod runs and nobody has anything to do. */
async function converged(): Promise<void> {
  await until(
    'all pods to run',
    async () => {
      const found = await podsOf('virtual');
      return found.every((pod) => pod.status?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined);
    },
    60_000,
  );
  await idle(pair.syncer);
}

/** One host pod for each virtual pod and none besides, by UID [I3] [I4]. */
async function expectOneToOne(): Promise<void> {
  const wanted = (await podsOf('virtual')).map(({ metadata }) => metadata.uid ?? '');
  const copies = (await podsOf('host')).map(({ metadata }) => metadata.annotations?.[virtualUid] ?? 'nobody');
  expect(copies.toSorted()).toEqual(wanted.toSorted());
  const { items } = await pair.host.list(secrets, { namespace: hostNamespace }, AbortSignal.timeout(10_000));
  const tokens = items.map(({ metadata }) => metadata.name).filter((name) => name.startsWith('vc-token-'));
  expect(tokens.toSorted()).toEqual(wanted.map((uid) => `vc-token-${uid}`).toSorted());
}

/** Kills the syncer as soon as the host has so many pods of ours, or after a while, and starts it again. */
async function killAt(enough: (count: number) => boolean): Promise<void> {
  const startedMs = Date.now();
  while (!enough((await podsOf('host')).length) && Date.now() - startedMs < 5_000) await sleep(5);
  await sleep(random() * 40);
  await pair.syncer.stop('SIGKILL');
  await pair.syncer.launch();
}

/** Kills an API server and waits until the kernel has closed its port: threads may outlive the process by a moment. */
async function crash(plane: ControlPlane): Promise<void> {
  await plane.stop('kube-apiserver', 'SIGKILL');
  const { hostname, port } = new URL(plane.url);
  await until('the port to be free', () => isFree(Number(port), hostname));
}

describe(`the syncer is killed in the middle of its work (SEED=${seed})`, () => {
  test('of a burst of pods and services nothing is lost, nothing doubled, and then nothing written [F01] [I1] [I2] [I4]', async () => {
    const names = Array.from({ length: burst }, (_, index) => `burst-${index}`);
    const spec = { selector: { app: 'burst' }, ports: [{ port: 80 }] };
    const creating = Promise.all([
      ...names.map((name) => pair.virtual.create(pods, podOf(name))),
      ...names.slice(0, 10).map((name) => pair.virtual.create(services, made(services, { name }, { spec }))),
    ]);
    const moments = [0, 1, 2].map((round) => Math.floor(((round + random()) * burst) / 3));
    for (const moment of moments) await killAt((count) => count > moment);
    await creating;
    await pair.syncer.ready();
    await converged();
    await expectOneToOne();
    for (const name of names.slice(0, 10)) {
      const virtual = await pair.virtual.get(services, { namespace, name });
      const host = await pair.host.get(services, { namespace: hostNamespace, name: hostNameOf(name) });
      expect(host).toMatchObject({
        spec: { clusterIP: (virtual as { spec?: { clusterIP?: string } }).spec?.clusterIP },
      });
    }
    const before = await census(pair);
    await secondLook(pair);
    expect(await census(pair)).toEqual(before);
  });

  test('pods that are deleted meanwhile are gone, pods made again under their names are new ones [CORE-10] [F73] [I4]', async () => {
    const doomed = (await podsOf('virtual')).filter(
      ({ metadata }) => metadata.namespace === namespace && random() < 0.5,
    );
    const deleting = Promise.all(
      doomed.map(async ({ metadata: { name, uid = '' } }, index) => {
        await pair.virtual.remove(pods, { namespace, name }, { uid, graceSeconds: index % 3 === 0 ? 0 : 30 });
        if (index % 3 === 0) await pair.virtual.create(pods, podOf(name));
      }),
    );
    const count = (await podsOf('host')).length;
    await killAt((left) => left < count);
    await killAt((left) => left < count - doomed.length / 2);
    await deleting;
    await pair.syncer.ready();
    const former = new Set(doomed.map(({ metadata }) => metadata.uid));
    await until(
      'deleted pods to go',
      async () => !(await podsOf('virtual')).some(({ metadata }) => former.has(metadata.uid)),
      60_000,
    );
    await converged();
    await until('tokens of deleted pods to be collected', async () => expectOneToOne().then(() => true));
    const before = await census(pair);
    await secondLook(pair);
    expect(await census(pair)).toEqual(before);
  });
});

describe.each(['virtual', 'host'] as const)('the %s API server is killed and comes back', (side) => {
  test('what happened on the other side meanwhile gets through, and nothing is lost [F09] [OPS-09, OPS-10]', async () => {
    const plane = side === 'host' ? pair.hostPlane : pair.virtualPlane;
    const survivors = (await podsOf('virtual')).map(({ metadata }) => metadata.uid);
    const [victim] = (await podsOf('host')).filter(({ metadata }) => metadata.name.startsWith('burst-'));
    await crash(plane);
    if (side === 'host') await pair.virtual.create(pods, podOf('while-host-was-away'));
    else
      await pair.host.remove(
        pods,
        { namespace: hostNamespace, name: victim?.metadata.name ?? '' },
        { uid: victim?.metadata.uid ?? '', graceSeconds: 0 },
      );
    await plane.start('kube-apiserver');
    await plane.waitReady();

    if (side === 'host')
      await eventually(
        'the new pod',
        () => pair.host.get(pods, { namespace: hostNamespace, name: hostNameOf('while-host-was-away') }),
        60_000,
      );
    else
      await until(
        'the pod deleted on the host to go',
        async () =>
          !(await podsOf('virtual')).some(
            ({ metadata }) => metadata.uid === victim?.metadata.annotations?.[virtualUid],
          ),
        60_000,
      );
    await converged();
    await until('one host pod for each', async () => expectOneToOne().then(() => true));
    const left = new Set((await podsOf('virtual')).map(({ metadata }) => metadata.uid));
    expect(survivors.filter((uid) => !left.has(uid))).toHaveLength(side === 'host' ? 0 : 1);
  });
});

describe('tokens of pods [D12]', () => {
  test('reach the host in a Secret of the host pod, and are good for the virtual API server and nothing else [POD-111, POD-112, POD-114, POD-117, F66]', async () => {
    const pod = await pair.virtual.create(pods, podOf('with-token'));
    const name = `vc-token-${pod.metadata.uid}`;
    const secret = (await eventually('the Secret', () =>
      pair.host.get(secrets, { namespace: hostNamespace, name }),
    )) as Secret;
    const hostPod = await pair.host.get(pods, { namespace: hostNamespace, name: hostNameOf('with-token') });
    expect(secret.metadata.ownerReferences).toEqual([
      expect.objectContaining({ kind: 'Pod', uid: hostPod?.metadata.uid }),
    ]);
    const volume = JSON.stringify((hostPod as Pod).spec.volumes);
    expect(volume).toContain(name);
    expect(volume).not.toContain('serviceAccountToken');

    const [token = ''] = Object.values(secret.data ?? {}).map((text) => Buffer.from(text, 'base64').toString());
    expect(JSON.stringify([hostPod, secret.metadata])).not.toContain(token);
    expect(await bearerOf(token, pair.virtualPlane)).toBe(`system:serviceaccount:${namespace}:default`);
    await expect(bearerOf(token, pair.hostPlane)).rejects.toMatchObject({ status: 401 });
    // Bound to the pod: with it the token ends. The default mount gets a day.
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
    expect(claims['kubernetes.io'].pod.uid).toBe(pod.metadata.uid);
    expect(claims.exp - claims.iat).toBe(24 * 3600);

    await pair.virtual.remove(
      pods,
      { namespace, name: 'with-token' },
      { uid: pod.metadata.uid ?? '', graceSeconds: 0 },
    );
    await until(
      'the Secret to be collected',
      async () => (await pair.host.get(secrets, { namespace: hostNamespace, name })) === undefined,
    );
  });
});

interface Claims {
  readonly exp: number;
  readonly iat: number;
  readonly 'kubernetes.io': { readonly pod: { readonly uid: string } };
}

/** Who an API server takes the bearer of a token for. */
async function bearerOf(token: string, { url, pki }: Pair['hostPlane']): Promise<string | undefined> {
  const client = new Client('virtual', {
    url: new URL(url),
    ca: () => readFileSync(pki.caCert, 'utf8'),
    credentials: () => ({ token }),
  });
  return whoIs(client);
}
