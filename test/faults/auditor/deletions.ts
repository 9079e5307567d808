/**
 * I5: the syncer deletes nothing but what it has made or been asked to. On the host every deletion carries the UID of a copy; in the
 * virtual cluster a pod or Service goes only after somebody else wanted it gone, on either side.
 */
import { isDeletion, succeeded } from './ledger.ts';
import type { Entry } from './ledger.ts';
import type { Problem } from './problem.ts';
import { copied, hostNameOf, isCopy } from './words.ts';
import type { Plural, Where } from './words.ts';
import type { World } from './world.ts';

export interface Trail {
  /** Of both servers, each in its own order. */
  readonly entries: readonly Entry[];
  /** Who the syncer is on each side. */
  readonly syncer: Readonly<Record<Where, string>>;
}

export function problemsOfDeletions(world: World, trail: Trail): readonly Problem[] {
  const own = trail.entries.filter(
    (entry) => entry.user === trail.syncer[entry.where] && isDeletion(entry) && succeeded(entry),
  );
  return own.flatMap((entry) => {
    const says = entry.where === 'host' ? wrongOnHost(world, entry) : wrongInVirtual(world, entry, trail);
    const about = `${entry.where} ${entry.plural} ${entry.namespace}/${entry.name}`;
    return says === undefined ? [] : [{ invariant: 'I5', about, says }];
  });
}

function wrongOnHost(world: World, entry: Entry): string | undefined {
  if (entry.uid === undefined) return 'was deleted without naming its UID';
  if (!isCopied(entry.plural)) return undefined;
  const life = world.lives('host', entry.plural).find(({ uid }) => uid === entry.uid);
  // Never seen: made and deleted while the auditor could not look. Its UID came from somewhere, so it had been recorded.
  if (life === undefined) return undefined;
  return isCopy(life.first, world.release) || isCopy(life.last, world.release)
    ? undefined
    : 'was deleted by the syncer and was no copy of ours';
}

function wrongInVirtual(world: World, entry: Entry, { entries, syncer }: Trail): string | undefined {
  if (entry.uid === undefined) return 'was deleted without naming its UID';
  if (!isCopied(entry.plural)) return undefined;
  const hostName = hostNameOf(entry.name, entry.namespace, world.release);
  const asked = entries.some((other) => {
    if (other.user === syncer[other.where] || !isDeletion(other) || !succeeded(other)) return false;
    if (other.plural === 'namespaces')
      return other.name === (other.where === 'host' ? world.release.namespace : entry.namespace);
    if (other.plural !== entry.plural) return false;
    const [namespace, name] =
      other.where === 'host' ? [world.release.namespace, hostName] : [entry.namespace, entry.name];
    return other.namespace === namespace && (other.name === '' || other.name === name);
  });
  return asked ? undefined : 'was deleted by the syncer though nobody had wanted it gone';
}

function isCopied(plural: string): plural is Plural {
  return (copied as readonly string[]).includes(plural);
}
