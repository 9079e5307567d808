/**
 * `timeouts = { create = "5m" }`: how long each operation of a resource may take, in the notation of Go, which Terraform's
 * other providers use.
 */
import type { Attribute, Attributes, Check, NestedType } from './attributes.ts';
import { text } from './checks.ts';
import { isRecord, type Value } from './values.ts';

export type Operation = 'create' | 'read' | 'update' | 'delete';

const unitMs: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const part = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)/y;

/** How a duration is written, for messages. */
export const durationForm = 'a duration such as "30s", "5m" or "1h30m", more than zero';

/** Milliseconds of a duration in the notation of Go ("1h30m", "1.5s"); undefined when it is none. Signs are refused. */
export function parseDuration(written: string): number | undefined {
  if (written === '0') return 0;
  let totalMs = 0;
  let at = 0;
  while (at < written.length) {
    part.lastIndex = at;
    const match = part.exec(written);
    if (match === null) return undefined;
    totalMs += Number(match[1]) * (unitMs[match[2] ?? ''] ?? Number.NaN);
    at = part.lastIndex;
  }
  return written === '' ? undefined : totalMs;
}

/** "90000" as "1m30s": a duration as people write it. */
export function durationText(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = (ms % 60_000) / 1000;
  const parts = [hours && `${String(hours)}h`, minutes && `${String(minutes)}m`, seconds && `${String(seconds)}s`];
  return parts.filter(Boolean).join('') || '0s';
}

/** The check of an attribute that holds a duration. */
export const duration: Check = text((value) => ((parseDuration(value) ?? 0) > 0 ? undefined : durationForm));

const verbs: Readonly<Record<Operation, string>> = {
  create: 'a creation',
  read: 'a refresh',
  update: 'an update',
  delete: 'a destruction',
};

/**
 * The attribute `timeouts` of a resource; give the operations that have one, with their defaults. The framework finds it
 * by its name, counts down `remainingMs` and aborts the handler's `signal`.
 */
export function timeouts(
  defaults: Readonly<Partial<Record<Operation, string>>>,
): Attribute & { readonly type: NestedType } {
  const attributes: Record<string, Attribute> = {};
  for (const [operation, written] of Object.entries(defaults)) {
    attributes[operation] = {
      type: 'string',
      optional: true,
      doc: `How long ${verbs[operation as Operation]} may take. Default: \`"${written}"\`.`,
      check: duration,
    };
  }
  defaultsOf.set(attributes, defaults);
  return {
    type: { nested: 'single', attributes },
    optional: true,
    doc: 'How long operations may take, as durations such as `"30s"`, `"5m"` or `"1h30m"`.',
  };
}

// Beside the attribute rather than in it: a default is not written into the state, so a later release may change it.
const defaultsOf = new WeakMap<object, Readonly<Partial<Record<Operation, string>>>>();

/** The timeout of an operation: what the object says, else the default of the declaration; undefined when it has none. */
export function timeoutMs(attributes: Attributes, operation: Operation, values: Value): number | undefined {
  const type = attributes['timeouts']?.type;
  if (typeof type !== 'object' || !('nested' in type)) return undefined;
  const given = isRecord(values) ? values['timeouts'] : undefined;
  const own = isRecord(given) ? given[operation] : undefined;
  const written = typeof own === 'string' ? own : defaultsOf.get(type.attributes)?.[operation];
  return written === undefined ? undefined : parseDuration(written);
}
