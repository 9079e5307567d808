/**
 * From a change to the queue keys that it concerns: whatever has read what changed, and the keys that resources name for the
 * object itself. This runs for every event of both sides, so it makes no objects that it does not need.
 */
import { standsUnder } from '../model/change.ts';
import type { StoreChange } from '../model/change.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { Resource } from '../model/resource.ts';
import { keyText } from '../model/side.ts';
import type { Side } from '../model/side.ts';
import type { View } from '../model/view.ts';
import { readIds } from './reads.ts';
import type { Reads } from './reads.ts';

/** `<resource> <key>`, the form of queue keys. */
export function queueKey(resource: string, key: string): string {
  return `${resource} ${key}`;
}

export class Concerns {
  readonly #resources: readonly Resource[];
  readonly #reads: Reads;
  /** Tracks nothing: events read for nobody. */
  readonly #view: View;
  readonly #routes = new Map<string, readonly Resource[]>();

  constructor(resources: readonly Resource[], reads: Reads, view: View) {
    this.#resources = resources;
    this.#reads = reads;
    this.#view = view;
  }

  /** Calls back for every key that a change concerns, for some of them twice. */
  eachKeyOf(change: StoreChange, visit: (key: string) => void): void {
    const object = change.after ?? change.before;
    if (object === undefined) return;
    const { by } = change;
    const visitOther = (key: string): void => {
      if (key !== by) visit(key);
    };
    this.#eachReader(change, object, visitOther);
    for (const key of this.keysOf(change, object)) visitOther(key);
  }

  /** Keys that an object concerns by itself. */
  keysOf({ side, kind, before }: Pick<StoreChange, 'side' | 'kind' | 'before'>, object: KubeObject): readonly string[] {
    const keys: string[] = [];
    const change = { side, kind, object, before: before === object ? undefined : before };
    for (const resource of this.#routesOf(side, kind)) {
      const own = resource.keysOf(change, this.#view);
      for (const key of own) keys.push(queueKey(resource.name, key));
    }
    return keys;
  }

  #eachReader({ side, kind, was, is }: StoreChange, object: KubeObject, visit: (key: string) => void): void {
    const tell = (id: string): void => {
      for (const reader of this.#reads.readersOf(id)) visit(reader);
    };
    const { plural } = kind;
    tell(readIds.object(side, plural, keyText(keyOf(object))));
    tell(readIds.list(side, plural, object.metadata.namespace ?? ''));
    if (kind.namespaced) tell(readIds.list(side, plural, ''));
    for (const { index, value } of was) {
      tell(readIds.index(side, index, value));
      if (!standsUnder(is, index, value)) tell(readIds.members(side, index, value));
    }
    for (const { index, value } of is) {
      if (standsUnder(was, index, value)) continue;
      tell(readIds.index(side, index, value));
      tell(readIds.members(side, index, value));
    }
  }

  /** The resources that have anything to do with a kind. */
  #routesOf(side: Side, { group, plural }: Kind): readonly Resource[] {
    const id = `${side} ${group}/${plural}`;
    const known = this.#routes.get(id);
    if (known !== undefined) return known;
    const routes = this.#resources.filter(({ sources }) =>
      sources.some((source) => source.side === side && source.kind.plural === plural && source.kind.group === group),
    );
    this.#routes.set(id, routes);
    return routes;
  }
}
