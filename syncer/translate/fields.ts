/** Picking fields of raw objects without inventing any: an absent field stays absent, never `undefined`. */
type Present<T> = { [F in keyof T]?: Exclude<T[F], undefined> };

/** The named fields, those that are there. */
export function pick<T extends object, F extends keyof T>(object: T, fields: readonly F[]): Present<Pick<T, F>> {
  const entries = fields.filter((field) => object[field] !== undefined).map((field) => [field, object[field]]);
  return Object.fromEntries(entries) as Present<Pick<T, F>>;
}

/** Everything but the named fields. */
export function omit<T extends object, F extends keyof T>(object: T, fields: readonly F[]): Omit<T, F> {
  const dropped = new Set<PropertyKey>(fields);
  return Object.fromEntries(Object.entries(object).filter(([name]) => !dropped.has(name))) as Omit<T, F>;
}
