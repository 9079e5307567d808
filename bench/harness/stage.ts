/**
 * Where contenders are measured: one host (etcd, API server, controller manager, scheduler, simulated nodes) for a whole run, and for
 * every turn of a contender a virtual control plane and a host namespace of its own, made anew and removed afterwards. So each
 * turn begins from the same state, and what is not being measured does not run.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import type { Cluster } from '../../syncer/model/cluster.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { namespaces, serviceAccounts, services } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import type { Side } from '../../syncer/model/side.ts';
import {
  controlPlaneDir,
  issueKubeconfig,
  silent,
  startControlPlane,
  startKwok,
  versions,
} from '../../testbed/index.ts';
import type { ControlPlane, Kwok } from '../../testbed/index.ts';
import { stopControlPlane } from '../../testbed/control-plane.ts';
import { freePorts } from '../../testbed/ports.ts';
import { AuditLog } from './audit.ts';
import { ContenderProcess } from './contender-process.ts';
import type { Contender } from './contenders.ts';
import { makePod, removePod } from './load.ts';
import { Observer } from './observer.ts';

const serviceCidr = '10.96.0.0/16';
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true } as const;
const roles: Kind = { ...rbac, plural: 'roles', kind: 'Role' };
const roleBindings: Kind = { ...rbac, plural: 'rolebindings', kind: 'RoleBinding' };
/** The limits of these clients (20 and 50 requests a second) would hide everything that is measured here. */
const unthrottled = ['--kube-api-qps=2000', '--kube-api-burst=2000'];
const nodeNames = ['bench-1', 'bench-2'];
const directNamespace = 'bench-direct';
const probeLimitMs = 60_000;
const dirs: Readonly<Record<Side, string>> = {
  host: controlPlaneDir('bench-host'),
  virtual: controlPlaneDir('bench-virtual'),
};

/** A contender's turn: everything that a benchmark needs. */
export interface Turn {
  readonly contender: Contender;
  readonly host: Cluster;
  readonly virtual: Cluster;
  readonly subject: ContenderProcess;
  readonly observer: Observer;
  readonly audits: Readonly<Record<Side, AuditLog>>;
  /** Who the contender is, on both sides. */
  readonly user: string;
  readonly hostNamespace: string;
  /** A namespace on the host with nobody in between, for what is compared with it. */
  readonly directNamespace: string;
  /** Start of the process to the first pod Ready. */
  readonly startedInMs: number;
  /** Unlike all others of the run. */
  readonly prefix: string;
}

export class Stage {
  readonly #plane: ControlPlane;
  readonly #kwok: Kwok;
  readonly #host: Cluster;
  readonly #audit: AuditLog;
  #turns = 0;

  private constructor(plane: ControlPlane, kwok: Kwok, audit: AuditLog) {
    this.#plane = plane;
    this.#kwok = kwok;
    this.#audit = audit;
    this.#host = new Client('host', kubeconfigAccess(plane.kubeconfigPath));
  }

