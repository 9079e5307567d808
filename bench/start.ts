/**
 * From `helm install` to a served tenant, on the node-level testbed with all images present (benchmarks.md B12): seconds until the
 * virtual API answers, until the first pod runs, and what the syncer then costs when nothing happens. Polls every 50 ms, so a figure
 * is at most that much too large.
 *
 *   npm run bench -- start [repeats]
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from '../syncer/cluster/client.ts';
import { kubeconfigAccess } from '../syncer/cluster/access.ts';
import { namespaces, pods, secrets, services } from '../syncer/model/kubernetes.ts';
import type { Pod, Secret, Service } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { provideImage, findHost } from '../scripts/lib/host.ts';
import { root } from '../scripts/lib/stack.ts';
import { resolveBinary, toStderr } from '../testbed/index.ts';
import { cpuMs, memory } from './harness/process.ts';
import { loadNow, record } from './results.ts';

const execute = promisify(execFile);
const pollMs = 50;
const limitMs = 180_000;
const settleMs = 30_000;
const idleMs = 60_000;
const name = 'bench-start';

const defaultRepeats = 3;

/** Measures and records. */
export async function benchStart(repeats: number = defaultRepeats): Promise<void> {
  const loadBefore = loadNow();
  const { starts, idle } = await measureStart(repeats, 'volume');
  const { starts: bare } = await measureStart(repeats, 'pod');
  const rows = [
    ['`helm install` → virtual API server ready', spread(starts, 'apiReadySeconds'), '≤ 10 s'],
    ['`helm install` → first pod accepted', spread(starts, 'readySeconds'), ''],
    ['`helm install` → first pod Running', spread(starts, 'firstPodSeconds'), '≤ 12 s'],
    ['the same to the API server, etcd without a volume', spread(bare, 'apiReadySeconds'), ''],
    ['the same to the first pod, etcd without a volume', spread(bare, 'firstPodSeconds'), ''],
    ...(idle === undefined ? [] : idleRows(idle)),
  ];
  const how = `The chart on the node-level testbed, images present, ${repeats} times; median (smallest to largest).`;
  await record({ title: 'Start of a release', how, table: { head: ['what', 'figure', 'aim'], rows } }, loadBefore);
}

/** Where etcd keeps its data: on a claimed volume, as by default, or in the pod, which leaves the provisioner out of the figure. */
type Store = 'volume' | 'pod';

interface Start {
  readonly apiReadySeconds: number;
  readonly readySeconds: number;
  readonly firstPodSeconds: number;
}

interface Idle {
  readonly rssMib: number;
  readonly pssMib: number;
  readonly cpuMilliseconds: number;
}

/** Installs, measures, and removes everything again, so many times; the last one is watched while idle. */
async function measureStart(
  repeats: number,
  store: Store,
): Promise<{ readonly starts: readonly Start[]; readonly idle: Idle | undefined }> {
  const host = await findHost('kubectl', toStderr);
  await provideImage(host, toStderr);
  const helm = await resolveBinary('helm', toStderr);
  const client = new Client('host', kubeconfigAccess(host.kubectl.kubeconfig));
  const starts: Start[] = [];
  let idle: Idle | undefined;
  for (let round = 0; round < repeats; round++) {
    try {
      starts.push(await start({ helm, kubeconfig: host.kubectl.kubeconfig, store }, client));
      if (round === repeats - 1 && store === 'volume') idle = await measureIdle();
    } finally {
      await remove(helm, host.kubectl.kubeconfig, client);
    }
  }
  return { starts, idle };
}

function idleRows({ rssMib, pssMib, cpuMilliseconds }: Idle): readonly (readonly string[])[] {
  return [
    ['syncer RSS · PSS, idle', `${Math.round(rssMib)} · ${Math.round(pssMib)} MiB`, '≤ 90 MiB'],
    ['syncer CPU in an idle minute', `${cpuMilliseconds} ms`, '≤ 300 ms'],
  ];
}

function spread(starts: readonly Start[], field: keyof Start): string {
  const sorted = starts.map((each) => each[field]).toSorted((a, b) => a - b);
  const text = (figure = Number.NaN): string => figure.toFixed(1);
  return `${text(sorted[Math.floor(sorted.length / 2)])} s (${text(sorted[0])} to ${text(sorted.at(-1))})`;
}

