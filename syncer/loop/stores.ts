/** All caches of both sides, found by side and kind, and the tracked views that plans read them through. */
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import { keyText } from '../model/side.ts';
import type { Key, Of, Side } from '../model/side.ts';
import type { Index, Reader, Release, View } from '../model/view.ts';
import { readIds } from './reads.ts';

/** What the loop needs of a cache; cluster/cache.ts is the real one. */
export interface Store {
  readonly complete: boolean;
  get(key: Key): KubeObject | undefined;
  list(namespace: string): readonly KubeObject[];
  indexed(index: Index, value: string): readonly KubeObject[];
  findIndexed(index: Index, value: string, passes: (object: KubeObject) => boolean): KubeObject | undefined;
  /** `by`: the queue key whose plan needs no further look at its own write. */
  wrote(object: KubeObject, by?: string): void;
  removed(key: Key, uid: string): void;
}

export class Stores {
  readonly #stores = new Map<string, Store>();

  add(side: Side, kind: Kind, store: Store): void {
    this.#stores.set(idOf(side, kind), store);
  }

  tryFind(side: Side, kind: Kind): Store | undefined {
    return this.#stores.get(idOf(side, kind));
  }

  /** @throws when a resource reads a kind that it does not name among its sources: a bug of that resource */
  find(side: Side, kind: Kind): Store {
    const store = this.tryFind(side, kind);
    if (store === undefined)
      throw new Error(`Nobody watches ${side} ${kind.plural}: name it in the resource's sources.`);
    return store;
  }

  get complete(): boolean {
    return [...this.#stores.values()].every((store) => store.complete);
  }
}

export interface OpenView extends View {
  /** The ids of everything read so far. */
  readonly read: ReadonlySet<string>;
  /** Whether any read has found anything. */
  readonly found: boolean;
}

/** Without an id, something was seen that nobody waits for. */
type Note = (id: string | undefined, found: boolean) => void;

export function openView(stores: Stores, release: Release, nowMs: number): OpenView {
  const read = new Set<string>();
  let foundAny = false;
  const note: Note = (id, found) => {
    if (id !== undefined) read.add(id);
    foundAny ||= found;
  };
  return {
    release,
    nowMs,
    virtual: reader('virtual', stores, note),
    host: reader('host', stores, note),
    read,
    get found() {
      return foundAny;
    },
  };
}

/** A view that subscribes nobody to anything, for whoever looks once. It shows every moment as it is, not a frozen one. */
export function quietView(stores: Stores, release: Release, now: () => number): View {
  const note: Note = () => {};
  return {
    release,
    get nowMs() {
      return now();
    },
    virtual: reader('virtual', stores, note),
    host: reader('host', stores, note),
  };
}

function reader<S extends Side>(side: S, stores: Stores, note: Note): Reader<S> {
  return {
    get: <T extends KubeObject>(kind: Kind<T>, key: Key<S>) => {
      const object = stores.find(side, kind).get(key) as Of<S, T> | undefined;
      note(readIds.object(side, kind.plural, keyText(key)), object !== undefined);
      return object;
    },
    peek: <T extends KubeObject>(kind: Kind<T>, key: Key<S>) => {
      const object = stores.find(side, kind).get(key) as Of<S, T> | undefined;
      if (object !== undefined) note(undefined, true);
      return object;
    },
    list: <T extends KubeObject>(kind: Kind<T>, namespace: string) => {
      const objects = stores.find(side, kind).list(namespace) as readonly Of<S, T>[];
      note(readIds.list(side, kind.plural, namespace), objects.length > 0);
      return objects;
    },
    indexed: <T extends KubeObject>(index: Index<S, T>, value: string) => {
      const objects = stores.find(side, index.kind).indexed(index, value) as readonly Of<S, T>[];
      note(readIds.index(side, index.name, value), objects.length > 0);
      return objects;
    },
    findIndexed: <T extends KubeObject>(index: Index<S, T>, value: string, passes?: (object: Of<S, T>) => boolean) => {
      const store = stores.find(side, index.kind);
      const object = store.findIndexed(index, value, (found) => passes?.(found as Of<S, T>) ?? true) as
        | Of<S, T>
        | undefined;
      // Who comes and goes matters always; how they look only as far as a condition asks for it.
      note(readIds.members(side, index.name, value), object !== undefined);
      if (passes !== undefined && object === undefined) note(readIds.index(side, index.name, value), false);
      if (passes !== undefined && object !== undefined)
        note(readIds.object(side, index.kind.plural, keyText(keyOf(object))), true);
      return object;
    },
  };
}

function idOf(side: Side, kind: Kind): string {
  return `${side} ${kind.group}/${kind.plural}`;
}
