/**
 * A pair of clusters with pods on it. Besides kwok's node, whose pods run and go by themselves, there can be nodes by hand: on
 * those the test is the kubelet, so a pod stays in each of its states for as long as the test looks at it.
 */
import type { Kind } from '../../syncer/model/kind.ts';
import { events, nodes, pods } from '../../syncer/model/kubernetes.ts';
import type { Event, Pod, PodSpec, PodStatus } from '../../syncer/model/kubernetes.ts';
import { keyOf } from '../../syncer/model/object.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import type { Side } from '../../syncer/model/side.ts';
import { hostNameOf, made, namespace } from '../samples/sample.ts';
import { idle } from './census.ts';
import { eventually, until } from './eventually.ts';
import { makeNamespace } from './namespaces.ts';
import { hostNamespace, startPair } from './pair.ts';
import type { Pair, PairOptions } from './pair.ts';

const containers = [{ name: 'app', image: 'app:1' }];
const roomy = { cpu: '64', memory: '256Gi', pods: '1000' };

/** Kinds that only tests touch. */
export function kindOf(group: string, version: string, plural: string, kind: string): Kind {
  return { group, version, plural, kind, namespaced: true };
}

/** What puts a pod on a node by hand, whatever becomes of that node. */
export function onNode(name: string): Partial<PodSpec> {
  return { nodeSelector: { 'kubernetes.io/hostname': name }, tolerations: [{ key: 'by-hand', operator: 'Exists' }] };
}

export class PodStage {
  readonly pair: Pair;

  private constructor(pair: Pair) {
    this.pair = pair;
  }

  static async open(name: string, options: PairOptions = {}): Promise<PodStage> {
    const stage = new PodStage(await startPair(name, options));
    await stage.namespace(namespace);
    return stage;
  }

  /** A virtual namespace that takes pods. */
  async namespace(name: string, metadata: Partial<Metadata> = {}): Promise<void> {
    await makeNamespace(this.pair, name, { metadata });
  }

  /** A Ready node of the host without a kubelet, for pods that ask for it. */
  async node(name: string, allocatable: Readonly<Record<string, string>> = roomy): Promise<void> {
    const { host } = this.pair;
    const taints = [{ key: 'by-hand', effect: 'NoSchedule' }];
    const metadata = { name, labels: { 'kubernetes.io/hostname': name } };
    await host.create(nodes, { metadata, spec: { taints } } as KubeObject);
    await this.#heartbeat(name, 'True', allocatable);
    await until(`node ${name} to be ready`, async () => {
      const node = (await host.get(nodes, { namespace: '', name })) as { spec?: { taints?: readonly object[] } };
      return node.spec?.taints?.length === taints.length;
    });
  }

  /** What a node says that is in trouble. */
  async nodeNotReady(name: string): Promise<void> {
    await this.#heartbeat(name, 'False', roomy);
  }

