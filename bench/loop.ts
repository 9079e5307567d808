/**
 * The syncer without HTTP: caches, loop and translation between two API servers in memory. For finding out where CPU and memory go,
 * and whether a change helped: unlike the benchmarks it hardly depends on what else the machine does.
 *
 *   node --conditions=source --expose-gc bench/loop.ts [pods] [standing]
 *
 * Prints JSON: CPU-ms a lifecycle without the servers' own, looks a lifecycle by resource, heap-KiB a pod (of `standing` ones).
 */
import { setImmediate as tick } from 'node:timers/promises';
import { buildCaches } from '../syncer/caches.ts';
import { Engine } from '../syncer/loop/engine.ts';
import { Performer } from '../syncer/loop/perform.ts';
import { Queue } from '../syncer/loop/queue.ts';
import { silentMetrics } from '../syncer/loop/telemetry.ts';
import { EventWarner } from '../syncer/loop/warner.ts';
import { events, namespaces, pods, services } from '../syncer/model/kubernetes.ts';
import type { Pod } from '../syncer/model/kubernetes.ts';
import { isDeleting } from '../syncer/model/object.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { resources } from '../syncer/resources/index.ts';
import { silentLogger } from '../syncer/service/logger.ts';
import { release } from '../test/support/release.ts';
import { podOf } from './harness/pods.ts';
import { bound, MemoryServer } from './loop/memory-server.ts';

const nodeName = 'node-1';
const at = '2026-11-23T00:00:00Z';
const namespaceCount = 10;
const [count = 1_000, standing = 0] = process.argv.slice(2).map(Number);
const host = new MemoryServer('host');
const virtual = new MemoryServer('virtual');
const looks = new Map<string, number>();

/** A scheduler that tells of its choice, and a kubelet. */
host.onChange = (kind, object, type) => {
  if (kind !== pods || type === 'DELETED') return;
  const pod = object as Pod;
  const { name, namespace = '', uid } = pod.metadata;
  const key = { namespace, name };
  if (isDeleting(pod)) void host.remove(pods, key, { uid: uid ?? '', graceSeconds: 0 });
  else if (pod.spec.nodeName === undefined) {
    void host.patch(pods, key, bound(nodeName, { type: 'PodScheduled', status: 'True', lastTransitionTime: at }));
    const involvedObject = { kind: 'Pod', name, namespace, uid };
    const metadata = { name: `${name}.${uid}`, namespace };
    void host.create(events, { metadata, involvedObject, reason: 'Scheduled', message: `to ${name}` } as KubeObject);
  } else if (pod.status?.phase === 'Pending') void host.patch(pods, key, { status: running(pod) });
};

function running({ spec }: Pod): Pod['status'] {
  const conditions = ['PodScheduled', 'Initialized', 'PodReadyToStartContainers', 'ContainersReady', 'Ready'];
  return {
    phase: 'Running',
    startTime: at,
    hostIP: '10.0.0.1',
    hostIPs: [{ ip: '10.0.0.1' }],
    podIP: '10.1.0.1',
    podIPs: [{ ip: '10.1.0.1' }],
    conditions: conditions.map((type) => ({ type, status: 'True', lastTransitionTime: at })),
    containerStatuses: spec.containers.map((container) => ({
      name: container.name,
      image: container.image,
      ready: true,
      restartCount: 0,
      state: { running: { startedAt: at } },
    })),
  };
}

/** As a real API server completes it. */
function admitted(id: string, namespace: string): Pod {
  const { metadata, spec } = podOf(id, { namespace, token: true });
  const mount = {
    name: 'kube-api-access-abcde',
    readOnly: true,
    mountPath: '/var/run/secrets/kubernetes.io/serviceaccount',
  };
  const sources = [
    { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    {
      downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] },
    },
  ];
  const tolerations = ['not-ready', 'unreachable'].map((key) => ({
    key: `node.kubernetes.io/${key}`,
    operator: 'Exists',
    effect: 'NoExecute',
    tolerationSeconds: 300,
  }));
  const defaults = {
    terminationMessagePath: '/dev/termination-log',
    terminationMessagePolicy: 'File',
    imagePullPolicy: 'Always',
  };
  return {
    metadata,
    spec: {
      ...spec,
      containers: spec.containers.map((container) => ({ ...container, ...defaults, volumeMounts: [mount] })),
      volumes: [{ name: mount.name, projected: { sources, defaultMode: 420 } }],
      serviceAccountName: 'default',
      serviceAccount: 'default',
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      securityContext: {},
      schedulerName: 'default-scheduler',
      tolerations,
      priority: 0,
      enableServiceLinks: true,
      preemptionPolicy: 'PreemptLowerPriority',
    },
  };
}

