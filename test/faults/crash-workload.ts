/**
 * The small workload that is crashed again and again: one object of every kind that the tenant owns, made, changed and deleted.
 * Every kind of write that the syncer knows occurs in it, also the round trip that gives a Service another address.
 */
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { until } from '../support/eventually.ts';
import { makeNamespace } from '../support/namespaces.ts';
import type { Pair } from '../support/pair.ts';

export const phases = ['made', 'changed', 'deleted'] as const;
export type Phase = (typeof phases)[number];

/** A key of the syncer's that has failed for long waits up to a minute for its next try. */
const arrivedMaxMs = 120_000;
/** An address that a stranger on the host has: the virtual Service that asks for it has to move. */
const takenIp = '10.96.200.1';

/** Once for a pair: the stranger. */
export async function takeAddress({ host }: Pair): Promise<void> {
  const spec = { clusterIP: takenIp, ports: [{ port: 80 }] };
  await host.create(services, { metadata: { name: 'stranger', namespace: 'default' }, spec } as KubeObject);
}

export class Workload {
  readonly namespace: string;
  readonly #pair: Pair;

  constructor(pair: Pair, namespace: string) {
    this.#pair = pair;
    this.namespace = namespace;
  }

  /** Does what the tenant does in a phase; the one before must have come to rest. */
  async play(phase: Phase): Promise<void> {
    await { made: () => this.#make(), changed: () => this.#change(), deleted: () => this.#delete() }[phase]();
  }

  /** Waits until the host has done its part of a phase, too: before that, nobody may have anything to write either. */
  async arrived(phase: Phase): Promise<void> {
    const key = { namespace: this.namespace, name: 'web' };
    await until(
      `pod web of ${this.namespace} to ${phase === 'deleted' ? 'be gone' : 'run'}`,
      async () => {
        const pod = (await this.#pair.virtual.get(pods, key)) as Pod | undefined;
        return phase === 'deleted' ? pod === undefined : pod?.status?.phase === 'Running';
      },
      arrivedMaxMs,
    );
  }

  async #make(): Promise<void> {
    await makeNamespace(this.#pair, this.namespace);
    const labels = { app: 'web' };
    const ports = [{ port: 80, targetPort: 8080 }];
    await this.#create(configMaps, 'settings', { data: { mode: 'a' } });
    await this.#create(secrets, 'password', { data: { password: 'c2VjcmV0' } });
    await this.#create(services, 'web', { spec: { selector: labels, ports } });
    await this.#create(services, 'moved', { spec: { selector: labels, ports, clusterIP: takenIp } });
    await this.#create(
      pods,
      'web',
      {
        spec: {
          containers: [{ name: 'web', image: 'web:1', envFrom: [{ configMapRef: { name: 'settings' } }] }],
          volumes: [{ name: 'password', secret: { secretName: 'password' } }],
        },
      },
      labels,
    );
  }

  async #change(): Promise<void> {
    await this.#patch(configMaps, 'settings', { data: { mode: 'b' } });
    await this.#patch(secrets, 'password', { data: { password: 'b3RoZXI=' } });
    await this.#patch(services, 'web', { spec: { ports: [{ port: 81, targetPort: 8081 }] } });
    await this.#patch(pods, 'web', { metadata: { labels: { tier: 'front' } } });
  }

  async #delete(): Promise<void> {
    for (const [kind, name] of [
      [pods, 'web'],
      [services, 'web'],
      [services, 'moved'],
      [configMaps, 'settings'],
      [secrets, 'password'],
    ] as const) {
      const key = { namespace: this.namespace, name };
      const { uid = '' } = (await this.#pair.virtual.get(kind, key))?.metadata ?? {};
      await this.#pair.virtual.remove(kind, key, { uid });
    }
  }

  async #create(kind: Kind, name: string, rest: object, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.#pair.virtual.create(kind, { metadata: { name, namespace: this.namespace, labels }, ...rest });
  }

  async #patch(kind: Kind, name: string, patch: object): Promise<void> {
    await this.#pair.virtual.patch(kind, { namespace: this.namespace, name }, patch);
  }
}
