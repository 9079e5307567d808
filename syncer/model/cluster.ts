/** One side's API server as the loop sees it. The only thing that tests may fake. */
import type { Kind } from './kind.ts';
import type { KubeObject } from './object.ts';
import type { Key, Side } from './side.ts';

export interface ListPage {
  readonly items: readonly KubeObject[];
  readonly resourceVersion: string;
}

export type WatchEvent =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: KubeObject }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string };

export interface Scope {
  /** Empty: all namespaces. */
  readonly namespace: string;
}

export interface ListScope extends Scope {
  /**
   * A cached answer will do if it is at least as new as this version; absent, the answer is as new as the store. The server
   * refuses with ApiError 410, or with reason ResourceVersionTooLarge when it has not come so far itself.
   */
  readonly notOlderThan?: string | undefined;
  /** Only the version of the collection is wanted; how many items come with it is up to the server. */
  readonly versionOnly?: boolean | undefined;
  /** Only the metadata of the items is wanted. */
  readonly metadataOnly?: boolean | undefined;
}

export interface DeleteOptions {
  readonly uid: string;
  readonly graceSeconds?: number | undefined;
}

/** Every call throws ApiError when the server refuses and ConnectionError when there was no answer. */
export interface Cluster {
  readonly side: Side;
  /** The whole collection, read page by page at one resourceVersion. Throws ApiError 410 when that expires on the way. */
  list(kind: Kind, scope: ListScope, signal: AbortSignal): Promise<ListPage>;
  /** Ends normally when the server ends it; throws ApiError 410 when the version is too old. */
  watch(kind: Kind, scope: Scope, resourceVersion: string, signal: AbortSignal): AsyncIterable<WatchEvent>;
  get(kind: Kind, key: Key): Promise<KubeObject | undefined>;
  create(kind: Kind, object: KubeObject): Promise<KubeObject>;
  patch(kind: Kind, key: Key, patch: object, subresource?: string): Promise<KubeObject>;
  replace(kind: Kind, object: KubeObject): Promise<KubeObject>;
  /** The object that is now on its way out, or undefined when it is gone already. */
  remove(kind: Kind, key: Key, options: DeleteOptions): Promise<KubeObject | undefined>;
  post(kind: Kind, key: Key, subresource: string, body: object): Promise<unknown>;
}
