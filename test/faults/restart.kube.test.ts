/**
 * API servers and their stores are killed, come late, or come back empty, and the host namespace is taken away, while a tenant works.
 * The auditor looks on. FAULTS=long tries every combination; SEED=<n> varies the load.
 */
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, namespaces, pods, services } from '../../syncer/model/kubernetes.ts';
import { Api } from '../../testbed/api.ts';
import type { Component, ControlPlane } from '../../testbed/index.ts';
import { isFree } from '../../testbed/ports.ts';
import { makeNamespace } from '../support/namespaces.ts';
import { until } from '../support/eventually.ts';
import { hostNamespace, releaseName } from '../support/pair.ts';
import { randomFrom } from '../support/random.ts';
import { burst, clear, whileChurning } from './crash-churn.ts';
import { form, isLong, patience, seed, startStage } from './crash-stage.ts';
import type { Stage } from './crash-stage.ts';

const random = randomFrom(seed);
const namespace = 'restart';

let stage: Stage;

beforeAll(async () => {
  stage = await startStage('restart');
  await makeNamespace(stage.pair, namespace);
});

afterAll(() => stage?.stop());

type Sides = 'host' | 'virtual' | 'both';

function planesOf(which: Sides): readonly ControlPlane[] {
  const { hostPlane, virtualPlane } = stage.pair;
  return { host: [hostPlane], virtual: [virtualPlane], both: [hostPlane, virtualPlane] }[which];
}

/** Kills at once and waits until the port is free: threads may outlive a process by a moment. */
async function crash(plane: ControlPlane, components: readonly Component[]): Promise<void> {
  for (const component of components) await plane.stop(component, 'SIGKILL');
  const { hostname, port } = new URL(plane.url);
  if (components.includes('kube-apiserver')) await until('the port to be free', () => isFree(Number(port), hostname));
}

async function comeBack(plane: ControlPlane, components: readonly Component[]): Promise<void> {
  for (const component of components) await plane.start(component);
  await plane.waitReady();
}

const everything: readonly Component[] = ['kube-controller-manager', 'kube-apiserver', 'etcd'];

/** On whatever data there is now. The controller manager ends when its rights are not there yet. */
async function startVirtual(plane: ControlPlane): Promise<void> {
  await plane.start('etcd');
  await plane.start('kube-apiserver');
  const api = await Api.fromKubeconfig(plane.kubeconfigPath);
  await until('the API server to be ready', () => api.answers('/readyz'), 60_000).finally(() => api.close());
  await plane.start('kube-controller-manager');
  await plane.waitReady();
}

/** A person decides to go on with the store as it is. */
async function acceptStore(): Promise<void> {
  const { host, virtual } = stage.pair;
  const found = await virtual.get(namespaces, { namespace: '', name: 'kube-system' });
  const annotations = { 'vcluster.loft.sh/accept-virtual-store': found?.metadata.uid };
  const service = { namespace: hostNamespace, name: releaseName };
  await host.patch(services, service, { metadata: { annotations } });
}

/** UIDs of the tenant's host pods. */
async function hostPods(): Promise<readonly string[]> {
  const { items } = await stage.pair.host.list(pods, { namespace: hostNamespace }, AbortSignal.timeout(10_000));
  return items.map(({ metadata: { uid = '' } }) => uid).toSorted();
}

async function readiness(): Promise<string> {
  const response = await fetch(stage.pair.syncer.readyUrl).catch(() => undefined);
  return response === undefined ? 'no answer' : `${response.status} ${await response.text()}`;
}

describe(`starts that fail [OPS-05] (${form})`, { timeout: patience }, () => {
  test.each([
    ['there is no such release', { name: 'nobody' }, 'is the release "nobody" installed here?'],
    ['the keys are missing', { pki: '/nowhere' }, '/nowhere'],
    ['the way to the host is missing', { hostKubeconfig: '/nowhere/kubeconfig' }, '/nowhere/kubeconfig'],
  ])('%s: the process ends with an error that says so [OPS-05]', async (_, changes, says) => {
    const other = stage.pair.syncer.twin(`failing-${Object.keys(changes).join()}`, changes);
    await other.launch();
    await other.ended();
    expect(other.end?.code).toBe(1);
    expect(await readFile(other.logFile, 'utf8')).toContain(says);
  });
});

