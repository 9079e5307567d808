/**
 * An API server in memory, with the semantics that the syncer's correctness hangs on: resource versions, UIDs, optimistic locking,
 * writes without effect, graceful ends of pods, finalizers, the status subresource, bindings and cluster IPs that exist once.
 */
import { isDeepStrictEqual } from 'node:util';
import { ApiError } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { pods, services } from '../../syncer/model/kubernetes.ts';
import type { Pod, Service } from '../../syncer/model/kubernetes.ts';
import { isDeleting, keyOf } from '../../syncer/model/object.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import { keyText } from '../../syncer/model/side.ts';
import type { Key, Side } from '../../syncer/model/side.ts';
import type { Clock } from './clock.ts';
import { merged } from '../support/merged.ts';
import { withAddress } from './semantics.ts';

export interface Entry {
  readonly atMs: number;
  readonly plural: string;
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: KubeObject;
}

type WithStatus = KubeObject & { readonly spec?: unknown; readonly status?: object };

/** Kinds whose status is written by itself. */
const withStatus = new Set(['pods', 'services', 'nodes']);
const defaultGraceSeconds = 30;

export class ApiServer {
  readonly side: Side;
  readonly history: Entry[] = [];
  readonly listeners: Set<(entry: Entry) => void> = new Set();
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #objects = new Map<string, KubeObject>();
  #version = 100;
  #uids = 0;

  constructor(side: Side, clock: Clock, random: () => number) {
    this.side = side;
    this.#clock = clock;
    this.#random = random;
  }

  get version(): number {
    return this.#version;
  }

  get<T extends KubeObject>(kind: Kind<T>, key: Key): T | undefined {
    return this.#objects.get(idOf(kind, key)) as T | undefined;
  }

  list<T extends KubeObject>(kind: Kind<T>, namespace = ''): readonly T[] {
    const found: T[] = [];
    for (const [id, object] of this.#objects) {
      const inside = namespace === '' || (object.metadata.namespace ?? namespace) === namespace;
      if (inside && id.startsWith(`${kind.plural} `)) found.push(object as T);
    }
    return found;
  }

