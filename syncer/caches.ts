/** Builds, from the registry, one cache and one reflector for every kind and side that some resource names as a source. */
import { repair, takeCensus } from './cluster/audit.ts';
import type { Census } from './cluster/audit.ts';
import { Cache } from './cluster/cache.ts';
import { Reflector } from './cluster/reflector.ts';
import type { ReflectorOptions } from './cluster/reflector.ts';
import { Stores } from './loop/stores.ts';
import type { StoreChange } from './model/change.ts';
import type { Cluster, Scope } from './model/cluster.ts';
import type { Resource, Source } from './model/resource.ts';
import type { Side } from './model/side.ts';
import type { Index } from './model/view.ts';
import type { WatchFacts } from './service/cluster-metrics.ts';
import type { Logger } from './service/logger.ts';
import { pause } from './service/pause.ts';

/** Longer than the minute between two bookmarks: by then every watch that works has come past what a census has seen. */
const auditPassMs = 70_000;

export interface CacheSetOptions {
  readonly resources: readonly Resource[];
  readonly indexes: readonly Index[];
  readonly clusters: Readonly<Record<Side, Cluster>>;
  /** The one namespace that is watched on the host. */
  readonly hostNamespace: string;
  readonly log: Logger;
  readonly onChange: (change: StoreChange) => void;
  /** How reflectors wait and roll dice; real time and chance when absent. */
  readonly timing?: Pick<ReflectorOptions, 'random' | 'wait'>;
  /** Of the reflectors: what they tell, and when a server shows an older state than before. */
  readonly telemetry?: ReflectorOptions['telemetry'];
  readonly onOutlook?: ReflectorOptions['onOutlook'];
}

export interface CacheSet {
  readonly stores: Stores;
  readonly sources: readonly Source[];
  /** How each watch and its cache are doing. */
  watches(): readonly WatchFacts[];
  run(signal: AbortSignal): Promise<void>;
  /** Compares every cache with its API server, and repairs what its watch has missed. Throws on errors of the API servers. */
  audit(signal: AbortSignal, onRepair: (source: Source, count: number) => void): Promise<void>;
}

export function buildCaches(options: CacheSetOptions): CacheSet {
  const { clusters, hostNamespace, log, onChange, telemetry, onOutlook } = options;
  const stores = new Stores();
  const sources = merged(options.resources.flatMap((resource) => resource.sources));
  const indexes = distinct([...options.resources.flatMap((resource) => resource.indexes), ...options.indexes]);
  const caches: (readonly [Source, Cache])[] = [];
  const reflectors = sources.map((source) => {
    const { side, kind, keep } = source;
    const own = indexes.filter((index) => index.side === side && index.kind.plural === kind.plural);
    const cache = new Cache({ side, kind, indexes: own, keep, onChange });
    stores.add(side, kind, cache);
    caches.push([source, cache]);
    const scope = scopeOf(source, hostNamespace);
    return new Reflector({ ...options.timing, telemetry, onOutlook, cluster: clusters[side], kind, scope, cache, log });
  });
  return {
    stores,
    sources,
    watches: () => caches.map(([{ side, kind }, cache]) => factsOf(side, kind.plural, cache)),
    run: async (signal) => {
      await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
    },
    audit: async (signal, onRepair) => {
      const censuses: Census[] = [];
      // One after the other: an audit is never worth a burst.
      for (const [source] of caches)
        censuses.push(await takeCensus(clusters[source.side], source.kind, scopeOf(source, hostNamespace), signal));
      await (options.timing?.wait ?? pause)(auditPassMs, signal);
      for (const [index, [source, cache]] of caches.entries()) {
        const { side, kind } = source;
        const census = censuses[index];
        if (census === undefined || signal.aborted) return;
        const count = await repair({ cluster: clusters[side], kind, cache }, census);
        if (count > 0) onRepair(source, count);
      }
    },
  };
}

function scopeOf({ side }: Source, hostNamespace: string): Scope {
  return { namespace: side === 'host' ? hostNamespace : '' };
}

function factsOf(side: Side, kind: string, { size, complete, heardAtMs, position }: Cache): WatchFacts {
  return { side, kind, objects: size, complete, heardAtMs, position };
}

/** One source for each side and kind. At most one resource may say what is kept: two could contradict each other. */
function merged(sources: readonly Source[]): readonly Source[] {
  const byId = new Map<string, Source>();
  for (const source of sources) {
    const id = `${source.side} ${source.kind.group}/${source.kind.plural}`;
    const present = byId.get(id);
    if (present?.keep !== undefined && source.keep !== undefined && present.keep !== source.keep) {
      throw new Error(`Two resources say what is kept of ${id}.`);
    }
    byId.set(id, present?.keep === undefined ? source : present);
  }
  return [...byId.values()];
}

function distinct(indexes: readonly Index[]): readonly Index[] {
  return [...new Map(indexes.map((index) => [index.name, index])).values()];
}
