/**
 * Nodes without machines: kwok plays the kubelet, so that pods become Running on API servers alone.
 * It manages only nodes that carry the annotation `kwok.x-k8s.io/node: fake`, so real nodes can be beside them.
 * Pods become Running and Ready in one step, Jobs' pods then Succeeded; a deleted pod goes at once.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Api } from './api.ts';
import { resolveBinary } from './binaries.ts';
import { type Log, silent } from './log.ts';
import { startProcess, stopProcess, waitUntil } from './processes.ts';
import { stages } from './kwok-stages.ts';

/** What kwok is wanted. */
export interface KwokOptions {
  readonly kubeconfigPath: string;
  /** For its log and pid file; the folder of the control plane is a good one, it is stopped with it. */
  readonly dir: string;
  /** Names of nodes to make; default `kwok-1`. */
  readonly nodes?: readonly string[];
  readonly podCidr?: string;
  readonly log?: Log;
}

/** A running kwok. */
export interface Kwok {
  /** Makes one more node and waits until it is Ready. */
  addNode(name: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts kwok against an API server, makes nodes and waits until they are Ready. */
export async function startKwok({
  kubeconfigPath,
  dir,
  nodes = ['kwok-1'],
  podCidr = '10.245.0.1/16',
  log = silent,
}: KwokOptions): Promise<Kwok> {
  const command = await resolveBinary('kwok', log);
  const config = join(dir, 'kwok-stages.json');
  await writeFile(config, stages.map((stage) => JSON.stringify(stage)).join('\n---\n'));
  const args = [
    `--kubeconfig=${kubeconfigPath}`,
    `--config=${config}`,
    '--manage-nodes-with-annotation-selector=kwok.x-k8s.io/node=fake',
    `--cidr=${podCidr}`,
    '--node-ip=10.245.255.254',
    // No server of its own: nobody asks it, and as it starts it fills tables (maps without a lock) that the controller of
    // nodes fills for its first node. kwok 0.8.0 was seen to crash there.
    '--server-address=',
    '--node-port=0',
    '--node-lease-duration-seconds=40',
  ];
  await startProcess({ dir, name: 'kwok', command, args, env: { HOME: dir } });
  const addNode = (name: string): Promise<void> => makeNode(name, kubeconfigPath, dir);
  for (const name of nodes) await addNode(name);
  log(`kwok plays ${nodes.length} node(s): ${nodes.join(', ')}`);
  return { addNode, stop: () => stopProcess(dir, 'kwok') };
}

async function makeNode(name: string, kubeconfigPath: string, dir: string): Promise<void> {
  const api = await Api.fromKubeconfig(kubeconfigPath);
  const labels = {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    type: 'kwok',
  };
  const annotations = { 'kwok.x-k8s.io/node': 'fake' };
  await api.apply([{ apiVersion: 'v1', kind: 'Node', metadata: { name, labels, annotations } }]);
  const isReady = async (): Promise<boolean> => {
    const node = await api.get<NodeStatus>(`/api/v1/nodes/${name}`);
    const ready = node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
    // The lifecycle controller lifts its taint a moment later; only then are pods scheduled.
    return ready && (node?.spec?.taints ?? []).length === 0;
  };
  await waitUntil(`node ${name}`, isReady, { dir, name: 'kwok', timeoutMs: 60_000 }).finally(() => api.close());
}

interface NodeStatus {
  readonly spec?: { readonly taints?: readonly unknown[] };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}