  create(kind: Kind, object: KubeObject): KubeObject {
    if (this.#objects.has(idOf(kind, keyOf(object)))) throw refusal(409, `${idOf(kind, keyOf(object))} already exists`);
    const uid = `${this.side}-uid-${++this.#uids}`;
    const metadata = { ...object.metadata, uid, generation: 1, creationTimestamp: this.#clock.text };
    return this.#put(kind, this.#admitted(kind, { ...object, metadata }, undefined), 'ADDED');
  }

  patch(kind: Kind, key: Key, patch: object, subresource?: string): KubeObject {
    const stored: WithStatus = this.#found(kind, key);
    check(stored, (patch as { metadata?: Partial<Metadata> }).metadata ?? {});
    return this.#update(kind, stored, merged(stored, patch) as WithStatus, subresource);
  }

  replace(kind: Kind, object: KubeObject): KubeObject {
    const stored: WithStatus = this.#found(kind, keyOf(object));
    check(stored, object.metadata);
    const { uid, creationTimestamp } = stored.metadata;
    const metadata = { ...object.metadata, ...defined({ uid, creationTimestamp }) };
    return this.#update(kind, stored, { ...object, metadata });
  }

  /** The object on its way out, or undefined when nothing is left of it. */
  remove(
    kind: Kind,
    key: Key,
    options: { uid?: string | undefined; graceSeconds?: number | undefined } = {},
  ): KubeObject | undefined {
    const stored = this.get(kind, key);
    if (stored === undefined) return undefined;
    check(stored, { ...defined({ uid: options.uid }) });
    const graceSeconds = kind.plural === pods.plural ? graceOf(stored as Pod, options.graceSeconds) : 0;
    if (graceSeconds === 0 && !isHeld(stored)) {
      this.#vanish(kind, stored);
      return undefined;
    }
    const { deletionGracePeriodSeconds: before = Infinity } = stored.metadata;
    if (before <= graceSeconds) return stored;
    const deletionTimestamp = stored.metadata.deletionTimestamp ?? this.#clock.text;
    const metadata = { ...stored.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds };
    return this.#put(kind, { ...stored, metadata }, 'MODIFIED');
  }

  bind(key: Key, { node, uid }: { node: string; uid: string | undefined }): void {
    const stored = this.#found(pods, key) as Pod;
    check(stored, defined({ uid }));
    if (isDeleting(stored) || (stored.spec.nodeName ?? '') !== '')
      throw refusal(409, `pod ${key.name} is bound or deleted`);
    const scheduled = { type: 'PodScheduled', status: 'True' };
    const status = { ...stored.status, conditions: [...(stored.status?.conditions ?? []), scheduled] };
    this.#put(pods, { ...stored, spec: { ...stored.spec, nodeName: node }, status } as Pod, 'MODIFIED');
  }

  #update(kind: Kind, stored: WithStatus, wanted: WithStatus, subresource?: string): KubeObject {
    let next = wanted;
    if (subresource === 'status') next = { ...stored, ...defined({ status: wanted.status }) };
    else if (withStatus.has(kind.plural)) next = { ...wanted, ...defined({ status: stored.status }) };
    next = this.#admitted(kind, next, stored);
    const { deletionTimestamp, deletionGracePeriodSeconds, resourceVersion } = stored.metadata;
    const kept = defined({ deletionTimestamp, deletionGracePeriodSeconds, resourceVersion });
    const generation = (stored.metadata.generation ?? 1) + (isDeepStrictEqual(stored.spec, next.spec) ? 0 : 1);
    next = { ...next, metadata: { ...next.metadata, ...kept, generation } };
    if (isDeepStrictEqual(next, stored)) return stored;
    const saved = this.#put(kind, next, 'MODIFIED');
    if (saved.metadata.deletionGracePeriodSeconds === 0 && !isHeld(saved)) {
      this.#vanish(kind, saved);
    }
    return saved;
  }

  #admitted(kind: Kind, object: WithStatus, before: WithStatus | undefined): WithStatus {
    if (kind.plural === services.plural) {
      const others = this.list(services).filter((other) => other.metadata.uid !== object.metadata.uid);
      return withAddress(object as Service, before as Service | undefined, others, this.#random);
    }
    if (kind.plural !== pods.plural || before !== undefined) return object;
    return { ...object, status: { phase: 'Pending', qosClass: 'BestEffort' } };
  }

  #put(kind: Kind, object: KubeObject, type: 'ADDED' | 'MODIFIED'): KubeObject {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    const stored = { ...object, metadata };
    this.#objects.set(idOf(kind, keyOf(stored)), stored);
    this.#tell({ plural: kind.plural, version: this.#version, type, object: stored });
    return stored;
  }

  #vanish(kind: Kind, stored: KubeObject): void {
    this.#objects.delete(idOf(kind, keyOf(stored)));
    const object = { ...stored, metadata: { ...stored.metadata, resourceVersion: String(++this.#version) } };
    this.#tell({ plural: kind.plural, version: this.#version, type: 'DELETED', object });
  }

  #tell(change: Omit<Entry, 'atMs'>): void {
    const entry = { ...change, atMs: this.#clock.nowMs };
    this.history.push(entry);
    const listeners = [...this.listeners];
    for (const listener of listeners) listener(entry);
  }

  #found(kind: Kind, key: Key): KubeObject {
    const stored = this.get(kind, key);
    if (stored === undefined) throw refusal(404, `${idOf(kind, key)} not found`);
    return stored;
  }
}

export function refusal(status: number, message: string): ApiError {
  return new ApiError(message, { status, reason: '' });
}

function check({ metadata }: KubeObject, { uid, resourceVersion }: Partial<Metadata>): void {
  if (uid !== undefined && uid !== metadata.uid) throw refusal(409, `the UID in the precondition is ${uid}`);
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw refusal(409, 'the object has been modified');
  }
}

function isHeld({ metadata }: KubeObject): boolean {
  return (metadata.finalizers ?? []).length > 0;
}

/** A pod that no node has, or that is over, needs no time to end. */
function graceOf({ spec, status }: Pod, asked: number | undefined): number {
  const over = status?.phase === 'Succeeded' || status?.phase === 'Failed';
  if ((spec.nodeName ?? '') === '' || over) return 0;
  return asked ?? spec.terminationGracePeriodSeconds ?? defaultGraceSeconds;
}

function defined<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}

function idOf(kind: Kind, key: Key): string {
  return `${kind.plural} ${keyText(key)}`;
}
