/**
 * Compares a cache with the API server that it mirrors, and repairs what its watch has missed (spec CORE-38). A cache that is only
 * behind is no difference: what counts is what it lacks although its watch has come past it. Reads metadata only; whatever looks
 * different is read again before it is believed.
 */
import type { Cluster, Scope } from '../model/cluster.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import { keyText, parseKey } from '../model/side.ts';
import type { Key } from '../model/side.ts';
import type { Cache } from './cache.ts';
import { isNewer } from './version.ts';

/** What an API server had at one moment: resourceVersion by key. */
export interface Census {
  readonly versions: ReadonlyMap<string, string>;
  readonly resourceVersion: string;
}

export async function takeCensus(cluster: Cluster, kind: Kind, scope: Scope, signal: AbortSignal): Promise<Census> {
  const { items, resourceVersion } = await cluster.list(kind, { ...scope, metadataOnly: true }, signal);
  const versions = new Map(items.map((item) => [keyText(keyOf(item)), item.metadata.resourceVersion ?? '']));
  return { versions, resourceVersion };
}

export interface Audited {
  readonly cluster: Cluster;
  readonly kind: Kind;
  readonly cache: Cache;
}

/** Brings the cache to what the server has, and answers how much was missing. Best called a while after the census, when the watch has passed it. */
export async function repair({ cluster, kind, cache }: Audited, census: Census): Promise<number> {
  let repaired = 0;
  for (const key of stale(cache, census)) {
    const found = await cluster.get(kind, key);
    const version = found?.metadata.resourceVersion;
    // Deleted or changed again meanwhile, its event may still be on the way.
    if (found === undefined || isNewer(version, cache.position) || !isNewer(version, versionIn(cache, key))) continue;
    cache.repair(found, false);
    repaired++;
  }
  for (const object of gone(cache, census)) {
    const found = await cluster.get(kind, keyOf(object));
    if (found?.metadata.uid === object.metadata.uid) continue;
    cache.repair(object, true);
    repaired++;
  }
  return repaired;
}

/** What the cache lacks, or has an older state of, although its watch has come past it. */
function stale(cache: Cache, { versions }: Census): readonly Key[] {
  return [...versions]
    .filter(
      ([text, version]) => isNewer(version, versionIn(cache, parseKey(text))) && !isNewer(version, cache.position),
    )
    .map(([text]) => parseKey(text));
}

/** What the cache still has although it was gone at the census, and the watch has come past that. */
function gone(cache: Cache, { versions, resourceVersion }: Census): readonly KubeObject[] {
  if (isNewer(resourceVersion, cache.position)) return [];
  return cache
    .list('')
    .filter(
      (object) => !versions.has(keyText(keyOf(object))) && !isNewer(object.metadata.resourceVersion, resourceVersion),
    );
}

function versionIn(cache: Cache, key: Key): string | undefined {
  return cache.get(key)?.metadata.resourceVersion;
}