function startSyncer(signal: AbortSignal): Queue {
  const clusters = { host, virtual };
  const queue = new Queue();
  const caches = buildCaches({
    resources,
    indexes: [],
    clusters,
    hostNamespace: release.namespace,
    log: silentLogger,
    onChange: (change) => engine.changed(change),
  });
  const { stores } = caches;
  const performer = new Performer(clusters, stores, new EventWarner(virtual));
  const reconciled = (resource: string): void => void looks.set(resource, (looks.get(resource) ?? 0) + 1);
  const metrics = { ...silentMetrics, reconciled };
  const engine = new Engine({ resources, release, stores, queue, performer, log: silentLogger, metrics });
  void caches.run(signal);
  void engine.run(signal);
  return queue;
}

async function furnish(): Promise<void> {
  const dns = {
    metadata: { name: 'kube-dns', namespace: 'kube-system' },
    spec: { clusterIP: '10.96.0.10', clusterIPs: ['10.96.0.10'], ports: [] },
  };
  await virtual.create(namespaces, { metadata: { name: 'kube-system' } });
  await virtual.create(services, dns);
  for (let index = 0; index < namespaceCount; index++)
    await virtual.create(namespaces, { metadata: { name: `ns-${index}` } });
}

async function calm(queue: Queue): Promise<void> {
  for (let turns = 0; turns < 20; turns = queue.idle ? turns + 1 : 0) await tick();
}

async function make(queue: Queue, tag: string, many: number): Promise<void> {
  for (let index = 0; index < many; index++) {
    await virtual.create(pods, admitted(`${tag}-${index}`, `ns-${index % namespaceCount}`));
    if (index % 32 === 31) await calm(queue);
  }
  await calm(queue);
}

async function remove(queue: Queue, tag: string, many: number): Promise<void> {
  for (let index = 0; index < many; index++) {
    const key = { namespace: `ns-${index % namespaceCount}`, name: `${tag}-${index}` };
    const pod = virtual.peek(pods, key);
    if (pod?.status?.phase !== 'Running') throw new Error(`${key.name} does not run: ${JSON.stringify(pod?.status)}`);
    await virtual.remove(pods, key, { uid: pod.metadata.uid ?? '' });
    if (index % 32 === 31) await calm(queue);
  }
  await calm(queue);
}

function heapKib(): number {
  gc?.();
  return process.memoryUsage().heapUsed / 1024;
}

const stop = new AbortController();
const queue = startSyncer(stop.signal);
await tick();
await furnish();
await calm(queue);
await make(queue, 'warm', 300);
await remove(queue, 'warm', 300);
const idleKib = heapKib();
if (standing > 0) await make(queue, 'standing', standing);
const standingKib = heapKib() - idleKib;
looks.clear();
const before = process.cpuUsage();
const ownBefore = host.ownMicros + virtual.ownMicros;
const writesBefore = host.writes + virtual.writes;
await make(queue, 'pod', count);
await remove(queue, 'pod', count);
const { user, system } = process.cpuUsage(before);
const own = host.ownMicros + virtual.ownMicros - ownBefore;
const each = (value: number): number => Number((value / count).toFixed(3));
process.stdout.write(
  `${JSON.stringify({
    cpuMs: each((user + system - own) / 1000),
    serversMs: each(own / 1000),
    writes: each(host.writes + virtual.writes - writesBefore),
    looks: Object.fromEntries([...looks].map(([name, times]) => [name, each(times)])),
    ...(standing > 0 && { heapKibPerPod: Number((standingKib / standing).toFixed(2)) }),
  })}\n`,
);
process.exit(0);
