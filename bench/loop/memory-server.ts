/**
 * An API server in memory that costs little and says what it costs: for measuring the syncer without HTTP. Every object crosses as
 * text, as it would over a connection, with managedFields of the usual size. Nothing is validated.
 */
import type { Cluster, DeleteOptions, ListPage, Scope, WatchEvent } from '../../syncer/model/cluster.ts';
import { ApiError } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { pods } from '../../syncer/model/kubernetes.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import { keyText } from '../../syncer/model/side.ts';
import type { Key, Side } from '../../syncer/model/side.ts';
import { merged } from '../../test/support/merged.ts';

type Type = 'ADDED' | 'MODIFIED' | 'DELETED';

interface Watch {
  readonly plural: string;
  readonly namespace: string;
  readonly lines: string[];
  wake: () => void;
}

/** What API servers remember about who set which field; about half of a pod. */
const managedFields = Array.from({ length: 3 }, (_, index) => ({
  manager: `manager-${index}`,
  operation: 'Update',
  apiVersion: 'v1',
  time: '2026-11-23T00:00:00Z',
  fieldsType: 'FieldsV1',
  fieldsV1: Object.fromEntries(Array.from({ length: 25 }, (_field, at) => [`f:field-number-${at}`, { '.': {} }])),
}));

export class MemoryServer implements Cluster {
  readonly side: Side;
  /** CPU that the server itself has used, in microseconds. */
  ownMicros = 0;
  writes = 0;
  /** Told of every change, after the answer to whoever made it. */
  onChange: (kind: Kind, object: KubeObject, type: Type) => void = () => {};
  /** As bytes outside of the heap, so that they are no part of what the syncer is found to keep. */
  readonly #objects = new Map<string, Buffer>();
  readonly #watches = new Set<Watch>();
  #version = 1;
  #uids = 0;

  constructor(side: Side) {
    this.side = side;
  }

  list(kind: Kind, { namespace }: Scope): Promise<ListPage> {
    const items = [...this.#objects]
      .filter(([id]) => id.startsWith(`${kind.plural} `))
      .map(([, bytes]) => parsed(bytes))
      .filter(({ metadata }) => inside(metadata, namespace));
    return Promise.resolve({ items, resourceVersion: String(this.#version) });
  }

  async *watch(kind: Kind, { namespace }: Scope, _version: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const watch: Watch = { plural: kind.plural, namespace, lines: [], wake: () => {} };
    this.#watches.add(watch);
    signal.addEventListener('abort', () => watch.wake());
    while (!signal.aborted) {
      const lines = watch.lines.splice(0);
      for (const line of lines) {
        const event = JSON.parse(line) as { readonly type: Type; readonly object: KubeObject };
        yield { type: event.type, object: trimmed(event.object) };
      }
      if (watch.lines.length === 0) await new Promise<void>((resolve) => (watch.wake = resolve));
    }
  }

  get(kind: Kind, key: Key): Promise<KubeObject | undefined> {
    return Promise.resolve(this.peek(kind, key));
  }

  peek<T extends KubeObject>(kind: Kind<T>, key: Key): T | undefined {
    const bytes = this.#objects.get(idOf(kind, key));
    return bytes === undefined ? undefined : (parsed(bytes) as T);
  }

  create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return this.#write(() => {
      const uid = `${this.side}-uid-${++this.#uids}`;
      const metadata = { ...object.metadata, uid, generation: 1, creationTimestamp: '2026-11-23T00:00:00Z' };
      const status = kind === pods ? { status: { phase: 'Pending', qosClass: 'Burstable' } } : {};
      return this.#put(kind, { apiVersion: kind.version, kind: kind.kind, ...object, ...status, metadata }, 'ADDED');
    });
  }

  patch(kind: Kind, key: Key, patch: object): Promise<KubeObject> {
    return this.#write(() => this.#put(kind, merged(this.#found(kind, key), patch) as KubeObject, 'MODIFIED'));
  }

  replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return this.#write(() => this.#put(kind, object, 'MODIFIED'));
  }

  async remove(kind: Kind, key: Key, { graceSeconds = 30 }: DeleteOptions): Promise<KubeObject | undefined> {
    const stored = this.peek(kind, key);
    if (stored === undefined) return undefined;
    const atOnce = kind !== pods || graceSeconds === 0;
    const answer = await this.#write(() => {
      const deletionTimestamp = '2026-11-23T00:00:00Z';
      const metadata = { ...stored.metadata, deletionTimestamp, deletionGracePeriodSeconds: graceSeconds };
      if (atOnce) this.#objects.delete(idOf(kind, key));
      return this.#put(kind, { ...stored, metadata }, atOnce ? 'DELETED' : 'MODIFIED');
    });
    return atOnce ? undefined : answer;
  }

  post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown> {
    if (subresource === 'token') return Promise.resolve({ status: { token: 'x'.repeat(900) } });
    return this.#write(() => {
      const { name } = (body as { readonly target: { readonly name: string } }).target;
      const condition = { type: 'PodScheduled', status: 'True' };
      return this.#put(kind, merged(this.#found(kind, key), bound(name, condition)) as KubeObject, 'MODIFIED');
    });
  }

  /** Whoever waits for it reads the answer as text, too; the server's own work is counted apart. */
  #write(carryOut: () => string): Promise<KubeObject> {
    this.writes++;
    const before = process.threadCpuUsage();
    const text = carryOut();
    const { user, system } = process.threadCpuUsage(before);
    this.ownMicros += user + system;
    return new Promise((resolve) => setImmediate(() => resolve(trimmed(JSON.parse(text) as KubeObject))));
  }

  #put(kind: Kind, object: KubeObject, type: Type): string {
    const metadata = { ...object.metadata, resourceVersion: String(++this.#version) };
    const bytes = Buffer.from(JSON.stringify({ ...object, metadata }));
    const stored = parsed(bytes);
    if (type !== 'DELETED') this.#objects.set(idOf(kind, keyOf(stored)), bytes);
    const text = JSON.stringify({ ...stored, metadata: { ...stored.metadata, managedFields } });
    for (const watch of this.#watches) {
      if (watch.plural !== kind.plural || !inside(stored.metadata, watch.namespace)) continue;
      watch.lines.push(`{"type":"${type}","object":${text}}`);
      setImmediate(watch.wake);
    }
    setImmediate(() => this.onChange(kind, stored, type));
    return text;
  }

  #found(kind: Kind, key: Key): KubeObject {
    const stored = this.peek(kind, key);
    if (stored === undefined) throw new ApiError(`${idOf(kind, key)} not found`, { status: 404, reason: 'NotFound' });
    return stored;
  }
}

/** What a binding does. */
export function bound(nodeName: string, condition: object): object {
  return { spec: { nodeName }, status: { conditions: [condition] } };
}

function parsed(bytes: Buffer): KubeObject {
  return JSON.parse(bytes.toString()) as KubeObject;
}

function trimmed({ metadata, ...rest }: KubeObject): KubeObject {
  const { managedFields: _, ...kept } = metadata as Metadata & { readonly managedFields?: unknown };
  return { ...rest, metadata: kept };
}

function inside({ namespace: of }: Metadata, namespace: string): boolean {
  return namespace === '' || of === undefined || of === namespace;
}

function keyOf({ metadata }: KubeObject): Key {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function idOf(kind: Kind, key: Key): string {
  return `${kind.plural} ${keyText(key)}`;
}
