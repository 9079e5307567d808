/**
 * The observer: a process of its own that watches the pods of both API servers and tells, by the one clock, when it saw what. It
 * belongs to no contender, so its own delay is the same for all. Its arguments are two kubeconfigs, host and virtual; a side
 * without one is not watched. It ends when its parent does.
 */
import { kubeconfigAccess } from '../../syncer/cluster/access.ts';
import { Client } from '../../syncer/cluster/client.ts';
import { pods } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { Side } from '../../syncer/model/side.ts';
import { clockMs } from './clock.ts';
import { tryIdOf } from './pods.ts';
import type { Sighting } from './sightings.ts';

/** News travel in batches, so that telling them costs next to nothing; their moments are exact all the same. */
const batchMs = 20;

let batch: Sighting[] = [];
const known: Readonly<Record<Side, Map<string, Known>>> = {
  host: new Map(),
  virtual: new Map(),
};

interface Known {
  readonly ready: boolean;
  readonly restarts: number;
}

const unknown: Known = { ready: false, restarts: 0 };

function notice(side: Side, pod: Pod, atMs: number): void {
  const id = tryIdOf(pod);
  if (id === undefined) return;
  const before = known[side].get(id) ?? unknown;
  const now: Known = { ready: before.ready || isReady(pod), restarts: restartsOf(pod) };
  if (before === unknown) batch.push({ side, id, is: 'seen', atMs, name: pod.metadata.name });
  if (now.ready && !before.ready) batch.push({ side, id, is: 'ready', atMs });
  if (now.restarts !== before.restarts) batch.push({ side, id, is: 'restarts', atMs, value: now.restarts });
  known[side].set(id, now);
}

function restartsOf({ status }: Pod): number {
  return Number(status?.containerStatuses?.[0]?.['restartCount'] ?? 0);
}

function noticeEnd(side: Side, pod: Pod, atMs: number): void {
  const id = tryIdOf(pod);
  if (id === undefined || !known[side].delete(id)) return;
  batch.push({ side, id, is: 'gone', atMs });
}

function isReady({ status }: Pod): boolean {
  const ready = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false;
  return ready && status?.phase === 'Running';
}

async function observe(side: Side, kubeconfig: string): Promise<void> {
  const client = new Client(side, kubeconfigAccess(kubeconfig));
  const { signal } = new AbortController();
  const { items, resourceVersion } = await client.list(pods, { namespace: '' }, signal);
  for (const pod of items) notice(side, pod as Pod, clockMs());
  process.send?.({ observing: side });
  for (let version = resourceVersion; ;) {
    for await (const event of client.watch(pods, { namespace: '' }, version, signal)) {
      const atMs = clockMs();
      version = event.type === 'BOOKMARK' ? event.resourceVersion : (event.object.metadata.resourceVersion ?? version);
      if (event.type === 'DELETED') noticeEnd(side, event.object as Pod, atMs);
      else if (event.type !== 'BOOKMARK') notice(side, event.object as Pod, atMs);
    }
  }
}

setInterval(() => {
  if (batch.length === 0) return;
  process.send?.(batch);
  batch = [];
}, batchMs);
process.once('disconnect', () => process.exit(0));
const [host = '', virtual = ''] = process.argv.slice(2);
await Promise.all([
  ...(host === '' ? [] : [observe('host', host)]),
  ...(virtual === '' ? [] : [observe('virtual', virtual)]),
]);
