/**
 * The vocabulary of the walk over a pod's references (references.ts): what a rewriting is, and the two shapes that names come in.
 */
export type Json = Readonly<Record<string, unknown>>;

/** What a pod can refer to by name, always in its own namespace. */
export type Referable = 'configMap' | 'secret' | 'claim' | 'endpoints';

export interface Rewriting {
  readonly podName: string;
  /** Host Secret with the pod's service-account tokens. */
  readonly tokenSecret: string;
  /** Name on the host of an object in the pod's own namespace. */
  readonly rename: (kind: Referable, name: string) => string;
  /** Where the host pod carries what a field of the virtual pod says. */
  readonly fieldPath: (path: string) => string;
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The same object with the name in one of its fields replaced. An absent or empty name refers to nothing and stays. */
export function renamed<T extends object>(
  object: T,
  field: keyof T & string,
  kind: Referable,
  rewriting: Rewriting,
): T {
  const name: unknown = object[field];
  return typeof name === 'string' && name !== '' ? { ...object, [field]: rewriting.rename(kind, name) } : object;
}

/** The same object with one of its fields changed, when that field is an object. */
export function changed<T extends object>(object: T, field: keyof T & string, change: (inner: Json) => Json): T {
  const inner: unknown = object[field];
  return isJson(inner) ? { ...object, [field]: change(inner) } : object;
}

/** A field path in `fieldRef`, as environment variables and downward-API files have it (POD-75). */
export function withHostField(holder: Json, rewriting: Rewriting): Json {
  return changed(holder, 'fieldRef', (reference) => {
    const path = reference['fieldPath'];
    return typeof path === 'string' ? { ...reference, fieldPath: rewriting.fieldPath(path) } : reference;
  });
}