  static async start(contenders: readonly Contender[]): Promise<Stage> {
    const audit = await AuditLog.in(`${dirs.host}-audit`, contenders.map(userOf));
    const plane = await startControlPlane({
      log: silent,
      dir: dirs.host,
      role: 'host',
      scheduler: true,
      serviceCidr,
      apiServerArgs: [...audit.args, '--max-requests-inflight=1000', '--max-mutating-requests-inflight=500'],
      clientArgs: unthrottled,
    });
    const kwok = await startKwok({ kubeconfigPath: plane.kubeconfigPath, dir: dirs.host, nodes: nodeNames });
    const stage = new Stage(plane, kwok, audit);
    await stage.#host.create(namespaces, { metadata: { name: directNamespace } });
    await untilDefaultAccount(stage.#host, directNamespace);
    return stage;
  }

  /** One turn, from nothing to nothing. */
  async turn<T>(contender: Contender, measure: (turn: Turn) => Promise<T>): Promise<T> {
    const prefix = `t${++this.#turns}`;
    const hostNamespace = `bench-${prefix}`;
    const user = userOf(contender);
    // What was begun is ended, last things first, whatever happens in between.
    await using ends = new AsyncDisposableStack();
    ends.defer(() => stopControlPlane(dirs.virtual));
    const audit = await AuditLog.in(`${dirs.virtual}-audit`, [user]);
    const plane = await startVirtual(audit);
    const virtual = new Client('virtual', kubeconfigAccess(plane.kubeconfigPath));
    ends.defer(() => this.#clear(hostNamespace));
    await this.#prepare(hostNamespace, user);
    const observer = await Observer.start({ host: this.#plane.kubeconfigPath, virtual: plane.kubeconfigPath });
    ends.defer(() => observer.stop());
    const subject = await this.#subject(contender, plane, hostNamespace);
    ends.defer(() => subject.stop());
    const audits = { host: this.#audit, virtual: audit };
    const parts = { contender, host: this.#host, virtual, subject, observer, audits, user, hostNamespace };
    const turn = { ...parts, directNamespace, prefix, startedInMs: 0 };
    return await measure({ ...turn, startedInMs: await probe(turn) });
  }

  async stop(): Promise<void> {
    await this.#kwok.stop();
    await this.#plane.shutdown();
    await stopControlPlane(dirs.virtual);
  }

  /** What an installer would have made. The contender may do everything in its namespace and nothing else. */
  async #prepare(namespace: string, user: string): Promise<void> {
    const host = this.#host;
    await host.create(namespaces, { metadata: { name: namespace } });
    const ports = [{ name: 'https', port: 443, targetPort: 6443 }];
    await host.create(services, { metadata: { name: releaseName, namespace }, spec: { ports } } as KubeObject);
    await host.create(serviceAccounts, { metadata: { name: workloadAccount, namespace } });
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }];
    await host.create(roles, { metadata: { name: 'contender', namespace }, rules } as KubeObject);
    const roleRef = { apiGroup: rbac.group, kind: 'Role', name: 'contender' };
    const subjects = [{ apiGroup: rbac.group, kind: 'User', name: user }];
    await host.create(roleBindings, { metadata: { name: 'contender', namespace }, roleRef, subjects } as KubeObject);
  }

  async #subject(contender: Contender, virtual: ControlPlane, namespace: string): Promise<ContenderProcess> {
    const dir = join(dirs.virtual, 'contender');
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true });
    const { url, dir: hostDir, pki } = this.#plane;
    const user = userOf(contender);
    const hostLeaf = { server: url, pki, leaf: { commonName: user } };
    const virtualLeaf = {
      server: virtual.url,
      pki: virtual.pki,
      leaf: { commonName: user, organization: 'system:masters' },
    };
    const [port = 0] = await freePorts(1, '127.0.0.1');
    const env = {
      BENCH_NAME: releaseName,
      BENCH_NAMESPACE: namespace,
      BENCH_HOST_KUBECONFIG: await issueKubeconfig(hostDir, `contender-${namespace}`, hostLeaf),
      BENCH_VIRTUAL_KUBECONFIG: await issueKubeconfig(virtual.dir, 'contender', virtualLeaf),
      BENCH_VIRTUAL_CA_CERT: virtual.pki.caCert,
      BENCH_VIRTUAL_CA_KEY: virtual.pki.caKey,
      BENCH_EGRESS_SOCKET: join(dirs.virtual, 'egress.sock'),
      BENCH_WORKLOAD_SERVICE_ACCOUNT: workloadAccount,
      BENCH_KUBERNETES_VERSION: versions.kubernetes,
      BENCH_SERVICE_CIDR: serviceCidr,
      BENCH_PORT: String(port),
      BENCH_DIR: dir,
      BENCH_NODE_IMPORT: join(import.meta.dirname, 'loop-delay.ts'),
    };
    return new ContenderProcess(contender, env, dir);
  }

  /** Waits until nothing is left, so that the next turn does not pay for it. */
  async #clear(name: string): Promise<void> {
    const key = { namespace: '', name };
    const found = await this.#host.get(namespaces, key);
    if (found === undefined) return;
    await this.#host.remove(namespaces, key, { uid: found.metadata.uid ?? '' });
    while ((await this.#host.get(namespaces, key)) !== undefined) await sleep(200);
  }
}

const releaseName = 'bench';
const workloadAccount = `vc-workload-${releaseName}`;

function startVirtual(audit: AuditLog): Promise<ControlPlane> {
  return startControlPlane({
    log: silent,
    dir: dirs.virtual,
    role: 'virtual',
    scheduler: false,
    serviceCidr,
    egressSocket: join(dirs.virtual, 'egress.sock'),
    apiServerArgs: audit.args,
    clientArgs: unthrottled,
  });
}

function userOf({ name }: Contender): string {
  return `contender-${name}`;
}

/** Starts the contender and sees a pod come and go. */
async function probe({ subject, virtual, observer, prefix }: Turn): Promise<number> {
  await untilDefaultAccount(virtual, 'default');
  const startedMs = subject.start();
  const id = `${prefix}-probe`;
  const made = await makePod(virtual, id, { namespace: 'default', token: true });
  try {
    await observer.untilReady('virtual', [id], probeLimitMs);
  } catch (cause) {
    throw new Error(`The contender runs no pods; its log: ${subject.log}`, { cause });
  }
  const readyMs = observer.sightings.at('virtual', id).readyMs ?? Number.NaN;
  await removePod(virtual, made);
  await observer.untilGone('virtual', [id]);
  return readyMs - startedMs;
}

/** Without it a namespace accepts no pods. */
export async function untilDefaultAccount(cluster: Cluster, namespace: string): Promise<void> {
  while ((await cluster.get(serviceAccounts, { namespace, name: 'default' })) === undefined) await sleep(20);
}
