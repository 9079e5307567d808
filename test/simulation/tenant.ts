/**
 * What tenants and the host's administrators do in one run: for every name its own list of steps, each begun when the one before
 * has had its effect. So the end is the same whatever happens on the way.
 */
import { ApiError } from '../../syncer/model/errors.ts';
import { apiVersion } from '../../syncer/model/kind.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import { isDeleting } from '../../syncer/model/object.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { hostName } from '../../syncer/translate/names.ts';
import { release } from '../support/release.ts';
import type { ApiServer } from './api-server.ts';
import type { Clock } from './clock.ts';

type Step =
  | { readonly do: 'create'; readonly content: object; readonly held: boolean }
  | { readonly do: 'update'; readonly patch: object }
  | { readonly do: 'delete'; readonly graceSeconds: number | undefined }
  /** The host's administrator deletes the host pod. */
  | { readonly do: 'evict' }
  /** A controller on the host labels the host object; the tenant is to see it. */
  | { readonly do: 'label'; readonly value: string };

export interface Actor {
  readonly kind: Kind;
  readonly name: string;
  readonly steps: readonly { readonly step: Step; readonly pauseMs: number }[];
}

const namespace = 'shop';
const finalizer = 'example.org/hold';
const retryMs = 50;
const pauseMaxMs = 4_000;

/** The script of one seed. */
export function writeScript(random: () => number): readonly Actor[] {
  const pick = <T>(items: readonly [T, ...T[]]): T => items[Math.floor(random() * items.length)] ?? items[0];
  const actors: readonly (readonly [Kind, string])[] = [
    [configMaps, 'settings'],
    [secrets, 'password'],
    [services, 'web'],
    [services, 'db'],
    [pods, 'web-0'],
    [pods, 'web-1'],
    [pods, 'job-0'],
  ];
  return actors.map(([kind, name]) => {
    const steps: { step: Step; pauseMs: number }[] = [];
    let exists = false;
    const length = 1 + Math.floor(random() * 5);
    while (steps.length < length) {
      const step: Step = exists
        ? pick(nextSteps(kind, random))
        : { do: 'create', content: content(kind, random), held: random() < 0.3 };
      exists = step.do === 'create' || step.do === 'update' || step.do === 'label';
      steps.push({ step, pauseMs: pick([0, 5, random() * pauseMaxMs]) });
    }
    return { kind, name, steps };
  });
}

function nextSteps(kind: Kind, random: () => number): readonly [Step, ...Step[]] {
  const removal: Step = { do: 'delete', graceSeconds: kind === pods && random() < 0.3 ? 0 : undefined };
  const update: Step = { do: 'update', patch: change(kind, random) };
  const label: Step = { do: 'label', value: String(Math.floor(random() * 1_000)) };
  if (kind === pods) return [removal, update, label, { do: 'evict' }];
  // Config maps and secrets are on the host only while something uses them: there may be nothing to label.
  return kind === services ? [removal, update, label] : [removal, update];
}

function content(kind: Kind, random: () => number): object {
  const coin = random() < 0.5;
  const value = String(Math.floor(random() * 1_000));
  if (kind === pods) return { spec: podSpec(coin) };
  if (kind === services) {
    const type = random() < 0.2 ? { type: 'ExternalName', externalName: 'example.org' } : {};
    return { spec: { ...type, ports: [{ port: 80 }], selector: { app: value }, ...(coin && { clusterIP: '' }) } };
  }
  return { data: { value } };
}

function change(kind: Kind, random: () => number): object {
  const value = String(Math.floor(random() * 1_000));
  if (kind === pods) return { metadata: { labels: { tier: value } } };
  if (kind === services) return { metadata: { labels: { tier: value } }, spec: { selector: { app: value } } };
  return { data: { value } };
}

function podSpec(usesDns: boolean): object {
  const token = { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } };
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'password', key: 'value' } } }];
  return {
    containers: [{ name: 'app', image: 'app:1', env }],
    dnsPolicy: usesDns ? 'ClusterFirst' : 'Default',
    enableServiceLinks: false,
    serviceAccountName: 'default',
    volumes: [
      { name: 'settings', configMap: { name: 'settings' } },
      { name: 'kube-api-access-x', projected: { sources: [token] } },
    ],
  };
}