  async #heartbeat(name: string, status: string, allocatable: Readonly<Record<string, string>>): Promise<void> {
    const now = new Date().toISOString();
    const times = { lastHeartbeatTime: now, lastTransitionTime: now };
    const conditions = [{ type: 'Ready', status, reason: 'ByHand', ...times }];
    const addresses = [{ type: 'InternalIP', address: '10.245.255.1' }];
    const patch = { status: { capacity: allocatable, allocatable, conditions, addresses } };
    await this.pair.host.patch(nodes, { namespace: '', name }, patch, 'status');
  }

  async create(name: string, spec: Partial<PodSpec> = {}, metadata: Partial<Metadata> = {}): Promise<Pod> {
    const pod = made(pods, { name, ...metadata }, { spec: { containers, ...spec } });
    return (await this.pair.virtual.create(pods, pod)) as Pod;
  }

  async virtual(name: string): Promise<Pod | undefined> {
    return (await this.pair.virtual.get(pods, { namespace, name })) as Pod | undefined;
  }

  async host(name: string): Promise<Pod | undefined> {
    return (await this.pair.host.get(pods, { namespace: hostNamespace, name: hostNameOf(name) })) as Pod | undefined;
  }

  /** The host pod as soon as it is there, or as it should be. */
  async hostWhen(name: string, passes: (pod: Pod) => boolean = () => true): Promise<Pod> {
    return eventually(`pod ${name} on the host, as expected`, async () => this.#when(await this.host(name), passes));
  }

  async virtualWhen(name: string, passes: (pod: Pod) => boolean): Promise<Pod> {
    return eventually(`virtual pod ${name}, as expected`, async () => this.#when(await this.virtual(name), passes));
  }

  #when(pod: Pod | undefined, passes: (pod: Pod) => boolean): Pod | undefined {
    return pod !== undefined && passes(pod) ? pod : undefined;
  }

  /** Waits until a pod is gone, this incarnation of it. */
  async gone(side: Side, name: string, uid: string | undefined): Promise<void> {
    await until(`pod ${name} (${side}) to be gone`, async () => (await this[side](name))?.metadata.uid !== uid);
  }

  /** The tenant sees the pod run. @returns both sides of it */
  async running(name: string): Promise<{ readonly host: Pod; readonly virtual: Pod }> {
    const virtual = await this.virtualWhen(name, ({ status }) => status?.phase === 'Running');
    return { host: await this.hostWhen(name), virtual };
  }

  /** Makes a pod run on a node by hand. */
  async runByHand(
    name: string,
    node: string,
    spec: Partial<PodSpec> = {},
  ): Promise<{ readonly host: Pod; readonly virtual: Pod }> {
    await this.create(name, { ...onNode(node), ...spec });
    await this.report(name, running);
    return this.running(name);
  }

  /** What a kubelet reports, once the pod has been placed on its node. */
  async report(name: string, status: PodStatus): Promise<void> {
    const pod = await this.hostWhen(name, ({ spec }) => spec.nodeName !== undefined);
    const types = new Set((status.conditions ?? []).map(({ type }) => type));
    const others = (pod.status?.conditions ?? []).filter(({ type }) => !types.has(type));
    const conditions = [...others, ...(status.conditions ?? [])];
    await this.pair.host.patch(pods, keyOf(pod), { status: { ...status, conditions } }, 'status');
  }

  /** What a kubelet does once all containers have ended: the host pod is no more. */
  async end(name: string): Promise<void> {
    const pod = await this.hostWhen(name, ({ metadata }) => metadata.deletionTimestamp !== undefined);
    await this.remove('host', pod, 0);
  }

  async remove(side: Side, { metadata }: KubeObject, graceSeconds?: number, kind: Kind = pods): Promise<void> {
    const { name, namespace: of = '', uid = '' } = metadata;
    await this.pair[side].remove(kind, { namespace: of, name }, { uid, graceSeconds });
  }

  /** @throws with 429 while a budget forbids it */
  async evict(side: Side, pod: Pod): Promise<void> {
    const { name, namespace: of } = pod.metadata;
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace: of } };
    await this.pair[side].post(pods, keyOf(pod), 'eviction', body);
  }

  /** The warnings that a tenant finds on an object. */
  async warnings(uid: string | undefined): Promise<readonly Event[]> {
    const { items } = await this.pair.virtual.list(events, { namespace: '' }, AbortSignal.timeout(10_000));
    return (items as readonly Event[]).filter(
      (event) => event['type'] === 'Warning' && event.involvedObject.uid === uid,
    );
  }

  async warning(uid: string | undefined, part: string): Promise<Event> {
    return eventually(`a warning with "${part}"`, async () =>
      (await this.warnings(uid)).find(({ message = '' }) => message.includes(part)),
    );
  }

  /** Chooses the node of a pod, as a scheduler or a tenant with enough rights can. */
  async bind(side: Side, pod: Pod, node: string): Promise<void> {
    const { name, namespace: of } = pod.metadata;
    const target = { apiVersion: 'v1', kind: 'Node', name: node };
    const body = { apiVersion: 'v1', kind: 'Binding', metadata: { name, namespace: of }, target };
    await this.pair[side].post(pods, keyOf(pod), 'binding', body);
  }

  /** Does something while the syncer has crashed, and starts it again. */
  async away(meanwhile: () => Promise<unknown>): Promise<void> {
    await this.pair.syncer.stop('SIGKILL');
    try {
      await meanwhile();
    } finally {
      await this.pair.syncer.start();
    }
  }

  async idle(): Promise<void> {
    await idle(this.pair.syncer);
  }

  async close(): Promise<void> {
    await this.pair.stop();
  }
}

/** Why a condition is as it is. */
export function conditionOf(pod: Pod | undefined, type: string): unknown {
  return pod?.status?.conditions?.find((condition) => condition.type === type)?.['reason'];
}

const readyTypes = ['Initialized', 'PodReadyToStartContainers', 'ContainersReady', 'Ready'];

/** What a kubelet reports of a pod that runs. */
export const running: PodStatus = {
  phase: 'Running',
  startTime: '2026-01-01T00:00:00Z',
  hostIP: '10.245.255.1',
  hostIPs: [{ ip: '10.245.255.1' }],
  podIP: '10.245.7.7',
  podIPs: [{ ip: '10.245.7.7' }],
  conditions: readyTypes.map((type) => ({ type, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' })),
  containerStatuses: [
    {
      name: 'app',
      image: 'app:1',
      imageID: 'app:1',
      containerID: 'hand://app',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    },
  ],
};

/** What a kubelet reports of a pod whose containers have ended. */
export function ended(exitCode: number): PodStatus {
  const finished = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', finishedAt: '2026-01-01T00:01:00Z' };
  const [status] = running.containerStatuses ?? [];
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    containerStatuses: [{ ...status, name: 'app', ready: false, started: false, state: { terminated: finished } }],
  };
}
