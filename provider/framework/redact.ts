/**
 * Keeps secrets out of what people and logs get to read: everything that a declaration marks as sensitive or write-only is
 * taken out of texts, in each form in which it may turn up.
 */
import type { Attributes } from './attributes.ts';
import type { Diagnostic } from './diagnostics.ts';
import { nestedOf } from './schema.ts';
import { Dynamic, isRecord, type Value, type ValueRecord } from './values.ts';

const mark = '(sensitive)';
/** Shorter ones ("true", "1") stand in ordinary words; taking them out would tell what they are. */
const lengthMin = 6;
const lineLengthMin = 16;

/** Replaces secrets in a text. */
export type Redact = (text: string) => string;

/** All secret texts in an object of these attributes. */
export function secretsIn(attributes: Attributes, values: ValueRecord | null): readonly string[] {
  return Object.entries(attributes).flatMap(([name, attribute]) => {
    const value = values?.[name] ?? null;
    if (attribute.sensitive || attribute.writeOnly) return textsIn(value);
    const inner = nestedOf(attribute.type);
    return inner === undefined ? [] : objectsIn(inner.nested, value).flatMap((one) => secretsIn(inner.attributes, one));
  });
}

/** A function that takes these secrets out of texts. */
export function redacting(secrets: readonly string[]): Redact {
  const forms = [...new Set(secrets.flatMap(formsOf))].toSorted((a, b) => b.length - a.length);
  return (text) => forms.reduce((rest, form) => rest.replaceAll(form, mark), text);
}

/** The diagnostic without secrets. */
export function redacted(diagnostic: Diagnostic, redact: Redact): Diagnostic {
  return { ...diagnostic, summary: redact(diagnostic.summary), detail: redact(diagnostic.detail) };
}

/** Facts of a log line without secrets. */
export function redactedFields(
  fields: Readonly<Record<string, unknown>> | undefined,
  redact: Redact,
): Readonly<Record<string, unknown>> | undefined {
  return fields && (redactedFact(fields, redact) as Record<string, unknown>);
}

function redactedFact(fact: unknown, redact: Redact): unknown {
  if (typeof fact === 'string') return redact(fact);
  if (fact instanceof Error) return redact(fact.message);
  if (Array.isArray(fact)) return fact.map((item: unknown) => redactedFact(item, redact));
  if (typeof fact !== 'object' || fact === null) return fact;
  return Object.fromEntries(Object.entries(fact).map(([key, item]) => [key, redactedFact(item, redact)]));
}

function formsOf(secret: string): readonly string[] {
  if (secret.trim().length < lengthMin) return [];
  const lines = secret.split('\n').map((line) => line.trim());
  return [
    secret,
    secret.trim(),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
    // PEM's first and last line are no secret, and a diagnostic may well say them.
    ...lines.filter((line) => line.length >= lineLengthMin && !line.startsWith('-----')),
  ];
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
