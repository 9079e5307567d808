/**
 * One real API server, a chaos proxy before it, and the syncer's own client and reflector behind that, in the test's process: the
 * stage for faults of the transport. The test itself goes past the proxy.
 */
import { join } from 'node:path';
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Cache } from '../../syncer/cluster/cache.ts';
import { Client } from '../../syncer/cluster/client.ts';
import type { ClientOptions } from '../../syncer/cluster/client.ts';
import { Reflector } from '../../syncer/cluster/reflector.ts';
import type { Outlook } from '../../syncer/cluster/reflector.ts';
import type { Telemetry } from '../../syncer/cluster/telemetry.ts';
import { isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, namespaces } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { silentLogger } from '../../syncer/service/logger.ts';
import { controlPlaneDir, issueKubeconfig, silent, startControlPlane } from '../../testbed/index.ts';
import type { ControlPlane } from '../../testbed/index.ts';
import { eventually, until } from '../support/eventually.ts';
import type { ChaosProxy } from './proxy/proxy.ts';
import { startProxy } from './proxy/start.ts';

export const namespace = 'transport';
const ofControlPlane = 'kube-root-ca.crt';

export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

export interface Stage {
  readonly plane: ControlPlane;
  readonly proxy: ChaosProxy;
  /** Goes through the proxy. */
  readonly kubeconfigPath: string;
  /** Goes past it. */
  readonly direct: Client;
  stop(): Promise<void>;
}

export async function startStage(name: string): Promise<Stage> {
  const dir = controlPlaneDir(name);
  const plane = await startControlPlane({
    log: silent,
    dir,
    role: 'host',
    scheduler: false,
    serviceCidr: '10.96.0.0/16',
  });
  const leaf = { commonName: 'transport', organization: 'system:masters' };
  const kubeconfigPath = await issueKubeconfig(dir, 'through', { server: plane.url, pki: plane.pki, leaf });
  const proxy = await startProxy(plane, 'virtual', kubeconfigPath, {});
  const direct = new Client('virtual', kubeconfigAccess(plane.kubeconfigPath));
  await direct.create(namespaces, { metadata: { name: namespace } });
  await eventually('the certificate that each namespace gets', () =>
    direct.get(configMaps, { namespace, name: ofControlPlane }),
  );
  return {
    plane,
    proxy,
    kubeconfigPath,
    direct,
    stop: async () => {
      await proxy.stop();
      await plane.shutdown();
    },
  };
}

export function configMapOf(name: string, data: Readonly<Record<string, string>> = {}): ConfigMap {
  return { metadata: { name, namespace }, data };
}

/** A reflector at work. */
export interface Follower {
  readonly cache: Cache;
  readonly reflector: Reflector;
  /** What it and its client told, in order: `broken`, `expired`, …; `lagging`, `restored`, `current`; `unreadable`. */
  readonly told: string[];
  /** `ADDED a`, `MODIFIED a`, `DELETED a` as the loop would hear them. */
  readonly changes: string[];
  names(): readonly string[];
  dataOf(name: string): Readonly<Record<string, string>> | undefined;
  /** Waits until the cache is what the API server itself says. */
  caughtUp(timeoutMs?: number): Promise<void>;
  stop(): Promise<void>;
}

interface FollowOptions extends ClientOptions {
  readonly kind?: Kind;
  /** Waits are cut to this, in milliseconds; real ones when absent. */
  readonly waitMaxMs?: number;
  readonly client?: Client;
}

/** Follows the config maps of the namespace through the proxy, and waits until the first list is there and a watch is open. */
export async function follow(stage: Stage, options: FollowOptions = {}): Promise<Follower> {
  const { kind = configMaps, waitMaxMs = Infinity } = options;
  const told: string[] = [];
  const changes: string[] = [];
  const telemetry: Telemetry = {
    watchRestarted: ({ reason }) => told.push(reason),
    unreadable: () => told.push('unreadable'),
  };
  const client = options.client ?? clientOf(stage, { ...options, telemetry });
  const cache = new Cache({
    side: 'virtual',
    kind,
    indexes: [],
    onChange: ({ before, after }) => changes.push(changeText(before, after)),
  });
  const stop = new AbortController();
  const reflector = new Reflector({
    cluster: client,
    kind,
    scope: { namespace },
    cache,
    telemetry,
    log: silentLogger,
    onOutlook: ({ outlook }: { readonly outlook: Outlook }) => told.push(outlook),
    wait: (ms, signal) => pause(Math.min(ms, waitMaxMs), signal),
  });
  // The proxy may not have noticed yet that an earlier follower has left its watch.
  const earlier = new Set(stage.proxy.watches);
  const running = reflector.run(stop.signal);
  const watched = (): boolean =>
    stage.proxy.watches.some((watch) => watch.request.plural === kind.plural && !earlier.has(watch));
  await until('the first list and a watch', () => Promise.resolve(cache.complete && watched()), 30_000);
  return {
    cache,
    reflector,
    told,
    changes,
    names: () =>
      cache
        .list(namespace)
        .map(({ metadata }) => metadata.name)
        .toSorted(),
    dataOf: (name) => (cache.get({ namespace, name }) as Partial<ConfigMap> | undefined)?.data,
    caughtUp: (timeoutMs) => caughtUp(stage, cache, kind, timeoutMs),
    stop: async () => {
      stop.abort();
      await running;
    },
  };
}

export function clientOf({ kubeconfigPath }: Stage, options: ClientOptions = {}): Client {
  return new Client('virtual', kubeconfigAccess(kubeconfigPath), options);
}

async function caughtUp({ direct }: Stage, cache: Cache, kind: Kind, timeoutMs = 30_000): Promise<void> {
  const text = ({ metadata }: KubeObject): string => `${metadata.name} ${metadata.uid} ${metadata.resourceVersion}`;
  await until(
    'the cache to show what the API server has',
    async () => {
      const { items } = await direct.list(kind, { namespace }, AbortSignal.timeout(10_000));
      const seen = cache.list(namespace).map(text).toSorted();
      return items.map(text).toSorted().join() === seen.join();
    },
    timeoutMs,
  );
}

/** Deletes everything in the namespace, whatever a test has left; not what the control plane would make again in the next test. */
export async function clear({ direct }: Stage, kind: Kind = configMaps): Promise<void> {
  const { items } = await direct.list(kind, { namespace }, AbortSignal.timeout(10_000));
  const ours = items.filter(({ metadata }) => metadata.name !== ofControlPlane);
  await Promise.all(
    ours.map(({ metadata: { name, uid = '' } }) =>
      direct.remove(kind, { namespace, name }, { uid, graceSeconds: 0 }).catch((error: unknown) => {
        if (!isStatus(error, 409)) throw error;
      }),
    ),
  );
}

/** A file beside the control plane's, gone with it. */
export function fileOf({ plane }: Stage, name: string): string {
  return join(plane.dir, name);
}

function changeText(before: KubeObject | undefined, after: KubeObject | undefined): string {
  const name = (after ?? before)?.metadata.name ?? '';
  if (before === undefined) return `ADDED ${name}`;
  return after === undefined ? `DELETED ${name}` : `MODIFIED ${name}`;
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms === 0 || signal.aborted) return;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
