/**
 * What must hold of everything that ever was: one host pod of a virtual pod at a time (I4), and never a second one, nor a second
 * Service, for the same virtual object (I6).
 */
import type { Problem } from './problem.ts';
import { copied, isCopy, originUid, textOf } from './words.ts';
import type { Plural } from './words.ts';
import type { Life } from './watcher.ts';
import type { World } from './world.ts';

/** Made once for each virtual object; config maps and secrets come and go with the pods that use them. */
const onlyOnce: ReadonlySet<Plural> = new Set(['pods', 'services']);

export function problemsEver(world: World): readonly Problem[] {
  return copied.flatMap((plural) => {
    const copies = world.lives('host', plural).filter(({ first }) => isCopy(first, world.release));
    return [...Map.groupBy(copies, ({ first }) => originUid(first))].flatMap(([uid, lives]) =>
      ofOne(plural, uid, lives),
    );
  });
}

function ofOne(plural: Plural, uid: string, lives: readonly Life[]): readonly Problem[] {
  const [first] = lives;
  if (first === undefined || lives.length === 1) return [];
  const about = `host ${plural} ${textOf(first.first)} of ${uid}`;
  const inOrder = lives.toSorted((a, b) => a.bornAt - b.bornAt);
  const overlap = inOrder.some((life, index) => index > 0 && (inOrder[index - 1]?.endedAt ?? Infinity) > life.bornAt);
  if (overlap) return [{ invariant: 'I4', about, says: `${lives.length} of them, two at the same time` }];
  return onlyOnce.has(plural) ? [{ invariant: 'I6', about, says: `was made ${lives.length} times` }] : [];
}

/** ADDED and DELETED of copies, by kind: what a run without faults is compared with. */
export function counts(world: World): Readonly<Record<string, { readonly added: number; readonly deleted: number }>> {
  const entries = copied.map((plural) => {
    const copies = world.lives('host', plural).filter(({ first }) => isCopy(first, world.release));
    return [plural, { added: copies.length, deleted: copies.filter(({ endedAt }) => endedAt !== undefined).length }];
  });
  return Object.fromEntries(entries) as Readonly<Record<string, { readonly added: number; readonly deleted: number }>>;
}
