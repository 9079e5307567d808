/**
 * One real node on this machine: containerd, kubelet, kube-proxy and a pod network, beside a host control plane.
 * Invariant: everything it starts or mounts is below the testbed's folders and cgroup, so `stopNode` finds all of it
 * without help from any program that may have crashed.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Api } from './api.ts';
import { resolveBinaries, resolveBinary } from './binaries.ts';
import { createPodCgroup, removePodCgroup, unmountBelow } from './cgroups.ts';
import { command } from './command.ts';
import { issueKubeconfig } from './control-plane-pki.ts';
import type { ControlPlane } from './control-plane.ts';
import { writeJson } from './json-file.ts';
import { type Log, silent } from './log.ts';
import {
  cniConfig,
  containerdConfig,
  containerdSocket,
  kubeletConfig,
  kubeProxyConfig,
  nodeName,
} from './node-config.ts';
import { addresses, prepareMachine, restoreMachine } from './machine.ts';
import { runDir, stateDir } from './paths.ts';
import type { ProgramName } from './pins.ts';
import { running, startProcess, stopProcess, sweep, waitUntil } from './processes.ts';

const nodeDir = join(stateDir, 'node');
const programs = ['containerd', 'kubelet', 'kube-proxy'] as const;
const readyTimeoutMs = 120_000;

/** Programs that a real node needs. */
export const nodePrograms: readonly ProgramName[] = [...programs, 'containerd-shim-runc-v2', 'ctr'];

/** Gives the machine its node address and starts containerd, so that images can be imported. */
export async function startContainerRuntime(log: Log): Promise<void> {
  await prepareMachine();
  await mkdir(join(nodeDir, 'cni'), { recursive: true });
  await mkdir(runDir, { recursive: true });
  await createPodCgroup();
  await writeFile(join(nodeDir, 'containerd.toml'), containerdConfig(nodeDir));
  await writeJson(join(nodeDir, 'cni', '10-pods.conflist'), cniConfig(nodeDir));
  const path = await resolveBinaries(nodePrograms, log);
  const args = ['--config', join(nodeDir, 'containerd.toml')];
  const folders = [...new Set([dirname(path('containerd-shim-runc-v2')), dirname(path('ctr'))])];
  const env = { PATH: [...folders, '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':') };
  await startProcess({ dir: nodeDir, name: 'containerd', command: path('containerd'), args, env });
  await waitUntil('containerd', containerdAnswers, { dir: nodeDir, name: 'containerd', timeoutMs: readyTimeoutMs });
}

/** Makes the images of an archive (docker-archive or OCI) available to pods of the real node. */
export async function importImage(archivePath: string): Promise<void> {
  await ctr(['images', 'import', '--local', archivePath]);
}

/** Ends the process of a container of the real node as a crash would; `id` as in a pod's status, without `containerd://`. */
export async function killContainer(id: string): Promise<void> {
  await ctr(['tasks', 'kill', '--signal', 'SIGKILL', id]);
}

/** Starts kubelet and kube-proxy and waits until the node is Ready. */
export async function startKubelet(plane: ControlPlane, log: Log): Promise<void> {
  const path = await resolveBinaries(['kubelet', 'kube-proxy'], log);
  const by = { server: plane.url, pki: plane.pki };
  const [kubelet, proxy] = await Promise.all([
    issueKubeconfig(nodeDir, 'kubelet', {
      ...by,
      leaf: { commonName: `system:node:${nodeName}`, organization: 'system:nodes' },
    }),
    issueKubeconfig(nodeDir, 'kube-proxy', { ...by, leaf: { commonName: 'system:kube-proxy' } }),
  ]);
  await writeJson(join(nodeDir, 'kubelet.json'), kubeletConfig(nodeDir, plane.pki.caCert));
  await writeJson(join(nodeDir, 'kube-proxy.json'), kubeProxyConfig(proxy));
  const kubeletArgs = [
    `--config=${join(nodeDir, 'kubelet.json')}`,
    `--kubeconfig=${kubelet}`,
    `--hostname-override=${nodeName}`,
    `--node-ip=${addresses.node}`,
    `--root-dir=${join(nodeDir, 'kubelet')}`,
    `--cert-dir=${join(nodeDir, 'kubelet-pki')}`,
  ];
  await startProcess({ dir: nodeDir, name: 'kubelet', command: path('kubelet'), args: kubeletArgs });
  const proxyArgs = [`--config=${join(nodeDir, 'kube-proxy.json')}`];
  await startProcess({ dir: nodeDir, name: 'kube-proxy', command: path('kube-proxy'), args: proxyArgs });
  await waitForNode(plane.kubeconfigPath);
}

/** Whether all programs of the node run. */
export async function isNodeRunning(): Promise<boolean> {
  const found = await Promise.all(programs.map((name) => running(nodeDir, name)));
  return found.every((identity) => identity !== undefined);
}

/** Stops the node and puts the machine back as it was; works after a crash at any moment, and when nothing is there. */
export async function stopNode(): Promise<void> {
  // The kubelet first, or it would start anew what is ended after it.
  await stopProcess(nodeDir, 'kubelet', 'SIGKILL');
  await stopProcess(nodeDir, 'kube-proxy', 'SIGKILL');
  await stopProcess(nodeDir, 'containerd');
  await sweep(nodeDir, 'SIGKILL');
  await removePodCgroup();
  await unmountBelow([nodeDir, runDir]);
  await restoreMachine();
  await rm(nodeDir, { recursive: true, force: true });
  await rm(runDir, { recursive: true, force: true });
}

async function ctr(args: readonly string[]): Promise<void> {
  await command(await resolveBinary('ctr', silent), ['--address', containerdSocket, '--namespace', 'k8s.io', ...args]);
}

async function containerdAnswers(): Promise<boolean> {
  try {
    await ctr(['version']);
    return true;
  } catch {
    return false;
  }
}

async function waitForNode(kubeconfigPath: string): Promise<void> {
  const api = await Api.fromKubeconfig(kubeconfigPath);
  const isReady = async (): Promise<boolean> => {
    const node = await api.get<NodeStatus>(`/api/v1/nodes/${nodeName}`);
    return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  };
  await waitUntil('the node', isReady, { dir: nodeDir, name: 'kubelet', timeoutMs: readyTimeoutMs }).finally(() =>
    api.close(),
  );
}

interface NodeStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