interface Installation {
  readonly helm: string;
  readonly kubeconfig: string;
  readonly store: Store;
}

async function start({ helm, kubeconfig, store }: Installation, host: Client): Promise<Start> {
  const startedMs = performance.now();
  const seconds = (): number => (performance.now() - startedMs) / 1000;
  const volume = `controlPlane.statefulSet.persistence.volumeClaim.enabled=${store === 'volume'}`;
  const target = ['-n', name, '--create-namespace', '--kubeconfig', kubeconfig];
  await execute(helm, ['install', name, join(root, 'chart'), ...target, '--set', volume]);
  const service = (await host.get(services, { namespace: name, name })) as Service;
  const url = `https://${service.spec.clusterIP}:443`;
  await until('the virtual API server', () => answers(`${url}/readyz`));
  const apiReadySeconds = seconds();
  const admin = await until('Secret with the kubeconfig', () =>
    host.get(secrets, { namespace: name, name: `vc-${name}` }),
  );
  const virtual = clientOf(url, admin);
  const key = { namespace: 'default', name: 'first' };
  await until('the first pod to be accepted', () => virtual.create(pods, firstPod(key)).catch(() => undefined));
  const readySeconds = seconds();
  await until('the first pod to run', async () => {
    const pod = (await virtual.get(pods, key)) as Pod | undefined;
    return pod?.status?.phase === 'Running' ? pod : undefined;
  });
  return { apiReadySeconds, readySeconds, firstPodSeconds: seconds() };
}

/** The certificate names the cluster IP, so it is verified as by any client. */
function clientOf(url: string, { data = {} }: Secret): Client {
  const text = (field: string): string => Buffer.from(data[field] ?? '', 'base64').toString('utf8');
  const credentials = { cert: text('client-certificate'), key: text('client-key') };
  return new Client('virtual', {
    url: new URL(url),
    ca: () => text('certificate-authority'),
    credentials: () => credentials,
  });
}

function firstPod(key: { readonly namespace: string; readonly name: string }): KubeObject {
  const pod: Pod = {
    metadata: key,
    spec: {
      terminationGracePeriodSeconds: 0,
      securityContext: { runAsNonRoot: true, runAsUser: 65_534, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [
        {
          name: 'main',
          image: 'docker.io/library/busybox:1.36',
          command: ['sleep', '3600'],
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
        },
      ],
    },
  };
  return pod;
}

/** Only whether it is ready is asked here; who it is, the client checks. */
function answers(url: string): Promise<true | undefined> {
  return new Promise((resolve) => {
    const request = get(url, { rejectUnauthorized: false, agent: false, timeout: 1_000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200 ? true : undefined);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

async function until<T>(what: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (const startedMs = Date.now(); Date.now() - startedMs < limitMs;) {
    const found = await attempt();
    if (found !== undefined) return found;
    await sleep(pollMs);
  }
  throw new Error(`Waited ${limitMs / 1000} s for ${what} in vain.`);
}

async function remove(helm: string, kubeconfig: string, host: Client): Promise<void> {
  await execute(helm, ['uninstall', name, '-n', name, '--kubeconfig', kubeconfig, '--ignore-not-found']);
  const namespace = await host.get(namespaces, { namespace: '', name });
  if (namespace === undefined) return;
  await host.remove(namespaces, { namespace: '', name }, { uid: namespace.metadata.uid ?? '' });
  await until('the namespace to go', async () =>
    (await host.get(namespaces, { namespace: '', name })) === undefined ? true : undefined,
  );
}

async function measureIdle(): Promise<Idle> {
  const pid = await syncerPid();
  await sleep(settleMs);
  const before = await cpuMs(pid);
  await sleep(idleMs);
  return { ...(await memory(pid)), cpuMilliseconds: (await cpuMs(pid)) - before };
}

/** Containers of the testbed are processes of this machine; each leads a process group of its own. */
async function syncerPid(): Promise<number> {
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes('syncer.mjs') && command.includes(`--name=${name}`)) return Number(pid);
  }
  throw new Error(`No process of the syncer of ${name} on this machine.`);
}
