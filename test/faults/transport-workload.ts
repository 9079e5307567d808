/**
 * What a tenant does in one namespace of its own while the syncer's connections fail, and what must be true afterwards, whatever
 * failed: a host object for each virtual one and none besides, nothing made or deleted twice, nothing of the tenant's lost.
 */
import { deepStrictEqual, equal, partialDeepStrictEqual } from 'node:assert/strict';
import { isStatus } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { made } from '../samples/sample.ts';
import { resting } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { makeNamespace } from '../support/namespaces.ts';
import { hostNamespace } from '../support/pair.ts';
import type { Pair } from '../support/pair.ts';

const virtualUid = 'vcluster.loft.sh/object-uid';
const virtualNamespace = 'vcluster.loft.sh/object-namespace';
const waitMs = 90_000;
/** What a test of one may take where it has to wait at every step; nothing here is a measure of speed. */
export const patienceMs: number = 2 * waitMs + 60_000;
const signal = new AbortController().signal;

export class Workload {
  readonly namespace: string;
  readonly #pair: Pair;

  constructor(pair: Pair, namespace: string) {
    this.#pair = pair;
    this.namespace = namespace;
  }

  /** The namespace, and what its pods refer to. */
  async prepare(): Promise<void> {
    const { namespace } = this;
    await makeNamespace(this.#pair, namespace, { waitMs });
    await this.#create(configMaps, 'settings', { data: { a: '1' } });
    await this.#create(secrets, 'key', { stringData: { a: '1' } });
    await this.#create(services, 'web', { spec: { selector: { app: 'web' }, ports: [{ port: 80 }] } });
  }

  /** Pods come, change, go, and come again under the same names. */
  async run(): Promise<void> {
    await Promise.all([0, 1, 2, 3].map((index) => this.createPod(`p${index}`)));
    await this.finish();
  }

  /** What comes after the first pods. */
  async finish(): Promise<void> {
    const { namespace } = this;
    const { virtual } = this.#pair;
    await this.allRun();
    await virtual.patch(pods, { namespace, name: 'p0' }, { metadata: { labels: { changed: 'yes' } } });
    await virtual.patch(configMaps, { namespace, name: 'settings' }, { data: { a: '2' } });
    await this.deletePod('p1');
    await this.deletePod('p2');
    await this.createPod('p2');
  }

  createPod(name: string, more: object = {}): Promise<KubeObject> {
    const env = [{ configMapRef: { name: 'settings' } }, { secretRef: { name: 'key' } }];
    const spec = { containers: [{ name: 'c', image: 'x', envFrom: env }], terminationGracePeriodSeconds: 5, ...more };
    return this.#create(pods, name, { spec }, { app: 'web' });
  }

  /**
   * With the pod's own grace unless told otherwise. The simulated nodes of the host end a pod by its name: one that is made again
   * under the same name while they do may be hit as well.
   */
  async deletePod(name: string, graceSeconds?: number): Promise<void> {
    const { virtual } = this.#pair;
    const uid = (await virtual.get(pods, { namespace: this.namespace, name }))?.metadata.uid ?? '';
    await virtual.remove(pods, { namespace: this.namespace, name }, { uid, graceSeconds });
  }

  async allRun(): Promise<void> {
    await until(
      `all pods of ${this.namespace} to run`,
      async () => {
        const found = await this.virtualPods();
        return found.length > 0 && found.every(isReady);
      },
      waitMs,
    );
  }

  /** Waits until both sides agree, and then for the syncer to have nothing left to do. */
  async settled(): Promise<void> {
    await this.allRun();
    await until('both sides to agree', () => this.#agrees(), waitMs);
    await resting(this.#pair.syncer);
  }

  async virtualPods(): Promise<readonly Pod[]> {
    return (await this.#pair.virtual.list(pods, { namespace: this.namespace }, signal)).items as readonly Pod[];
  }

  async hostPods(): Promise<readonly Pod[]> {
    return (await this.#hostObjects(pods)) as readonly Pod[];
  }

  /** [I1] [I3] [I4] [I5] [I6] */
  async expectWhole(): Promise<void> {
    const names = (await this.virtualPods()).map(({ metadata }) => metadata.name);
    deepStrictEqual(names.toSorted(), ['p0', 'p2', 'p3']);
    const { items } = await this.#pair.host.list(pods, { namespace: hostNamespace }, signal);
    equal(new Set(items.map(uidOf)).size, items.length, 'two host pods for one virtual pod');
    const settings = (await this.#hostObjects(configMaps)).find(({ metadata }) => metadata.name.startsWith('settings'));
    partialDeepStrictEqual(settings, { data: { a: '2' } });
    const [p0] = (await this.hostPods()).filter(({ metadata }) => metadata.name.startsWith('p0-'));
    partialDeepStrictEqual(p0?.metadata.labels, { changed: 'yes' });
    this.#expectNothingTwice();
  }

  /** As the host's API server answered them: five pods were made, and only what the tenant deleted was deleted. */
  #expectNothingTwice(): void {
    const done = this.#pair.proxies.host.seen.filter(
      ({ request, status = 0 }) =>
        request.plural === 'pods' && status >= 200 && status <= 299 && request.name.includes(`-x-${this.namespace}-x-`),
    );
    const created = done.filter(({ request }) => request.method === 'POST').map(({ request }) => request.name);
    const removed = done.filter(({ request }) => request.method === 'DELETE').map(({ request }) => request.name);
    const named = (name: string): string => `${name}-x-${this.namespace}-x-team-a`;
    deepStrictEqual(created.toSorted(), ['p0', 'p1', 'p2', 'p2', 'p3'].map(named));
    deepStrictEqual([...new Set(removed)].toSorted(), ['p1', 'p2'].map(named));
  }

  async #agrees(): Promise<boolean> {
    const { virtual } = this.#pair;
    for (const kind of [pods, services, configMaps, secrets]) {
      const { items } = await virtual.list(kind, { namespace: this.namespace }, signal);
      const used = items.filter(({ metadata }) => metadata.name !== 'kube-root-ca.crt');
      const copies = (await this.#hostObjects(kind)).filter(
        ({ metadata }) => !metadata.name.startsWith('kube-root-ca'),
      );
      if (texts(used.map(({ metadata }) => metadata.uid ?? '')) !== texts(copies.map(uidOf))) return false;
    }
    const [settings] = (await this.#hostObjects(configMaps)).filter(({ metadata }) =>
      metadata.name.startsWith('settings'),
    );
    const [p0] = (await this.hostPods()).filter(({ metadata }) => metadata.name.startsWith('p0-'));
    const isChanged = p0 === undefined || p0.metadata.labels?.['changed'] === 'yes';
    return isChanged && JSON.stringify(settings).includes('"a":"2"');
  }

  async #hostObjects(kind: Kind): Promise<readonly KubeObject[]> {
    const { items } = await this.#pair.host.list(kind, { namespace: hostNamespace }, signal);
    return items.filter(({ metadata }) => metadata.annotations?.[virtualNamespace] === this.namespace);
  }

  async #create(
    kind: Kind,
    name: string,
    rest: object,
    labels: Readonly<Record<string, string>> = {},
  ): Promise<KubeObject> {
    const object = made(kind, { name, namespace: this.namespace, labels }, rest);
    return eventually(
      `${kind.plural} ${name}`,
      () =>
        this.#pair.virtual.create(kind, object).catch((error: unknown) => {
          // Its former incarnation is on its way out.
          if (isStatus(error, 409)) return undefined;
          throw error;
        }),
      waitMs,
    );
  }
}

function isReady({ status, metadata }: Pod): boolean {
  const conditions =
    (status as { conditions?: readonly { type: string; status: string }[] } | undefined)?.conditions ?? [];
  const ready = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return status?.phase === 'Running' && ready && metadata.deletionTimestamp === undefined;
}

function uidOf({ metadata }: KubeObject): string {
  return metadata.annotations?.[virtualUid] ?? 'nobody';
}

function texts(all: readonly string[]): string {
  return all.toSorted().join();
}
