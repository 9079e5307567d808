/**
 * A real Kubernetes control plane as plain processes: etcd, kube-apiserver, kube-controller-manager and, if wanted,
 * kube-scheduler, with a PKI of its own, free ports and everything it writes in one folder.
 * Used for the host cluster and, in API-level tests, for virtual ones.
 * Invariant: starting in a folder first stops and removes whatever an earlier run left there.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Api } from './api.ts';
import { resolveBinaries, resolveBinary } from './binaries.ts';
import {
  apiServerFlags,
  type ControlPlaneFacts,
  controllerManagerFlags,
  etcdFlags,
  type PkiPaths,
  schedulerFlags,
} from './control-plane-flags.ts';
import { createControlPlanePki, writeComponentKubeconfigs } from './control-plane-pki.ts';
import { tryReadJson, writeJson } from './json-file.ts';
import { type Log, seconds } from './log.ts';
import { freePorts } from './ports.ts';
import { running, startProcess, stopProcess, sweep, waitUntil } from './processes.ts';

const readyTimeoutMs = 120_000;
const factsFile = 'control-plane.json';

/** The programs of a control plane, in the order in which they start. */
export const controlPlanePrograms = ['etcd', 'kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

/** One of them. */
export type Component = (typeof controlPlanePrograms)[number];

/** What control plane is wanted. */
export interface ControlPlaneOptions {
  /** Everything it writes: PKI, data, logs, pid files. Removed before the start. */
  readonly dir: string;
  readonly role: 'host' | 'virtual';
  /** e.g. `10.96.0.0/16`; the virtual one of a pair uses the host's. */
  readonly serviceCidr: string;
  readonly scheduler: boolean;
  /** Default `127.0.0.1`. On any other address the API server also becomes an endpoint of default/kubernetes. */
  readonly bindAddress?: string | undefined;
  /** Default: a free port. */
  readonly port?: number | undefined;
  /** A unix socket that carries the API server's traffic to nodes, pods and services (HTTP CONNECT). */
  readonly egressSocket?: string | undefined;
  /** Further flags of kube-apiserver, e.g. for an audit log. */
  readonly apiServerArgs?: readonly string[] | undefined;
  /** Further flags of kube-controller-manager and kube-scheduler, e.g. to lift the limits of their clients. */
  readonly clientArgs?: readonly string[] | undefined;
  readonly log: Log;
}

/** A running control plane. */
export class ControlPlane {
  readonly dir: string;
  readonly url: string;
  /** Cluster admin (system:masters), certificates embedded. */
  readonly kubeconfigPath: string;
  readonly pki: PkiPaths;
  readonly components: readonly Component[];
  readonly #facts: ControlPlaneFacts;
  readonly #log: Log;

  constructor(facts: ControlPlaneFacts, components: readonly Component[], log: Log) {
    this.dir = facts.dir;
    this.url = `https://${facts.bindAddress}:${facts.ports.api}`;
    this.kubeconfigPath = join(facts.dir, 'admin.kubeconfig');
    this.pki = facts.pki;
    this.components = components;
    this.#facts = facts;
    this.#log = log;
  }

  /** Starts one component with the flags and port it always has; does not wait until it is ready. */
  async start(component: Component): Promise<void> {
    const command = await resolveBinary(component, this.#log);
    await startProcess({ dir: this.dir, name: component, command, args: flagsOf(component, this.#facts) });
  }

  /** Stops one component and waits for its end; pass SIGKILL for a crash. */
  async stop(component: Component, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await stopProcess(this.dir, component, signal);
  }

  /** Waits until the API server is ready and service accounts are handed out, so that pods can be created. */
  async waitReady(): Promise<void> {
    const api = await Api.fromKubeconfig(this.kubeconfigPath);
    const of = (name: Component): { dir: string; name: string; timeoutMs: number } => ({
      dir: this.dir,
      name,
      timeoutMs: readyTimeoutMs,
    });
    try {
      await waitUntil('the API server', () => api.answers('/readyz'), of('kube-apiserver'));
      await waitUntil(
        'the controller manager',
        () => api.answers('/api/v1/namespaces/default/serviceaccounts/default'),
        of('kube-controller-manager'),
      );
    } finally {
      api.close();
    }
  }

  /** Whether every component runs. */
  async isRunning(): Promise<boolean> {
    const found = await Promise.all(this.components.map((component) => running(this.dir, component)));
    return found.every((identity) => identity !== undefined);
  }

  /** Stops everything at once; files stay, for reading logs. */
  async shutdown(): Promise<void> {
    await stopControlPlane(this.dir);
  }
}

/** Starts a control plane and waits until pods can be created in it (about 5 s). */
export async function startControlPlane(options: ControlPlaneOptions): Promise<ControlPlane> {
  const startedMs = Date.now();
  const components = controlPlanePrograms.filter((program) => options.scheduler || program !== 'kube-scheduler');
  await resolveBinaries(components, options.log);
  await stopControlPlane(options.dir);
  await rm(options.dir, { recursive: true, force: true });
  const facts = await prepare(options);
  const plane = new ControlPlane(facts, components, options.log);
  await writeJson(join(options.dir, factsFile), { facts, components } satisfies State);
  await plane.start('etcd');
  await plane.start('kube-apiserver');
  const api = await Api.fromKubeconfig(plane.kubeconfigPath);
  // The others end when no API server answers, so they come after it.
  const of = { dir: plane.dir, name: 'kube-apiserver', timeoutMs: readyTimeoutMs };
  await waitUntil('the API server', () => api.answers('/readyz'), of).finally(() => api.close());
  await Promise.all(components.slice(2).map((component) => plane.start(component)));
  await plane.waitReady();
  options.log(`Control plane (${options.role}) at ${plane.url} ready after ${seconds(startedMs)}`);
  return plane;
}

/** The control plane that an earlier run started in a folder; undefined when it is not wholly there. */
export async function tryFindControlPlane(dir: string, log: Log): Promise<ControlPlane | undefined> {
  const state = await tryReadJson<State>(join(dir, factsFile));
  if (state === undefined) return undefined;
  const plane = new ControlPlane(state.facts, state.components, log);
  return (await plane.isRunning()) ? plane : undefined;
}

interface State {
  readonly facts: ControlPlaneFacts;
  readonly components: readonly Component[];
}

/** Stops every program that runs for a folder, also those of a crashed run. Data is thrown away, so at once. */
export async function stopControlPlane(dir: string): Promise<void> {
  await sweep(dir, 'SIGKILL');
}

function flagsOf(component: Component, facts: ControlPlaneFacts): readonly string[] {
  switch (component) {
    case 'etcd':
      return etcdFlags(facts);
    case 'kube-apiserver':
      return apiServerFlags(facts);
    case 'kube-controller-manager':
      return controllerManagerFlags(facts);
    case 'kube-scheduler':
      return schedulerFlags(facts);
    default:
      return component satisfies never;
  }
}

async function prepare(options: ControlPlaneOptions): Promise<ControlPlaneFacts> {
  const { dir, role, serviceCidr, bindAddress = '127.0.0.1', egressSocket } = options;
  const { apiServerArgs = [], clientArgs = [] } = options;
  await mkdir(dir, { recursive: true });
  const ports = await portsFor(options, bindAddress);
  const pki = await createControlPlanePki(join(dir, 'pki'), { bindAddress, serviceCidr });
  const kubeconfigs = await writeComponentKubeconfigs(dir, `https://${bindAddress}:${ports.api}`, pki);
  const egressConfig = egressSocket === undefined ? undefined : await writeEgressConfig(dir, egressSocket);
  return {
    dir,
    role,
    serviceCidr,
    bindAddress,
    ports,
    pki,
    kubeconfigs,
    egressConfig,
    apiServerArgs,
    clientArgs,
  };
}

async function portsFor({ port }: ControlPlaneOptions, bindAddress: string): Promise<ControlPlaneFacts['ports']> {
  const [api = 0] = await freePorts(1, bindAddress);
  const [etcd = 0, etcdPeer = 0, kcm = 0, scheduler = 0] = await freePorts(4, '127.0.0.1');
  return { api: port ?? api, etcd, etcdPeer, kcm, scheduler };
}

async function writeEgressConfig(dir: string, socket: string): Promise<string> {
  const path = join(dir, 'egress.json');
  const connection = { proxyProtocol: 'HTTPConnect', transport: { uds: { udsName: socket } } };
  const config = {
    apiVersion: 'apiserver.k8s.io/v1beta1',
    kind: 'EgressSelectorConfiguration',
    egressSelections: [{ name: 'cluster', connection }],
  };
  await writeJson(path, config);
  return path;
}
