/**
 * From the text of an answer to what was asked for, or to an error: an answer that is JSON but something else must not pass for an
 * empty list or for an object without anything in it. managedFields are left out (lean.ts).
 */
import type { KubeObject } from '../model/object.ts';
import { parseLean } from './lean.ts';

export interface List {
  readonly kind: string;
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly KubeObject[] | null;
}

/** @throws Error when it is no list */
export function decodeList(text: string): List {
  const list = parseLean<List>(text, ({ items }) => items ?? []);
  const isList = Array.isArray(list.items) || list.items === null;
  if (!isList || !list.kind?.endsWith('List') || typeof list.metadata?.resourceVersion !== 'string') {
    throw new Error('it is no list');
  }
  return list;
}

/** @throws Error when it is no object of the kind, nor of the other one that is named */
export function decodeObject(kind: string, text: string, otherwise: string = kind): KubeObject {
  const object = parseLean<KubeObject>(text, (parsed) => [parsed]);
  const isOne = object.kind === kind || object.kind === otherwise;
  if (!isOne || typeof object.metadata !== 'object') throw new Error(`it is no ${kind}`);
  return object;
}
