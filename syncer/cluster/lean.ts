/**
 * Parses objects without their managedFields, which nobody here reads and which are a third of a pod's text: not parsing them
 * saves more than the care for numbers costs (model/json.ts, design decision D5).
 *
 * They are cut out of the text from their beginning to the next closing bracket, with a mark in their place. Nothing is taken for
 * granted of the text: the result counts only when every mark is found where managedFields belong. A cut that ends inside of a
 * string, whatever a tenant has put there, leaves an odd number of quotes, and one that ends too early leaves a bracket over;
 * neither is JSON. Whatever is not as expected is parsed whole.
 */
import { parseJson } from '../model/json.ts';

const opening = ',"managedFields":[{"';
const mark = 0;

interface WithMetadata {
  metadata?: object | null;
}

interface Metadata {
  managedFields?: unknown;
}

/** `objectsIn` finds the objects in what was parsed. @throws SyntaxError as JSON.parse does */
export function parseLean<T>(text: string, objectsIn: (parsed: T) => readonly WithMetadata[]): T {
  const parsed = tryCut(text, objectsIn) ?? (parseJson(text) as T);
  for (const object of objectsIn(parsed)) dropManagedFields(object);
  return parsed;
}

/** Not by `delete`: V8 keeps what was deleted from as a hash table, which takes half a KiB more and is slow to read ever after. */
function dropManagedFields(object: WithMetadata): void {
  const { metadata } = object;
  if (metadata === undefined || metadata === null || !Object.hasOwn(metadata, 'managedFields')) return;
  const { managedFields: _, ...rest } = metadata as Metadata;
  object.metadata = rest;
}

function tryCut<T>(text: string, objectsIn: (parsed: T) => readonly WithMetadata[]): T | undefined {
  const pieces: string[] = [];
  let kept = 0;
  for (let from = text.indexOf(opening); from >= 0; from = text.indexOf(opening, kept)) {
    pieces.push(text.slice(kept, from));
    kept = text.indexOf(']', from) + 1;
    if (kept === 0) return undefined;
  }
  if (pieces.length === 0) return undefined;
  pieces.push(text.slice(kept));
  try {
    const parsed = parseJson(pieces.join(`,"managedFields":${mark}`)) as T;
    const marked = objectsIn(parsed).filter(
      ({ metadata }) => (metadata as Metadata | undefined)?.managedFields === mark,
    );
    return marked.length === pieces.length - 1 ? parsed : undefined;
  } catch {
    return undefined;
  }
}
