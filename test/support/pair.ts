/**
 * A host and a virtual cluster with a real syncer between them, all as processes: the stage of the API-level tests. The syncer
 * runs with exactly the rights that the registry's resources ask for, so a missing rule fails here.
 */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Values } from '../../config/options.ts';
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import type { Cluster } from '../../syncer/model/cluster.ts';
import { isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { namespaces, serviceAccounts, services } from '../../syncer/model/kubernetes.ts';
import type { Service } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import type { Side } from '../../syncer/model/side.ts';
import { resources } from '../../syncer/resources/index.ts';
import { controlPlaneDir, issueKubeconfig, silent, startControlPlane, startKwok } from '../../testbed/index.ts';
import type { ControlPlane, Kwok } from '../../testbed/index.ts';
import { stopControlPlane } from '../../testbed/control-plane.ts';
import type { ChaosProxy } from '../faults/proxy/proxy.ts';
import { startProxy } from '../faults/proxy/start.ts';
import type { Through } from '../faults/proxy/start.ts';
import { SyncerProcess } from './syncer-process.ts';

export const releaseName = 'team-a';
export const hostNamespace = 'tenant-a';
export const releaseServiceIp = '10.96.0.77';

const serviceCidr = '10.96.0.0/16';
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1', namespaced: true } as const;
const roles: Kind = { ...rbac, plural: 'roles', kind: 'Role' };
const roleBindings: Kind = { ...rbac, plural: 'rolebindings', kind: 'RoleBinding' };
/** Who the syncer is, on each side. */
export const syncerUsers: Readonly<Record<Side, string>> = {
  host: 'system:serviceaccount:tenant-a:vc-team-a',
  virtual: 'vcluster-syncer',
};
const roleName = `vc-${releaseName}`;
const main = fileURLToPath(new URL('../../syncer/main.ts', import.meta.url));

export interface Pair {
  readonly host: Cluster;
  readonly virtual: Cluster;
  readonly hostPlane: ControlPlane;
  readonly virtualPlane: ControlPlane;
  readonly syncer: SyncerProcess;
  /** The syncer's ways to the two API servers; clients of the test go past them. @throws when a side has none */
  readonly proxies: Readonly<Record<Side, ChaosProxy>>;
  stop(): Promise<void>;
}

export interface PairOptions {
  /** Narrower than the host's `10.96.0.0/16`, for tests of what happens then. It must hold 10.96.0.77. */
  readonly virtualServiceCidr?: string;
  /** What runs instead of the sources: the bundled program of the image. */
  readonly program?: string;
  readonly logLevel?: string;
  /** Options of the virtual cluster that the chart hands to the syncer: `sync` and `policies`. */
  readonly values?: Values;
  /** Further flags of the API servers, such as for an audit log. */
  readonly apiServerArgs?: Readonly<Record<Side, readonly string[]>>;
  /** Sides whose API server the syncer, and only it, reaches through a chaos proxy. */
  readonly through?: Through;
}

/** Starts everything and waits until the syncer is ready. `name` keeps test files apart. */
export async function startPair(name: string, options: PairOptions = {}): Promise<Pair> {
  const dirs = { host: controlPlaneDir(`${name}-host`), virtual: controlPlaneDir(`${name}-virtual`) };
  try {
    return await start(dirs, options);
  } catch (error) {
    await Promise.all([stopControlPlane(dirs.host), stopControlPlane(dirs.virtual)]);
    throw error;
  }
}

async function start(dirs: Readonly<Record<Side, string>>, options: PairOptions): Promise<Pair> {
  const { program = main, logLevel = 'debug', through = {} } = options;
  const egressSocket = join(dirs.virtual, 'egress.sock');
  const [hostPlane, virtualPlane] = await startPlanes(dirs, egressSocket, options);
  const kwok: Kwok = await startKwok({ kubeconfigPath: hostPlane.kubeconfigPath, dir: dirs.host });
  const host = new Client('host', kubeconfigAccess(hostPlane.kubeconfigPath));
  const virtual = new Client('virtual', kubeconfigAccess(virtualPlane.kubeconfigPath));
  await prepareHost(host);
  const hostKubeconfig = await syncerKubeconfig(hostPlane);
  const pki = await syncerPki(virtualPlane);
  const proxies = await startProxies(through, {
    host: { plane: hostPlane, kubeconfig: hostKubeconfig },
    virtual: { plane: virtualPlane, kubeconfig: join(pki, 'kubeconfig') },
  });
  const syncer = new SyncerProcess({
    name: releaseName,
    namespace: hostNamespace,
    hostKubeconfig,
    pki,
    egressSocket,
    logFile: join(dirs.virtual, 'syncer.log'),
    program,
    logLevel,
    values: options.values ?? {},
    clusters: { host, virtual },
  });
  await syncer.start();
  return {
    host,
    virtual,
    hostPlane,
    virtualPlane,
    syncer,
    proxies: {
      get host() {
        return found(proxies, 'host');
      },
      get virtual() {
        return found(proxies, 'virtual');
      },
    },
    stop: async () => {
      await syncer.stop();
      await Promise.all(Object.values(proxies).map((proxy) => proxy.stop()));
      await kwok.stop();
      await Promise.all([hostPlane.shutdown(), virtualPlane.shutdown()]);
    },
  };
}

function startPlanes(
  dirs: Readonly<Record<Side, string>>,
  egressSocket: string,
  { virtualServiceCidr = serviceCidr, apiServerArgs }: PairOptions,
): Promise<[ControlPlane, ControlPlane]> {
  return Promise.all([
    startControlPlane({
      log: silent,
      dir: dirs.host,
      role: 'host',
      scheduler: true,
      serviceCidr,
      apiServerArgs: apiServerArgs?.host,
    }),
    startControlPlane({
      log: silent,
      dir: dirs.virtual,
      role: 'virtual',
      scheduler: false,
      serviceCidr: virtualServiceCidr,
      egressSocket,
      apiServerArgs: apiServerArgs?.virtual,
    }),
  ]);
}

interface Way {
  readonly plane: ControlPlane;
  readonly kubeconfig: string;
}

type Proxies = Readonly<Partial<Record<Side, ChaosProxy>>>;

async function startProxies(through: Through, ways: Readonly<Record<Side, Way>>): Promise<Proxies> {
  const proxies: Partial<Record<Side, ChaosProxy>> = {};
  for (const side of ['host', 'virtual'] as const) {
    const options = through[side];
    const { plane, kubeconfig } = ways[side];
    if (options !== undefined) proxies[side] = await startProxy(plane, side, kubeconfig, options);
  }
  return proxies;
}

function found(proxies: Proxies, side: Side): ChaosProxy {
  const proxy = proxies[side];
  if (proxy === undefined) throw new Error(`This pair was started without \`through: { ${side}: {} }\`.`);
  return proxy;
}

/** What the chart would have made: namespace, Service, service accounts and the Role of the registry. */
async function prepareHost(host: Cluster): Promise<void> {
  const namespace = hostNamespace;
  const rules = [
    ...resources.flatMap((resource) => resource.hostRules),
    { apiGroups: [''], resources: ['services', 'secrets'], verbs: ['get', 'create', 'patch'] },
  ];
  const roleRef = { apiGroup: rbac.group, kind: 'Role', name: roleName };
  await createIfAbsent(host, namespaces, { metadata: { name: namespace } });
  const ports = [{ name: 'https', port: 443, targetPort: 6443 }];
  const spec = { ports, clusterIP: releaseServiceIp };
  const service = { metadata: { name: releaseName, namespace }, spec } as KubeObject as Service;
  await createIfAbsent(host, services, service);
  await createIfAbsent(host, serviceAccounts, { metadata: { name: `vc-workload-${releaseName}`, namespace } });
  await createIfAbsent(host, roles, { metadata: { name: roleName, namespace }, rules } as KubeObject);
  const subjects = [{ apiGroup: rbac.group, kind: 'User', name: syncerUsers.host }];
  await createIfAbsent(host, roleBindings, {
    metadata: { name: roleName, namespace },
    roleRef,
    subjects,
  } as KubeObject);
}

async function createIfAbsent(cluster: Cluster, kind: Kind, object: KubeObject): Promise<void> {
  await cluster.create(kind, object).catch((error: unknown) => {
    if (!isStatus(error, 409)) throw error;
  });
}

function syncerKubeconfig(hostPlane: ControlPlane): Promise<string> {
  const { dir, url: server, pki } = hostPlane;
  return issueKubeconfig(dir, 'syncer', { server, pki, leaf: { commonName: syncerUsers.host } });
}

/** The folder that the command `pki` would have written for the syncer. */
async function syncerPki({ dir, pki, url: server }: ControlPlane): Promise<string> {
  const folder = join(dir, 'syncer-pki');
  await mkdir(folder, { recursive: true });
  const leaf = { commonName: syncerUsers.virtual, organization: 'system:masters' };
  await copyFile(await issueKubeconfig(dir, 'syncer', { server, pki, leaf }), join(folder, 'kubeconfig'));
  await copyFile(pki.caCert, join(folder, 'ca.crt'));
  await copyFile(pki.caKey, join(folder, 'ca.key'));
  await copyFile(pki.caCert, join(folder, 'kubelet-ca.crt'));
  return folder;
}
