/**
 * A host and a virtual cluster with a real syncer between them, all as processes: the stage of the API-level tests. The syncer
 * runs with exactly the rights that the registry's resources ask for, so a missing rule fails here.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { copyFile, mkdir, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import type { Cluster } from '../../syncer/model/cluster.ts';
import { isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { namespaces, services } from '../../syncer/model/kubernetes.ts';
import type { Service } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { resources } from '../../syncer/resources/index.ts';
import { controlPlaneDir, issueKubeconfig, silent, startControlPlane, startKwok } from '../../testbed/index.ts';
import type { ControlPlane, Kwok } from '../../testbed/index.ts';

export const releaseName = 'team-a';
export const hostNamespace = 'tenant-a';

const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true } as const;
const roles: Kind = { ...rbac, plural: 'roles', kind: 'Role' };
const roleBindings: Kind = { ...rbac, plural: 'rolebindings', kind: 'RoleBinding' };
const serviceAccounts: Kind = { group: '', version: 'v1', plural: 'serviceaccounts', kind: 'ServiceAccount', namespaced: true };
const syncerUser = 'system:serviceaccount:tenant-a:vc-team-a';
const main = fileURLToPath(new URL('../../syncer/main.ts', import.meta.url));

export interface Pair {
  readonly host: Cluster;
  readonly virtual: Cluster;
  readonly hostPlane: ControlPlane;
  readonly virtualPlane: ControlPlane;
  readonly syncer: SyncerProcess;
  stop(): Promise<void>;
}

/** Starts everything and waits until the syncer is ready. `name` keeps test files apart. */
export async function startPair(name: string): Promise<Pair> {
  const dirs = { host: controlPlaneDir(`${name}-host`), virtual: controlPlaneDir(`${name}-virtual`) };
  const egressSocket = join(dirs.virtual, 'egress.sock');
  const plane = { serviceCidr: '10.96.0.0/16', log: silent };
  const [hostPlane, virtualPlane] = await Promise.all([
    startControlPlane({ ...plane, dir: dirs.host, role: 'host', scheduler: true }),
    startControlPlane({ ...plane, dir: dirs.virtual, role: 'virtual', scheduler: false, egressSocket }),
  ]);
  const kwok: Kwok = await startKwok({ kubeconfigPath: hostPlane.kubeconfigPath, dir: dirs.host });
  const host = new Client('host', kubeconfigAccess(hostPlane.kubeconfigPath));
  const virtual = new Client('virtual', kubeconfigAccess(virtualPlane.kubeconfigPath));
  await prepareHost(host);
  const syncer = new SyncerProcess({
    hostKubeconfig: await syncerKubeconfig(hostPlane),
    pki: await syncerPki(virtualPlane),
    egressSocket,
    logFile: join(dirs.virtual, 'syncer.log'),
  });
  await syncer.start();
  return {
    host,
    virtual,
    hostPlane,
    virtualPlane,
    syncer,
    stop: async () => {
      await syncer.stop();
      await kwok.stop();
      await Promise.all([hostPlane.shutdown(), virtualPlane.shutdown()]);
    },
  };
}

/** What the chart would have made: namespace, Service, service accounts and the Role of the registry. */
async function prepareHost(host: Cluster): Promise<void> {
  const namespace = hostNamespace;
  const rules = [
    ...resources.flatMap((resource) => resource.hostRules),
    { apiGroups: [''], resources: ['services', 'secrets'], verbs: ['get', 'create', 'patch'] },
  ];
  const roleRef = { apiGroup: rbac.group, kind: 'Role', name: syncerUser };
  await createIfAbsent(host, namespaces, { metadata: { name: namespace } });
  const ports = [{ name: 'https', port: 443, targetPort: 6443 }];
  const service = { metadata: { name: releaseName, namespace }, spec: { ports } } as KubeObject as Service;
  await createIfAbsent(host, services, service);
  await createIfAbsent(host, serviceAccounts, { metadata: { name: `vc-workload-${releaseName}`, namespace } });
  await createIfAbsent(host, roles, { metadata: { name: syncerUser, namespace }, rules } as KubeObject);
  const subjects = [{ apiGroup: rbac.group, kind: 'User', name: syncerUser }];
  await createIfAbsent(host, roleBindings, { metadata: { name: syncerUser, namespace }, roleRef, subjects } as KubeObject);
}

async function createIfAbsent(cluster: Cluster, kind: Kind, object: KubeObject): Promise<void> {
  await cluster.create(kind, object).catch((error: unknown) => {
    if (!isStatus(error, 409)) throw error;
  });
}

function syncerKubeconfig(hostPlane: ControlPlane): Promise<string> {
  const { dir, url: server, pki } = hostPlane;
  return issueKubeconfig(dir, 'syncer', { server, pki, leaf: { commonName: syncerUser } });
}

/** The folder that the command `pki` would have written for the syncer. */
async function syncerPki({ dir, pki, kubeconfigPath }: ControlPlane): Promise<string> {
  const folder = join(dir, 'syncer-pki');
  await mkdir(folder, { recursive: true });
  await copyFile(kubeconfigPath, join(folder, 'kubeconfig'));
  await copyFile(pki.caCert, join(folder, 'ca.crt'));
  await copyFile(pki.caKey, join(folder, 'ca.key'));
  await copyFile(pki.caCert, join(folder, 'kubelet-ca.crt'));
  return folder;
}

interface SyncerOptions {
  readonly hostKubeconfig: string;
  readonly pki: string;
  readonly egressSocket: string;
  readonly logFile: string;
}

/** The real program in a process of its own, so that it can be killed like one. */
export class SyncerProcess {
  readonly #options: SyncerOptions;
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(options: SyncerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    await this.launch();
    await this.ready();
  }

  async launch(): Promise<void> {
    const { hostKubeconfig, pki, egressSocket, logFile } = this.#options;
    this.#port = await freePort();
    await rm(egressSocket, { force: true });
    const log = openSync(logFile, 'a');
    const flags = {
      name: releaseName,
      namespace: hostNamespace,
      pki,
      'egress-socket': egressSocket,
      'coredns-image': 'registry.k8s.io/coredns/coredns:v1.13.1',
      'kubernetes-version': '1.36.3',
      'workload-service-account': `vc-workload-${releaseName}`,
      'host-kubeconfig': hostKubeconfig,
      'health-port': String(this.#port),
      'log-level': 'debug',
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    this.#child = spawn(process.execPath, [main, 'run', ...args], { stdio: ['ignore', log, log] });
    closeSync(log);
  }

  /** Resolves when `/readyz` says so. @throws when the process ends before that, naming its log */
  async ready(): Promise<void> {
    for (const startedMs = Date.now(); Date.now() - startedMs < 60_000; ) {
      if (this.#child?.exitCode !== null) break;
      const response = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => undefined);
      if (response?.ok === true) return;
      await sleep(50);
    }
    throw new Error(`The syncer did not become ready; its log: ${this.#options.logFile}`);
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
  }

  /** Ends the process and waits for its end. SIGKILL is a crash. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
