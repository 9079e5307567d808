/**
 * When two values are the same for Terraform: sets without regard to their order, everything else as it stands.
 */
import type { Type } from './attributes.ts';
import { caseOf } from './schema.ts';
import { Dynamic, isRecord, type Value } from './values.ts';

/** A text that is the same for the same values of a type, and only for these. */
export function canonical(type: Type, value: Value): string {
  if (value === null) return 'null';
  if (typeof value === 'symbol') return 'unknown';
  const kind = caseOf(type);
  switch (kind.is) {
    case 'primitive':
      return JSON.stringify(value);
    case 'dynamic':
      return value instanceof Dynamic ? `${JSON.stringify(value.type)} ${plain(value.value)}` : plain(value);
    case 'collection':
      return many(kind.type.collection, value, (item) => canonical(kind.type.of, item));
    case 'object':
      return record(value, (name, item) => canonical(kind.type.object[name] ?? 'dynamic', item));
    case 'nested': {
      const one = (item: Value): string =>
        item === null || typeof item === 'symbol'
          ? canonical('dynamic', item)
          : record(item, (name, inner) => canonical(kind.type.attributes[name]?.type ?? 'dynamic', inner));
      return kind.type.nested === 'single' ? one(value) : many(kind.type.nested, value, one);
    }
    default:
      return kind satisfies never;
  }
}

/** True when Terraform would see no difference. Two unknown values are the same. */
export function isSame(type: Type, one: Value, other: Value): boolean {
  return canonical(type, one) === canonical(type, other);
}

function many(shape: 'list' | 'set' | 'map', value: Value, of: (item: Value) => string): string {
  if (shape === 'map') return record(value, (_, item) => of(item));
  const items = Array.isArray(value) ? value.map(of) : [];
  return `[${(shape === 'set' ? items.toSorted() : items).join(',')}]`;
}

function record(value: Value, of: (name: string, item: Value) => string): string {
  if (!isRecord(value)) return 'null';
  const keys = Object.keys(value).toSorted();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${of(key, value[key] ?? null)}`).join(',')}}`;
}

function plain(value: Value): string {
  if (typeof value === 'symbol') return 'unknown';
  if (Array.isArray(value)) return `[${value.map(plain).join(',')}]`;
  if (value instanceof Dynamic) return canonical('dynamic', value);
  return isRecord(value) ? record(value, (_, item) => plain(item)) : JSON.stringify(value);
}