describe(`API servers and stores (${form})`, { timeout: patience }, () => {
  test('the syncer starts before the virtual API: it waits, and nothing is taken for deleted [F11] [OPS-01, OPS-09]', async () => {
    const { syncer, virtualPlane } = stage.pair;
    await burst(stage.pair, namespace, 5, 'early');
    await stage.audit();
    const before = await hostPods();
    await syncer.stop();
    await crash(virtualPlane, ['kube-apiserver']);
    await syncer.launch();
    const waits = async (): Promise<boolean> => /^503 .*virtual API/.test(await readiness());
    await until('it to wait for the virtual API', waits, 60_000);
    await syncer.stop();
    expect(syncer.end).toEqual({ code: 0, signal: null });
    await syncer.launch();
    await until('it to wait again', waits, 60_000);
    await comeBack(virtualPlane, ['kube-apiserver']);
    await syncer.ready();
    await stage.audit();
    expect(await hostPods()).toEqual(before);
    const log = (await readFile(syncer.logFile, 'utf8')).trimEnd().split('\n').slice(-400).join('\n');
    const order = [...log.matchAll(/"what":"([^"]+)"/g)].map(([, what]) => what);
    const last = order.slice(order.lastIndexOf('host API'));
    expect(last.slice(0, 3)).toEqual(['host API', 'virtual API', 'caches']);
    await clear(stage.pair, namespace);
  });

  const outages: readonly (readonly [Sides, boolean])[] = [
    ['host', false],
    ['both', true],
    ['virtual', true],
    ['host', true],
    ['virtual', false],
    ['both', false],
  ];
  test.each(isLong ? outages : outages.slice(0, 2))(
    '%s killed under load (with etcd: %s): all goes on when it is back, and the syncer lives on [F09] [OPS-09, OPS-10] [I1, I4, I6]',
    async (which, withStore) => {
      const { syncer } = stage.pair;
      const { pid } = syncer;
      const components: readonly Component[] = withStore ? ['etcd', 'kube-apiserver'] : ['kube-apiserver'];
      await whileChurning(stage.pair, { namespace, random, perSecond: 10 }, async () => {
        await sleep(500);
        await Promise.all(planesOf(which).map((plane) => crash(plane, components)));
        await sleep(isLong ? 20_000 : 1_000);
        // Neither side's absence is a reason to be started again.
        expect((await fetch(syncer.healthUrl)).status).toBe(200);
        await Promise.all(planesOf(which).map((plane) => comeBack(plane, components)));
      });
      const { agreedAfterMs } = await stage.audit();
      process.stderr.write(
        `F09: ${which} away, with etcd: ${withStore}: both sides agreed ${agreedAfterMs} ms after its return\n`,
      );
      expect(syncer.pid).toBe(pid);
      await clear(stage.pair, namespace);
      await stage.audit({ quietMs: 200 });
    },
  );

  test.each<Sides>(isLong ? ['virtual', 'host'] : ['virtual'])(
    'etcd of the %s killed in the middle of a burst: nothing is taken for done that is not [F10]',
    async (which) => {
      // What the tenant's own requests meet is the tenant's business.
      const loading = Promise.allSettled(
        Array.from({ length: 30 }, (_, index) => burst(stage.pair, namespace, 1, `store-${index}`)),
      );
      const [plane] = planesOf(which);
      if (plane === undefined) throw new Error('unreachable');
      await until('a part of it to be on the host', async () => (await hostPods()).length > 5, 60_000);
      await crash(plane, ['etcd']);
      await sleep(isLong ? 10_000 : 1_000);
      await comeBack(plane, ['etcd']);
      await loading;
      expect(await stage.audit()).toMatchObject({ ok: true });
      await clear(stage.pair, namespace);
      await stage.audit({ quietMs: 200 });
    },
  );
});

