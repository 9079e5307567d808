/**
 * Crashes of a running virtual cluster, on a real node: any container of its pod is killed, and afterwards both sides are as they
 * were. Nothing is lost, nothing is there twice, and once it has converged the syncer writes nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../scripts/lib/command.ts';
import { findHost, hostProblem, provideImage } from '../scripts/lib/host.ts';
import { Inside } from '../scripts/lib/inside.ts';
import type { Kubectl, KubernetesObject } from '../scripts/lib/kubectl.ts';
import { root } from '../scripts/lib/stack.ts';
import { deployApplication, fetchByName, greeting, pairPods } from '../scripts/lib/story-inside.ts';
import { killContainer, resolveBinary } from '../testbed/index.ts';
import { until } from './support/eventually.ts';

const given = process.env['HOST_KUBECONFIG'] ? 'containers of a given cluster are not ours to kill' : undefined;
const problem = given ?? hostProblem();
const team = { name: 'kill', namespace: 'kill' } as const;
const log = (line: string): void => void process.stderr.write(`${line}\n`);
/** No event says that a node has nothing more to report; so long a silence does. */
const quietMs = 4_000;
const managed = 'vcluster.loft.sh/managed-by=kill';

interface ContainerStatus {
  readonly name: string;
  readonly containerID: string;
  readonly restartCount: number;
  readonly ready: boolean;
}

let folder: string;
let helm: string;
let host: Kubectl;
let inside: Inside;

async function containers(): Promise<readonly ContainerStatus[]> {
  const pod = await host.tryGet('pod', `${team.name}-0`, team.namespace);
  const status = (pod?.status ?? {}) as Readonly<Record<string, readonly ContainerStatus[] | undefined>>;
  return [...(status['initContainerStatuses'] ?? []), ...(status['containerStatuses'] ?? [])];
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
    return restartCount > before.restartCount && ready && (await containers()).every(isServing);
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

describe.skipIf(problem !== undefined)(`crashes${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kill-'));
    const found = await findHost(process.env['KUBECTL'] ?? (await resolveBinary('kubectl', log)), log);
    await provideImage(found, log);
    host = found.kubectl;
    helm = await resolveBinary('helm', log);
    const target = ['-n', team.namespace, '--kubeconfig', host.kubeconfig];
    await run(helm, [
      'upgrade',
      '--install',
      team.name,
      join(root, 'chart'),
      ...target,
      '--create-namespace',
      '--wait',
    ]);
    inside = await Inside.open(host, team, join(folder, 'kubeconfig'));
    await deployApplication(inside.kubectl);
  });

  afterAll(async () => {
    await inside?.[Symbol.asyncDispose]();
    if (host !== undefined) await host.run(['delete', 'namespace', team.namespace, '--ignore-not-found']);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('a syncer killed while nothing changes comes back and writes nothing [I2]', async () => {
    const before = await settledVersions();
    await crash('syncer');
    expect(await everyVersion()).toEqual(before);
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
});
