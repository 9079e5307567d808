/**
 * The base of three-way decisions: what both sides last agreed on about the labels and annotations of an object, kept as digests
 * in an annotation of its host object. Of two sides that differ, the one that has left the base has changed; when both have, the
 * virtual side wins (spec CORE-13 to CORE-17). It holds what was sent, not what was answered, and it survives a restart.
 *
 * One line for each key, `label app 1x8fq2` or `annotation note 9ab3k`; a mark of this program has `!` for a digest.
 */
import type { StringMap } from '../model/object.ts';

export type Field = 'label' | 'annotation' | 'image';

/** Digest by key. */
export type Agreed = ReadonlyMap<string, string>;

/** Stands for the digest of what belongs to this program: never taken from the host, never shown to the tenant. */
export const ownMark = '!';

const separator = '\n';
const fnvOffset = 0x811c9dc5;
const fnvPrime = 0x01000193;

export function agreedLines(field: Field, map: StringMap): readonly string[] {
  return Object.entries(map).map(([key, value]) => `${field} ${key} ${digestOf(value)}`);
}

export function markLines(field: Field, keys: readonly string[]): readonly string[] {
  return keys.map((key) => `${field} ${key} ${ownMark}`);
}

export function baseText(lines: readonly string[]): string {
  return lines.toSorted().join(separator);
}

export function linesOf(text: string | undefined): readonly string[] {
  return text === undefined || text === '' ? [] : text.split(separator);
}

/** What was agreed on for one field. Somebody's broken annotation counts as no agreement: then the virtual side wins. */
export function agreedOn(field: Field, text: string | undefined): Agreed {
  const agreed = new Map<string, string>();
  for (const line of linesOf(text)) {
    const [of, key, digest] = line.split(' ');
    if (of === field && key !== undefined && digest !== undefined) agreed.set(key, digest);
  }
  return agreed;
}

/** Whether the virtual side still has what was agreed on; a key that neither has counts as agreed. */
export function isAsAgreed(agreed: Agreed, key: string, value: string | undefined): boolean {
  return agreed.get(key) === (value === undefined ? undefined : digestOf(value));
}

/** FNV-1a. A collision would only take one change of a tenant's own label for none. */
function digestOf(value: string): string {
  let hash = fnvOffset;
  for (let index = 0; index < value.length; index++) hash = Math.imul(hash ^ value.charCodeAt(index), fnvPrime);
  return (hash >>> 0).toString(36);
}
