/**
 * The newest known state of one kind on one side, with indexes. Written by a reflector and, so that a plan never works from a
 * state older than its own last write (benchmarks §3.10), by the answers of writes. Every change is told to one listener.
 */
import { standsUnder } from '../model/change.ts';
import type { IndexValue, StoreChange } from '../model/change.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import { keyText } from '../model/side.ts';
import type { Key, Side } from '../model/side.ts';
import type { Index } from '../model/view.ts';
import { shared } from './shared.ts';
import { isNewer } from './version.ts';

export interface CacheOptions {
  readonly side: Side;
  readonly kind: Kind;
  readonly indexes: readonly Index[];
  readonly keep?: ((object: KubeObject) => KubeObject) | undefined;
  readonly onChange: (change: StoreChange) => void;
}

export type Unreadable = (item: unknown, error: unknown) => void;

export class Cache {
  readonly #options: CacheOptions;
  readonly #about: Pick<StoreChange, 'side' | 'kind'>;
  readonly #objects = new Map<string, KubeObject>();
  readonly #byNamespace = new Map<string, Set<string>>();
  readonly #byIndex = new Map<string, Map<string, Set<string>>>();
  /** Incarnations deleted by ourselves whose deletion the watch has not shown yet. */
  readonly #removed = new Set<string>();
  /** How far the watch has come; an answer that is older has been seen, and perhaps undone, by it already. */
  #seenVersion = '';
  #complete = false;
  #heardAtMs: number | undefined;

  constructor(options: CacheOptions) {
    this.#options = options;
    this.#about = { side: options.side, kind: options.kind };
    for (const index of options.indexes) this.#byIndex.set(index.name, new Map());
  }

  /** Whether a full list has been taken in; before that, absence means nothing. */
  get complete(): boolean {
    return this.#complete;
  }

  /** When the API server last showed anything, in milliseconds since 1970; undefined before the first list. */
  get heardAtMs(): number | undefined {
    return this.#heardAtMs;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: Key): KubeObject | undefined {
    const object = this.#objects.get(keyText(key));
    return object !== undefined && this.#removed.has(uidOf(object)) ? undefined : object;
  }

