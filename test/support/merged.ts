/** What an API server makes of a JSON merge patch, for the clusters that tests keep in memory. */

/** RFC 7386. */
export function merged(before: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const from = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
  const result: Record<string, unknown> = { ...from };
  for (const [field, value] of Object.entries(patch)) {
    if (value === null) delete result[field];
    else result[field] = merged(result[field], value);
  }
  return result;
}
