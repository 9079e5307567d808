/** What an API server makes of a JSON merge patch, for the clusters that tests keep in memory. */

import { ExactNumber } from '../../syncer/model/json.ts';

/** RFC 7386. */
export function merged(before: unknown, patch: unknown): unknown {
  if (!isMap(patch)) return patch;
  const result = new Map(Object.entries(isMap(before) ? before : {}));
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) result.delete(field);
    else result.set(field, merged(result.get(field), value));
  }
  // A field may be called `__proto__`.
  return Object.fromEntries(result);
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber);
}