  list(namespace: string): readonly KubeObject[] {
    if (namespace === '') return [...this.#objects.values()].filter((object) => this.#visible(object));
    return this.#resolve(this.#byNamespace.get(namespace));
  }

  findIndexed(index: Index, value: string, passes: (object: KubeObject) => boolean): KubeObject | undefined {
    for (const text of this.#byIndex.get(index.name)?.get(value) ?? []) {
      const object = this.#objects.get(text);
      if (object !== undefined && this.#visible(object) && passes(object)) return object;
    }
    return undefined;
  }

  indexed(index: Index, value: string): readonly KubeObject[] {
    return this.#resolve(this.#byIndex.get(index.name)?.get(value));
  }

  /**
   * Takes a full list in: what is not in it is gone (spec OPS-12). What cannot be taken in is handed to `unreadable`, if there is
   * one, and the others are.
   */
  replaceAll(items: readonly KubeObject[], version: string, unreadable?: Unreadable): void {
    const listed = this.#putAll(items, unreadable);
    for (const [text, object] of this.#objects) {
      const writtenSince = isNewer(object.metadata.resourceVersion, version);
      if (!listed.has(text) && !writtenSince) this.#drop(object);
    }
    this.#listed(version);
  }

  /** The same with a list of a store that was set back: nothing counts that it does not show, however new. */
  restart(items: readonly KubeObject[], version: string, unreadable?: Unreadable): void {
    const versions = new Map(items.map((item) => [keyText(keyOf(item)), item.metadata.resourceVersion]));
    for (const [text, object] of this.#objects) {
      // Whatever is not the same goes, so that the older state can take its place.
      if (versions.get(text) !== object.metadata.resourceVersion) this.#drop(object);
    }
    this.#putAll(items, unreadable);
    this.#listed(version);
  }

  /** Takes in what a watch has shown. */
  observe(object: KubeObject, deleted: boolean): void {
    this.#heardAtMs = Date.now();
    const version = object.metadata.resourceVersion;
    if (version !== undefined) this.#seenVersion = version;
    if (deleted) this.#drop(object);
    else this.#put(object);
  }

  bookmark(version: string): void {
    this.#seenVersion = version;
    this.#heardAtMs = Date.now();
  }

  /** How far the watch has come: everything up to this version has been shown to this cache. */
  get position(): string {
    return this.#seenVersion;
  }

  /** Takes in what the watch has missed, found by an audit. */
  repair(object: KubeObject, deleted: boolean): void {
    if (deleted) this.#drop(object);
    else this.#put(object);
  }

  /** Takes in the answer of a write of ours, unless the watch is past it. */
  wrote(object: KubeObject, by?: string): void {
    if (isNewer(object.metadata.resourceVersion, this.#seenVersion)) return this.#put(object, by);
    // A list may have skipped both the object and its end: then nobody but this answer tells those who wait for it.
    if (!this.#objects.has(keyText(keyOf(object)))) this.#tellGone(this.#options.keep?.(object) ?? object);
  }

  /** A deletion of ours was answered with success: the incarnation counts as gone from now on. */
  removed(key: Key, uid: string): void {
    const object = this.#objects.get(keyText(key));
    if (object?.metadata.uid !== uid || this.#removed.has(uid)) return;
    this.#removed.add(uid);
    this.#tellGone(object);
  }

  #putAll(items: readonly KubeObject[], unreadable: Unreadable | undefined): ReadonlySet<string> {
    const listed = new Set<string>();
    for (const item of items) {
      try {
        listed.add(keyText(keyOf(item)));
        this.#put(item);
      } catch (error) {
        if (unreadable === undefined) throw error;
        unreadable(item, error);
      }
    }
    return listed;
  }

  #listed(version: string): void {
    this.#removed.clear();
    this.#seenVersion = version;
    this.#complete = true;
    this.#heardAtMs = Date.now();
  }

  #visible(object: KubeObject): boolean {
    return !this.#removed.has(uidOf(object));
  }

  #resolve(texts: ReadonlySet<string> | undefined): readonly KubeObject[] {
    const found: KubeObject[] = [];
    for (const text of texts ?? []) {
      const object = this.#objects.get(text);
      if (object !== undefined && this.#visible(object)) found.push(object);
    }
    return found;
  }

  #put(raw: KubeObject, by?: string): void {
    const object = shared(this.#options.keep?.(raw) ?? raw);
    const text = keyText(keyOf(object));
    const before = this.#objects.get(text);
    if (before !== undefined && !isNews(object, before)) return;
    // The deletion of a former incarnation comes later than this one, and finds nothing to delete.
    if (before !== undefined && uidOf(before) !== uidOf(object)) this.#removed.delete(uidOf(before));
    const [was, is] = [this.#valuesOf(before), this.#valuesOf(object)];
    this.#objects.set(text, object);
    if (before === undefined) add(this.#byNamespace, object.metadata.namespace ?? '', text);
    this.#reindex(text, was, is);
    if (this.#visible(object)) this.#options.onChange({ ...this.#about, before, after: object, was, is, by });
  }

  #drop(object: KubeObject): void {
    const text = keyText(keyOf(object));
    const before = this.#objects.get(text);
    // A deletion seen late must not take a newer incarnation with it.
    if (before === undefined || before.metadata.uid !== object.metadata.uid) return;
    const was = this.#valuesOf(before);
    this.#objects.delete(text);
    remove(this.#byNamespace, before.metadata.namespace ?? '', text);
    this.#reindex(text, was, []);
    if (!this.#removed.delete(before.metadata.uid ?? '')) this.#tellGone(before, was);
  }

  #tellGone(before: KubeObject, was: readonly IndexValue[] = this.#valuesOf(before)): void {
    this.#options.onChange({ ...this.#about, before, after: undefined, was, is: [] });
  }

  #valuesOf(object: KubeObject | undefined): readonly IndexValue[] {
    const values: IndexValue[] = [];
    if (object === undefined) return values;
    for (const index of this.#options.indexes)
      for (const value of index.values(object)) values.push({ index: index.name, value });
    return values;
  }

  #reindex(text: string, was: readonly IndexValue[], is: readonly IndexValue[]): void {
    for (const { index, value } of was)
      if (!standsUnder(is, index, value)) remove(this.#byIndex.get(index), value, text);
    for (const { index, value } of is) if (!standsUnder(was, index, value)) add(this.#byIndex.get(index), value, text);
  }
}

/** Whatever the incarnation: a late event of a former one must not take the place of the one that an answer has shown. */
function isNews(object: KubeObject, before: KubeObject): boolean {
  return isNewer(object.metadata.resourceVersion, before.metadata.resourceVersion);
}

function uidOf({ metadata }: KubeObject): string {
  return metadata.uid ?? '';
}

function add(sets: Map<string, Set<string>> | undefined, value: string, text: string): void {
  const set = sets?.get(value);
  if (set === undefined) sets?.set(value, new Set([text]));
  else set.add(text);
}

function remove(sets: Map<string, Set<string>> | undefined, value: string, text: string): void {
  const set = sets?.get(value);
  if (set === undefined) return;
  set.delete(text);
  if (set.size === 0) sets?.delete(value);
}
