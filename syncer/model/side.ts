/**
 * The two sides of a virtual cluster, as types: a key or an object of one side does not compile where the other is expected.
 * The mark exists only in the type system. Crossing over is done in one place, translate/metadata.ts.
 */
declare const side: unique symbol;

export type Side = 'host' | 'virtual';

export type Of<S extends Side, T> = T & { readonly [side]?: S };
export type Virtual<T> = Of<'virtual', T>;
export type Host<T> = Of<'host', T>;

/** Namespace and name; the namespace is empty for cluster-scoped kinds. */
export interface Key<S extends Side = Side> {
  readonly namespace: string;
  readonly name: string;
  readonly [side]?: S;
}

/** `namespace/name`, the form in queues, logs and metrics. */
export function keyText(key: Key): string {
  return key.namespace === '' ? key.name : `${key.namespace}/${key.name}`;
}

/** The inverse of keyText. Kubernetes names never contain a slash. */
export function parseKey<S extends Side>(text: string): Key<S> {
  const slash = text.indexOf('/');
  return slash < 0 ? { namespace: '', name: text } : { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