/** Carries a script out. Tenants reach their API server at once: only the syncer suffers faults. */
export class Tenant {
  readonly #clusters: { readonly host: ApiServer; readonly virtual: ApiServer };
  readonly #clock: Clock;
  /** UIDs of host pods that the host's administrator has deleted. */
  readonly evicted: Set<string | undefined> = new Set();
  #left = 0;

  constructor(clusters: { readonly host: ApiServer; readonly virtual: ApiServer }, clock: Clock) {
    this.#clusters = clusters;
    this.#clock = clock;
  }

  /** Actors that have not come to the end of their steps. */
  get busy(): number {
    return this.#left;
  }

  play(script: readonly Actor[]): void {
    this.#left = script.length;
    for (const actor of script) this.#next(actor, 0);
  }

  #next(actor: Actor, at: number): void {
    const planned = actor.steps[at];
    if (planned === undefined) {
      this.#left--;
      return;
    }
    const attempt = this.#begin(actor, planned.step);
    const tryIt = (): void => {
      if (attempt()) this.#next(actor, at + 1);
      else this.#clock.after(retryMs, tryIt);
    };
    this.#clock.after(planned.pauseMs, tryIt);
  }

  /** What is to be tried until it says that the step has had its effect. */
  #begin(actor: Actor, step: Step): () => boolean {
    const { virtual } = this.#clusters;
    const { kind, name } = actor;
    const key = { namespace, name };
    switch (step.do) {
      case 'create':
        return () => succeeds(() => virtual.create(kind, objectOf(actor, step)));
      case 'update':
        return () => succeeds(() => virtual.patch(kind, key, step.patch));
      case 'delete': {
        const uid = once(() => virtual.get(kind, key)?.metadata.uid);
        return () => {
          uid();
          virtual.remove(kind, key, { graceSeconds: step.graceSeconds });
          this.#letGo(actor);
          return virtual.get(kind, key)?.metadata.uid !== uid();
        };
      }
      case 'evict':
        return () => this.#evicts(actor);
      case 'label':
        return () => this.#labels(actor, step.value);
      default:
        return step satisfies never;
    }
  }

  /** What a controller of the tenant does that holds an object until it has cleaned up. */
  #letGo({ kind, name }: Actor): void {
    const { virtual } = this.#clusters;
    const { deletionTimestamp, deletionGracePeriodSeconds } = virtual.get(kind, { namespace, name })?.metadata ?? {};
    const longEnoughMs = deletionGracePeriodSeconds === 0 ? 500 : Infinity;
    if (this.#clock.nowMs - Date.parse(deletionTimestamp ?? '') < longEnoughMs) return;
    if (deletionTimestamp !== undefined) virtual.patch(kind, { namespace, name }, { metadata: { finalizers: null } });
  }

  /** Of what is not on the host, or on its way out, nothing more is to be expected. */
  #labels({ kind, name }: Actor, value: string): boolean {
    const { host, virtual } = this.#clusters;
    const labels = { host: value };
    const object = virtual.get(kind, { namespace, name });
    if (object === undefined || isDeleting(object) || object.metadata.labels?.['host'] === value) return true;
    const hostKey = { namespace: release.namespace, name: hostName(name, namespace, release) };
    const copy = host.get(kind, hostKey);
    if (copy !== undefined && !isDeleting(copy) && copy.metadata.labels?.['host'] !== value)
      host.patch(kind, hostKey, { metadata: { labels } });
    return false;
  }

  #evicts(actor: Actor): boolean {
    const { name } = actor;
    const { host, virtual } = this.#clusters;
    this.#letGo(actor);
    if (virtual.get(pods, { namespace, name }) === undefined) return true;
    const hostKey = { namespace: release.namespace, name: hostName(name, namespace, release) };
    const pod = host.get(pods, hostKey);
    if (pod !== undefined && !isDeleting(pod)) {
      this.evicted.add(pod.metadata.uid);
      host.remove(pods, hostKey);
    }
    return false;
  }
}

function objectOf({ kind, name }: Actor, { content: fields, held }: { content: object; held: boolean }): KubeObject {
  const metadata = { name, namespace, labels: { app: name }, ...(held && { finalizers: [finalizer] }) };
  return { apiVersion: apiVersion(kind), kind: kind.kind, metadata, ...fields };
}

function succeeds(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    if (error instanceof ApiError) return false;
    throw error;
  }
}

function once<T>(compute: () => T): () => T {
  let known: { readonly value: T } | undefined;
  return () => (known ??= { value: compute() }).value;
}
