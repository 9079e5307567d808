/**
 * Keeps secrets out of what people get to read: everything that a declaration marks as sensitive or write-only is told to the
 * process-wide `Secrets`, by which the log redacts itself, and taken out of diagnostics.
 */
import type { Secrets } from '../wire/secrets.ts';
import type { Attributes } from './attributes.ts';
import type { Diagnostic } from './diagnostics.ts';
import { nestedOf } from './schema.ts';
import { Dynamic, isRecord, type Value, type ValueRecord } from './values.ts';

/** All secret texts in an object of these attributes. */
export function secretsIn(attributes: Attributes, values: ValueRecord | null): readonly string[] {
  return Object.entries(attributes).flatMap(([name, attribute]) => {
    const value = values?.[name] ?? null;
    if (attribute.sensitive || attribute.writeOnly) return textsIn(value);
    const inner = nestedOf(attribute.type);
    return inner === undefined ? [] : objectsIn(inner.nested, value).flatMap((one) => secretsIn(inner.attributes, one));
  });
}

/** The diagnostic without secrets. */
export function redacted(diagnostic: Diagnostic, secrets: Secrets): Diagnostic {
  return { ...diagnostic, summary: secrets.redact(diagnostic.summary), detail: secrets.redact(diagnostic.detail) };
}

function textsIn(value: Value): readonly string[] {
  if (typeof value === 'string') return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (value instanceof Dynamic) return textsIn(value.value);
  return isRecord(value) ? Object.values(value).flatMap(textsIn) : [];
}

function objectsIn(mode: 'single' | 'list' | 'map' | 'set', value: Value): readonly ValueRecord[] {
  if (Array.isArray(value)) return value.filter(isRecord);
  if (!isRecord(value)) return [];
  return mode === 'single' ? [value] : Object.values(value).filter(isRecord);
}
