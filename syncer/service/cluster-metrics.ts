/**
 * Metrics of the two API servers as the syncer sees them: requests, watches, caches. Labels are sides, verbs, kinds and status
 * codes; never anything that a tenant has named.
 */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

export interface RequestFacts {
  readonly side: string;
  readonly verb: string;
  /** Plural, with a subresource as `pods/status`. */
  readonly kind: string;
  /** Of the answer; 0 when none came. */
  readonly status: number;
  readonly seconds: number;
}

export interface WatchFacts {
  readonly side: string;
  readonly kind: string;
  /** Objects in the cache. */
  readonly objects: number;
  /** Whether a full list has been taken in. */
  readonly complete: boolean;
  /** Milliseconds since 1970 of the last list, event or bookmark; undefined before the first. */
  readonly heardAtMs: number | undefined;
  /** The resourceVersion up to which everything was shown; empty before the first list. */
  readonly position: string;
}

export interface ClusterMetrics {
  requested(report: RequestFacts): void;
  watchRestarted(restart: { readonly side: string; readonly kind: string; readonly reason: string }): void;
  unreadable(report: { readonly side: string; readonly kind: string }): void;
  behind(report: { readonly side: string; readonly kind: string; readonly behind: boolean }): void;
}

export interface ClusterSources {
  readonly watches: () => readonly WatchFacts[];
  /** Requests sent and not yet answered, watches not counted. */
  readonly inFlight: () => readonly { readonly side: string; readonly requests: number }[];
}

export function addClusterMetrics(registry: Registry, sources: ClusterSources): ClusterMetrics {
  addGauges([registry], sources);
  return { ...counters([registry]), behind: addBehind([registry], sources) };
}

function counters(registers: Registry[]): Omit<ClusterMetrics, 'behind'> {
  const requests = new Counter({
    name: 'vcluster_requests_total',
    help: 'Requests to an API server that came to their end, watches not counted; status 0 is a request without an answer.',
    labelNames: ['side', 'verb', 'kind', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'vcluster_request_duration_seconds',
    help: 'From asking for a request to its answer, with the time that it waited for a free place.',
    labelNames: ['side', 'verb'],
    buckets: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers,
  });
  const restarts = new Counter({
    name: 'vcluster_watch_restarts_total',
    help: 'Watches begun anew, by why: ended by the server, expired (410), broken, idle, refused, or behind what was seen before.',
    labelNames: ['side', 'kind', 'reason'],
    registers,
  });
  const unreadable = new Counter({
    name: 'vcluster_unreadable_objects_total',
    help: 'What came from an API server and no object could be made of; it was passed over.',
    labelNames: ['side', 'kind'],
    registers,
  });
  return {
    requested: ({ side, verb, kind, status, seconds }) => {
      requests.inc({ side, verb, kind, status });
      duration.observe({ side, verb }, seconds);
    },
    watchRestarted: ({ side, kind, reason }) => restarts.inc({ side, kind, reason }),
    unreadable: ({ side, kind }) => unreadable.inc({ side, kind }),
  };
}

function addBehind(registers: Registry[], { watches }: ClusterSources): ClusterMetrics['behind'] {
  const current = new Set<string>();
  const gauge: Gauge<'side' | 'kind'> = new Gauge({
    name: 'vcluster_watch_behind',
    help: '1 while an API server shows an older state than it has shown before, which is not taken in.',
    labelNames: ['side', 'kind'],
    registers,
    collect: (): void => {
      for (const { side, kind } of watches()) gauge.set({ side, kind }, current.has(`${side} ${kind}`) ? 1 : 0);
    },
  });
  return ({ side, kind, behind }) => {
    if (behind) current.add(`${side} ${kind}`);
    else current.delete(`${side} ${kind}`);
  };
}

function addGauges(registers: Registry[], { watches, inFlight }: ClusterSources): void {
  const sideAndKind = ['side', 'kind'] as const;
  const objects: Gauge<'side' | 'kind'> = new Gauge({
    name: 'vcluster_cache_objects',
    help: 'Objects in memory.',
    labelNames: sideAndKind,
    registers,
    collect: (): void => {
      for (const watch of watches()) objects.set({ side: watch.side, kind: watch.kind }, watch.objects);
    },
  });
  const complete: Gauge<'side' | 'kind'> = new Gauge({
    name: 'vcluster_cache_complete',
    help: '1 once a full list has been taken in; before that nothing is decided.',
    labelNames: sideAndKind,
    registers,
    collect: (): void => {
      for (const watch of watches()) complete.set({ side: watch.side, kind: watch.kind }, watch.complete ? 1 : 0);
    },
  });
  const heard: Gauge<'side' | 'kind'> = new Gauge({
    name: 'vcluster_watch_last_event_timestamp_seconds',
    help: 'When a watch last showed anything, in seconds since 1970. API servers send a bookmark about once a minute.',
    labelNames: sideAndKind,
    registers,
    collect: (): void => {
      for (const { side, kind, heardAtMs } of watches())
        if (heardAtMs !== undefined) heard.set({ side, kind }, heardAtMs / 1000);
    },
  });
  const position: Gauge<'side' | 'kind'> = new Gauge({
    name: 'vcluster_watch_position',
    help: 'The resourceVersion up to which a watch has shown everything; quiet kinds move on with bookmarks.',
    labelNames: sideAndKind,
    registers,
    collect: (): void => {
      for (const watch of watches())
        if (watch.position !== '') position.set({ side: watch.side, kind: watch.kind }, Number(watch.position));
    },
  });
  const flying: Gauge<'side'> = new Gauge({
    name: 'vcluster_requests_in_flight',
    help: 'Requests that wait for an answer of an API server, watches not counted.',
    labelNames: ['side'],
    registers,
    collect: (): void => {
      for (const { side, requests } of inFlight()) flying.set({ side }, requests);
    },
  });
}
