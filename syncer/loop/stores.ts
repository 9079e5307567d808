/** All caches of both sides, found by side and kind, and the tracked views that plans read them through. */
import type { Kind } from '../model/kind.ts';
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
  indexValues(object: KubeObject | undefined): readonly { readonly index: string; readonly value: string }[];
  wrote(object: KubeObject): void;
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
}

export function openView(stores: Stores, release: Release, nowMs: number): OpenView {
  const read = new Set<string>();
  return { release, nowMs, read, virtual: reader('virtual', stores, read), host: reader('host', stores, read) };
}

function reader<S extends Side>(side: S, stores: Stores, read: Set<string>): Reader<S> {
  return {
    get: <T extends KubeObject>(kind: Kind<T>, key: Key<S>) => {
      read.add(readIds.object(side, kind.plural, keyText(key)));
      return stores.find(side, kind).get(key) as Of<S, T> | undefined;
    },
    peek: <T extends KubeObject>(kind: Kind<T>, key: Key<S>) =>
      stores.find(side, kind).get(key) as Of<S, T> | undefined,
    list: <T extends KubeObject>(kind: Kind<T>, namespace: string) => {
      read.add(readIds.list(side, kind.plural, namespace));
      return stores.find(side, kind).list(namespace) as readonly Of<S, T>[];
    },
    indexed: <T extends KubeObject>(index: Index<S, T>, value: string) => {
      read.add(readIds.index(side, index.name, value));
      return stores.find(side, index.kind).indexed(index, value) as readonly Of<S, T>[];
    },
  };
}

function idOf(side: Side, kind: Kind): string {
  return `${side} ${kind.group}/${kind.plural}`;
}
