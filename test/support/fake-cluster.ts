/**
 * An API server in memory, the only fake there is (style.md §2.21): optimistic locking, UID preconditions, grace periods and
 * watches behave like the real ones; nothing is validated and nothing defaulted. `before` and `after` are where tests put faults.
 */
import type { Cluster, DeleteOptions, ListPage, Scope, WatchEvent } from '../../syncer/model/cluster.ts';
import { ApiError } from '../../syncer/model/errors.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import { keyText } from '../../syncer/model/side.ts';
import type { Key, Side } from '../../syncer/model/side.ts';
import { Bell } from './bell.ts';
import { merged } from './merged.ts';

interface Entry {
  readonly plural: string;
  readonly version: number;
  readonly event: WatchEvent;
}

/** Checked where given. */
interface Precondition {
  readonly uid?: string | undefined;
  readonly resourceVersion?: string | undefined;
}

export class FakeCluster implements Cluster {
  readonly side: Side;
  /** Every write that was carried out, as `create pods default/web`. */
  readonly writes: string[] = [];
  /** Throws to refuse a write. */
  before: (what: string) => void = () => {};
  /** Throws to lose the answer to a write that has been carried out. */
  after: (what: string) => void = () => {};
  /** What a POST to a subresource does and answers. */
  onPost: (key: Key, subresource: string, body: object) => unknown = () => ({});
  readonly #objects = new Map<string, KubeObject>();
  readonly #history: Entry[] = [];
  readonly #changed = new Bell();
  #version = 0;
  #uids = 0;

  constructor(side: Side) {
    this.side = side;
  }

  list(kind: Kind, scope: Scope): Promise<ListPage> {
    const items = [...this.#objects]
      .filter(([id, { metadata }]) => id.startsWith(`${kind.plural} `) && within(metadata, scope))
      .map(([, object]) => structuredClone(object));
    return Promise.resolve({ items, resourceVersion: String(this.#version) });
  }

  async *watch(kind: Kind, _scope: Scope, version: string, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    for (let at = Number(version); !signal.aborted;) {
      const next = this.#history.find((entry) => entry.version > at && entry.plural === kind.plural);
      if (next === undefined) await this.#changed.rung(signal);
      else {
        at = next.version;
        yield structuredClone(next.event);
      }
    }
  }

  get(kind: Kind, key: Key): Promise<KubeObject | undefined> {
    return Promise.resolve(structuredClone(this.peek(kind, key)));
  }

  /** The stored object itself, for a test to look at. */
  peek<T extends KubeObject>(kind: Kind<T>, key: Key): T | undefined {
    return this.#objects.get(idOf(kind, key)) as T | undefined;
  }

  create(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return this.#write(`create ${kind.plural} ${keyText(keyOf(object))}`, () => {
      const id = idOf(kind, keyOf(object));
      if (this.#objects.has(id)) throw refusal(409, `${id} already exists`);
      const uid = object.metadata.uid ?? `${this.side}-${++this.#uids}`;
      return this.#put(kind, { ...object, metadata: { ...object.metadata, uid } }, 'ADDED');
    });
  }

  patch(kind: Kind, key: Key, patch: object, subresource?: string): Promise<KubeObject> {
    const where = subresource === undefined ? kind.plural : `${kind.plural}/${subresource}`;
    return this.#write(`patch ${where} ${keyText(key)}`, () => {
      const stored = this.#found(kind, key);
      const { uid, resourceVersion } = (patch as { metadata?: Partial<Metadata> }).metadata ?? {};
      this.#check(stored, { uid, resourceVersion });
      return this.#put(kind, merged(stored, patch) as KubeObject, 'MODIFIED');
    });
  }

  replace(kind: Kind, object: KubeObject): Promise<KubeObject> {
    return this.#write(`replace ${kind.plural} ${keyText(keyOf(object))}`, () => {
      this.#check(this.#found(kind, keyOf(object)), object.metadata);
      return this.#put(kind, object, 'MODIFIED');
    });
  }

  remove(kind: Kind, key: Key, { uid, graceSeconds }: DeleteOptions): Promise<KubeObject | undefined> {
    return this.#write(`delete ${kind.plural} ${keyText(key)}`, () => {
      const stored = this.peek(kind, key);
      if (stored === undefined) return undefined;
      this.#check(stored, { uid });
      if ((graceSeconds ?? 0) > 0 || (stored.metadata.finalizers ?? []).length > 0) {
        const metadata = {
          ...stored.metadata,
          deletionTimestamp: 'now',
          deletionGracePeriodSeconds: graceSeconds ?? 0,
        };
        return this.#put(kind, { ...stored, metadata }, 'MODIFIED');
      }
      this.vanish(kind, key);
      return undefined;
    });
  }

  post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown> {
    return this.#write(`post ${kind.plural}/${subresource} ${keyText(key)}`, () => this.onPost(key, subresource, body));
  }

  /** A change by somebody else: not counted among the writes. */
  set(kind: Kind, object: KubeObject): KubeObject {
    const before = this.peek(kind, keyOf(object));
    const uid = object.metadata.uid ?? before?.metadata.uid ?? `${this.side}-${++this.#uids}`;
    return this.#put(
      kind,
      { ...object, metadata: { ...object.metadata, uid } },
      before === undefined ? 'ADDED' : 'MODIFIED',
    );
  }

  /** A deletion by somebody else, at once. */
  vanish(kind: Kind, key: Key): void {
    const stored = this.#found(kind, key);
    this.#objects.delete(idOf(kind, key));
    this.#tell(
      kind,
      { ...stored, metadata: { ...stored.metadata, resourceVersion: String(++this.#version) } },
      'DELETED',
    );
  }

  async #write<T>(what: string, carryOut: () => T): Promise<T> {
    await Promise.resolve();
    this.before(what);
    const answer = structuredClone(carryOut());
    this.writes.push(what);
    this.after(what);
    return answer;
  }

  #put(kind: Kind, object: KubeObject, type: 'ADDED' | 'MODIFIED'): KubeObject {
    const stored = structuredClone({
      ...object,
      metadata: { ...object.metadata, resourceVersion: String(++this.#version) },
    });
    this.#objects.set(idOf(kind, keyOf(stored)), stored);
    this.#tell(kind, stored, type);
    return stored;
  }

  #tell({ plural }: Kind, object: KubeObject, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
    this.#history.push({ plural, version: this.#version, event: { type, object } });
    this.#changed.ring();
  }

  #found(kind: Kind, key: Key): KubeObject {
    const stored = this.peek(kind, key);
    if (stored === undefined) throw refusal(404, `${idOf(kind, key)} not found`);
    return stored;
  }

  #check({ metadata }: KubeObject, { uid, resourceVersion }: Precondition): void {
    if (uid !== undefined && uid !== metadata.uid) throw refusal(409, `UID in precondition: ${uid}`);
    if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
      throw refusal(409, 'the object has been modified');
    }
  }
}

export function refusal(status: number, message: string, retryAfterMs?: number): ApiError {
  return new ApiError(message, { status, reason: '', retryAfterMs });
}

function within(metadata: Metadata, { namespace }: Scope): boolean {
  return namespace === '' || metadata.namespace === undefined || metadata.namespace === namespace;
}

function keyOf({ metadata }: KubeObject): Key {
  return { namespace: metadata.namespace ?? '', name: metadata.name };
}

function idOf(kind: Kind, key: Key): string {
  return `${kind.plural} ${keyText(key)}`;
}