describe(`what is lost for good (${form})`, { timeout: patience }, () => {
  test('the virtual store is set back under a running syncer: it ends, the next one waits, and nothing is deleted until a person decides [F18, F19] [OPS-08, OPS-24]', async () => {
    const { syncer, virtualPlane, virtual } = stage.pair;
    const [data, earlier] = ['etcd-data', 'etcd-data-earlier'].map((name) => join(virtualPlane.dir, name));
    await burst(stage.pair, namespace, 3, 'old');
    await stage.audit();
    const old = await hostPods();
    await crash(virtualPlane, ['etcd']);
    await cp(data ?? '', earlier ?? '', { recursive: true });
    await comeBack(virtualPlane, ['etcd']);
    // More than the control plane writes by itself until it is looked at again: else the store would seem to go on.
    for (let index = 0; index < 300; index++)
      await virtual.create(configMaps, { metadata: { namespace, name: `filling-${index}` } });
    await burst(stage.pair, namespace, 3, 'newer');
    await stage.audit();
    const before = await hostPods();
    await crash(virtualPlane, everything);
    await rm(data ?? '', { recursive: true });
    await rename(earlier ?? '', data ?? '');
    await startVirtual(virtualPlane);

    await syncer.ended();
    expect(syncer.end?.code).toBe(1);
    expect(await hostPods()).toEqual(before);
    await syncer.launch();
    const told = async (): Promise<boolean> =>
      (await readFile(syncer.logFile, 'utf8')).includes('The virtual backing store has gone back');
    await until('it to say what is wrong', told, 60_000);
    expect(await readiness()).toMatch(/^503 .*backing store/);
    expect(await hostPods()).toEqual(before);

    await acceptStore();
    await syncer.ready();
    await until('what the store does not have to go', async () => (await hostPods()).join() === old.join(), 60_000);
    expect(await stage.audit()).toMatchObject({ ok: true });
    await clear(stage.pair, namespace);
  });

  test('the virtual store comes back empty: the syncer stops and says so, nothing on the host is deleted until a person decides [F12] [OPS-08]', async () => {
    const { syncer, virtualPlane } = stage.pair;
    await burst(stage.pair, namespace, 8, 'kept');
    await stage.audit();
    const before = await hostPods();
    await crash(virtualPlane, everything);
    await rm(join(virtualPlane.dir, 'etcd-data'), { recursive: true });
    await startVirtual(virtualPlane);

    // It has noticed, or not; either way nothing is deleted, nor by the next start.
    await sleep(isLong ? 60_000 : 1_500);
    expect(syncer.end?.code).not.toBe(0);
    expect(await hostPods()).toEqual(before);
    await syncer.stop();
    await syncer.launch();
    const told = async (): Promise<boolean> =>
      (await readFile(syncer.logFile, 'utf8')).includes('The virtual backing store is not the one');
    await until('it to say what is wrong', told, 60_000);
    expect(await readiness()).toMatch(/^503 .*backing store/);
    expect(await hostPods()).toEqual(before);

    await acceptStore();
    await syncer.ready();
    expect(await stage.audit()).toMatchObject({ ok: true });
    expect((await hostPods()).filter((uid) => before.includes(uid))).toEqual([]);
  });

  test('the host namespace is deleted: nothing is made again, and there is no storm [F13] [I9]', async () => {
    const { syncer, host } = stage.pair;
    await makeNamespace(stage.pair, 'last');
    await burst(stage.pair, 'last', 5);
    const { counts } = await stage.audit();
    const key = { namespace: '', name: hostNamespace };
    const { uid = '' } = (await host.get(namespaces, key))?.metadata ?? {};
    await host.remove(namespaces, key, { uid });
    await until('the namespace to be gone', async () => (await host.get(namespaces, key)) === undefined, 60_000);
    const before = (await stage.report({ withinMs: 0 })).writesOfSyncer;
    await sleep(isLong ? 60_000 : 3_000);
    const { writesOfSyncer, counts: after, problems } = await stage.report({ withinMs: 0 });
    process.stderr.write(`F13: ${Number(writesOfSyncer) - Number(before)} writes tried after the namespace was gone\n`);
    expect(after).toMatchObject({ pods: { added: counts['pods']?.added } });
    expect(problems.filter(({ invariant }) => invariant === 'I9')).toEqual([]);
    expect(syncer.end?.code).not.toBe(0);
  });
});
