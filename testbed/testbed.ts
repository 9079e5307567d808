/**
 * One testbed per machine: a host control plane with either a real node or kwok nodes.
 * Invariants: `up` twice is one testbed; what a crash left is removed by the next `up` or `down`; after `down` nothing
 * of it is left but the cache. With HOST_KUBECONFIG a given cluster is the host: it is looked at, never changed.
 */
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { installAddons } from './addons.ts';
import { Api } from './api.ts';
import { resolveBinaries } from './binaries.ts';
import {
  type ControlPlane,
  controlPlanePrograms,
  startControlPlane,
  stopControlPlane,
  tryFindControlPlane,
} from './control-plane.ts';
import { ensureNodePackages } from './debian.ts';
import { checkGivenHost } from './given-host.ts';
import { ensureImages } from './images.ts';
import { tryReadJson, writeJson } from './json-file.ts';
import { startKwok } from './kwok.ts';
import { withLock } from './lock.ts';
import { type Log, seconds, step } from './log.ts';
import { addresses } from './machine.ts';
import { importImage, isNodeRunning, nodePrograms, startContainerRuntime, startKubelet, stopNode } from './node.ts';
import { cacheDir, controlPlanesDir, stateDir } from './paths.ts';
import { isFree } from './ports.ts';
import { running, waitUntil } from './processes.ts';

const hostDir = join(stateDir, 'host');
const stateFile = join(hostDir, 'testbed.json');
const lockFile = join(cacheDir, 'testbed.lock');
const apiPort = 6443;
const answerTimeoutMs = 60_000;

/** `real`: kubelet and containers, needs root on Linux. `kwok`: API servers only, pods become Running by themselves. */
export type Nodes = 'real' | 'kwok';

/** A testbed that is up. */
export interface Testbed {
  /** Path of a kubeconfig with cluster-admin rights. */
  readonly kubeconfig: string;
  /** `given`: HOST_KUBECONFIG named the cluster. */
  readonly nodes: Nodes | 'given';
}

/** Brings a testbed up, or finds the one that is up. A testbed with the other kind of nodes is replaced. */
export async function up({ nodes, log }: { readonly nodes: Nodes; readonly log: Log }): Promise<Testbed> {
  const given = process.env['HOST_KUBECONFIG'];
  if (given !== undefined && given !== '') {
    await checkGivenHost(given, log);
    return { kubeconfig: given, nodes: 'given' };
  }
  if (nodes === 'real') refuseUnlessNodePossible();
  return withLock(lockFile, log, async () => {
    const found = await find();
    if (found?.nodes === nodes) {
      log(`Testbed with ${nodes} nodes is up already`);
      return found;
    }
    return start(nodes, log);
  });
}

/** The testbed that is up and healthy; undefined when there is none. */
export async function status(): Promise<Testbed | undefined> {
  const given = process.env['HOST_KUBECONFIG'];
  return given !== undefined && given !== '' ? { kubeconfig: given, nodes: 'given' } : find();
}

/** Removes the testbed, or what is left of one, and the control planes of API-level tests that crashed. */
export async function down({ log }: { readonly log: Log }): Promise<void> {
  await withLock(lockFile, log, () =>
    step(log, 'Testbed removed', async () => {
      await clean();
      await stopControlPlane(controlPlanesDir);
      await rm(controlPlanesDir, { recursive: true, force: true });
      // Stays when it is not the testbed's alone, e.g. a disk that somebody mounted there.
      await rmdir(stateDir).catch(() => undefined);
    }),
  );
}

async function start(nodes: Nodes, log: Log): Promise<Testbed> {
  const startedMs = Date.now();
  await clean();
  const plane = nodes === 'real' ? await startReal(log) : await startWithKwok(log);
  // Written last: a testbed without it is one that was not finished.
  await writeJson(stateFile, { nodes });
  log(`Testbed with ${nodes} nodes is up after ${seconds(startedMs)}`);
  return { kubeconfig: plane.kubeconfigPath, nodes };
}

async function startReal(log: Log): Promise<ControlPlane> {
  await resolveBinaries([...controlPlanePrograms, ...nodePrograms], log);
  await ensureNodePackages(log);
  const archives = await ensureImages(log);
  await startContainerRuntime(log);
  const imported = step(log, `${archives.length} images imported`, async () => {
    for (const archive of archives) await importImage(archive);
  });
  const [plane] = await Promise.all([startHost(addresses.node, log), imported]);
  await step(log, 'Node is Ready', () => startKubelet(plane, log));
  await step(log, 'Cluster DNS and default StorageClass', () => installAddons(plane.kubeconfigPath, plane.dir));
  return plane;
}

async function startWithKwok(log: Log): Promise<ControlPlane> {
  await resolveBinaries([...controlPlanePrograms, 'kwok'], log);
  const plane = await startHost('127.0.0.1', log);
  await startKwok({ kubeconfigPath: plane.kubeconfigPath, dir: plane.dir, log });
  return plane;
}

async function startHost(bindAddress: string, log: Log): Promise<ControlPlane> {
  // The usual port where it is free: another cluster of this machine may serve it on all addresses.
  const port = (await isFree(apiPort, bindAddress)) ? apiPort : undefined;
  return startControlPlane({
    dir: hostDir,
    role: 'host',
    serviceCidr: addresses.services,
    scheduler: true,
    bindAddress,
    port,
    log,
  });
}

async function find(): Promise<Testbed | undefined> {
  const state = await tryReadJson<{ readonly nodes: Nodes }>(stateFile);
  const plane = await tryFindControlPlane(hostDir, () => undefined);
  if (state === undefined || plane === undefined) return undefined;
  const nodesRun = state.nodes === 'real' ? await isNodeRunning() : (await running(hostDir, 'kwok')) !== undefined;
  return nodesRun && (await answers(plane)) ? { kubeconfig: plane.kubeconfigPath, nodes: state.nodes } : undefined;
}

/** While its programs run, an API server that is slow to answer is a busy one: nobody's testbed is removed for that. */
async function answers({ kubeconfigPath }: ControlPlane): Promise<boolean> {
  const api = await Api.fromKubeconfig(kubeconfigPath);
  const of = { dir: hostDir, name: 'kube-apiserver', timeoutMs: answerTimeoutMs };
  return waitUntil('the API server', () => api.answers('/readyz'), of)
    .then(
      () => true,
      () => false,
    )
    .finally(() => api.close());
}

async function clean(): Promise<void> {
  // The mark of a testbed that is up goes first, so that one that is half removed is not taken for one that is up.
  await rm(stateFile, { force: true });
  if (process.getuid?.() === 0) await stopNode();
  await stopControlPlane(hostDir);
  await rm(hostDir, { recursive: true, force: true });
}

function refuseUnlessNodePossible(): void {
  const needs = 'A real node needs root on Linux (containers, iptables, mounts)';
  const instead =
    'or use API servers alone (npm run testbed -- up --nodes kwok), or a cluster you have (HOST_KUBECONFIG=/path)';
  if (process.platform !== 'linux')
    throw new Error(`${needs}, and this is ${process.platform}. Run it in a Linux machine, ${instead}`);
  if (process.getuid?.() !== 0)
    throw new Error(
      `${needs}, and this is uid ${process.getuid?.()}. Run it as root: sudo -E npm run testbed -- up, ${instead}`,
    );
}
