/**
 * Crashes of a running virtual cluster, on a real node: any container of its pod is killed, and afterwards both sides are as they
 * were. Nothing is lost, nothing is there twice, and once it has converged the syncer writes nothing. In the end it is told to stop.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../scripts/lib/host.ts';
import { Inside } from '../scripts/lib/inside.ts';
import type { Kubectl, KubernetesObject } from '../scripts/lib/kubectl.ts';
import { deployApplication, fetchByName, greeting, pairPods } from '../scripts/lib/story-inside.ts';
import { killContainer } from '../testbed/index.ts';
import { eventually, until } from './support/eventually.ts';
import { installCluster } from './support/installed.ts';
import type { InstalledCluster } from './support/installed.ts';

const given = process.env['HOST_KUBECONFIG'] ? 'containers of a given cluster are not ours to kill' : undefined;
const problem = given ?? hostProblem();
const team = { name: 'kill', namespace: 'kill' } as const;
/** No event says that a node has nothing more to report; so long a silence does. */
const quietMs = 4_000;
/** What a container's exit code is when the kubelet's patience was at an end. */
const ofSigkill = 137;
const managed = 'vcluster.loft.sh/managed-by=kill';

interface ContainerStatus {
  readonly name: string;
  readonly containerID: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: { readonly terminated?: { readonly exitCode: number } };
}

let folder: string;
let installed: InstalledCluster;
let host: Kubectl;
let inside: Inside;

async function containers(): Promise<readonly ContainerStatus[]> {
  const pod = await host.tryGet('pod', `${team.name}-0`, team.namespace);
  const status = (pod?.status ?? {}) as Readonly<Record<string, readonly ContainerStatus[] | undefined>>;
  return [...(status['initContainerStatuses'] ?? []), ...(status['containerStatuses'] ?? [])];
}

/** By container, once all of them have ended. */
async function exitCodes(): Promise<Readonly<Record<string, number>> | undefined> {
  const all = await containers();
  const ends = all.flatMap(({ name, state: { terminated } }) =>
    terminated === undefined ? [] : [[name, terminated.exitCode] as const],
  );
  return ends.length > 0 && ends.length === all.length ? Object.fromEntries(ends) : undefined;
}

async function find(name: string): Promise<ContainerStatus> {
  const found = (await containers()).find((container) => container.name === name);
  if (found === undefined) throw new Error(`pod ${team.name}-0 has no container ${name}`);
  return found;
}

/** Running and ready, or an init container that has done its work. */
function isServing({ name, ready }: ContainerStatus): boolean {
  return ready || name === 'pki';
}

/** Kills a container and waits until it has been started again and the whole pod is ready. */
async function crash(name: string): Promise<void> {
  const before = await find(name);
  await killContainer(before.containerID.replace('containerd://', ''));
  const isBack = async (): Promise<boolean> => {
    const { restartCount, ready } = await find(name);
    if (!(restartCount > before.restartCount && ready && (await containers()).every(isServing))) return false;
    // An API server stays ready for a while after it has lost its etcd, and then says so here.
    return (await inside.kubectl.attempt(['get', '--raw', '/readyz'])).exitCode === 0;
  };
  // The kubelet waits longer before each restart of a container that keeps ending.
  await until(`${name} to serve again`, isBack, 120_000);
}

function versions(objects: readonly KubernetesObject[]): readonly string[] {
  return objects.map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.uid}`).toSorted();
}

/** Which objects there are on both sides, by identity. */
async function everything(): Promise<readonly string[]> {
  const synced = await host.list('pods,services,configmaps,secrets', team.namespace, managed);
  const own = await inside.kubectl.list(
    'pods,services,configmaps,secrets,deployments.apps,replicasets.apps',
    'default',
  );
  return [...versions(synced), ...versions(own)];
}

/** The same with resource versions: they change with every write. */
async function everyVersion(): Promise<readonly string[]> {
  const synced = await host.list('pods,services,configmaps,secrets', team.namespace, managed);
  const own = await inside.kubectl.list('pods,services,configmaps,secrets', 'default');
  return [...synced, ...own].map(({ kind, metadata }) => `${kind} ${metadata.name} ${metadata.resourceVersion}`);
}

/** Every version once the node has reported all it had to: a kubelet writes a new pod's last status a moment after it is ready. */
async function settledVersions(): Promise<readonly string[]> {
  for (let before = await everyVersion(); ;) {
    await sleep(quietMs);
    const now = await everyVersion();
    if (isDeepStrictEqual(now, before)) return now;
    before = now;
  }
}

/** What the node says of the pods; nobody else writes it. */
async function reports(): Promise<readonly unknown[]> {
  const pods = await host.list('pods', team.namespace, managed);
  return pods.map(({ metadata, status }) => [metadata.name, status]);
}

/** Versions before and after a crash of the syncer in which the node had nothing to say; if it has, there is something to write. */
async function versionsAroundCrash(): Promise<{
  readonly before: readonly string[];
  readonly after: readonly string[];
}> {
  for (;;) {
    // First of all, so that news of the node meanwhile are noticed.
    const reported = await reports();
    const before = await settledVersions();
    await crash('syncer');
    const after = await everyVersion();
    if (isDeepStrictEqual(await reports(), reported)) return { before, after };
  }
}

describe.skipIf(problem !== undefined)(`crashes${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kill-'));
    installed = await installCluster(team);
    host = installed.kubectl;
    inside = await Inside.open(host, team, join(folder, 'kubeconfig'));
    await deployApplication(inside.kubectl);
  });

  afterAll(async () => {
    await inside?.[Symbol.asyncDispose]();
    await installed?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('a syncer killed while nothing changes comes back and writes nothing [I2]', async () => {
    const { before, after } = await versionsAroundCrash();
    expect(after).toEqual(before);
  });

  test.each(['kube-controller-manager', 'kube-apiserver', 'etcd'])(
    'killing %s loses nothing and doubles nothing [F09]',
    async (name) => {
      const before = await everything();
      await crash(name);
      expect(await everything()).toEqual(before);
      expect(await fetchByName(inside.kubectl, 'http://web/index.html')).toContain(greeting);
    },
  );

  test('a syncer killed in the middle of a change finishes it [F01]', async () => {
    await inside.kubectl.run(['scale', 'deployment/web', '--replicas=6']);
    await crash('syncer');
    await inside.kubectl.run(['rollout', 'status', 'deployment/web', '--timeout=120s']);
    expect(await pairPods(inside.kubectl, host, team)).toHaveLength(7);
    expect(await host.list('pods', team.namespace, `${managed},app=web`)).toHaveLength(6);
  });

  test('told to stop, each component ends by itself, and none has to be killed', async () => {
    const pod = ['pod', `${team.name}-0`, '-n', team.namespace];
    // Keeps the pod after its end, so that it can be looked at.
    await host.run(['patch', ...pod, '-p', '{"metadata":{"finalizers":["test.example.com/seen"]}}']);
    // How they end is what is looked at, not how fast that goes on a busy machine: they end one after the other.
    await host.run(['delete', ...pod, '--wait=false', '--grace-period=120']);
    const ended = await eventually('all containers to have ended', exitCodes, 180_000);
    await host.run(['patch', ...pod, '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    expect(Object.keys(ended)).toEqual(expect.arrayContaining(['syncer', 'etcd', 'kube-apiserver']));
    expect(Object.entries(ended).filter(([, exitCode]) => exitCode === ofSigkill)).toEqual([]);
  });
});
