/**
 * All that the syncer could have written, with versions: two equal censuses mean that nobody wrote in between. What writes by
 * itself (leases, nodes of the host, endpoints and events of the virtual cluster's own controllers) is left out.
 */
import { takeCensus } from '../../syncer/cluster/audit.ts';
import { isNewer } from '../../syncer/cluster/version.ts';
import type { Cluster } from '../../syncer/model/cluster.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { endpointSlices, events, nodes } from '../../syncer/model/kubernetes.ts';
import type { Event } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import type { Source } from '../../syncer/model/resource.ts';
import { copied, resources } from '../../syncer/resources/index.ts';
import type { Pair } from './pair.ts';
import { hostNamespace } from './pair.ts';
import { until } from './eventually.ts';
import type { SyncerProcess } from './syncer-process.ts';

const onBothSides: readonly Kind[] = copied.map(({ kind }) => kind);
const onVirtual: readonly Kind[] = [...onBothSides, endpointSlices, events, nodes];
/** What is tried again after a conflict comes back within some of these. */
const calmReadings = 4;
const signal = new AbortController().signal;

export type Census = Readonly<Record<string, string>>;

/** `side kind namespace/name uid` → resourceVersion. */
export async function census({ host, virtual }: Pick<Pair, 'host' | 'virtual'>): Promise<Census> {
  const lists = [
    ...onBothSides.map((kind) => listOf(host, kind, hostNamespace)),
    ...onVirtual.map((kind) => listOf(virtual, kind, '')),
  ];
  return Object.fromEntries((await Promise.all(lists)).flat());
}

async function listOf(
  cluster: Cluster,
  kind: Kind,
  namespace: string,
): Promise<readonly (readonly [string, string])[]> {
  const { items } = await cluster.list(kind, { namespace }, signal);
  return items
    .filter((object) => isOurs(kind, object))
    .map(({ metadata: { namespace: of = '', name, uid, resourceVersion } }) => [
      `${cluster.side} ${kind.plural} ${of}/${name} ${uid}`,
      resourceVersion ?? '',
    ]);
}

function isOurs(kind: Kind, object: KubeObject): boolean {
  if (kind === endpointSlices) return object.metadata.name === 'kubernetes';
  if (kind !== events) return true;
  const { involvedObject, reason } = object as Event;
  // A scheduler tries again, and says so again, whenever it likes.
  return involvedObject.kind === 'Pod' && reason !== 'FailedScheduling';
}

/**
 * Crashes the syncer and starts it again: it lists everything, looks at every key once, and is done when its queue is empty.
 * Whoever is converged before is untouched after.
 */
export async function secondLook({ syncer }: Pair): Promise<void> {
  await syncer.stop('SIGKILL');
  await syncer.start();
  await idle(syncer);
}

/**
 * Waits until the syncer has seen all that both API servers had at some moment since the call, and has nothing left to do about
 * it. For a syncer whose watches work; one whose events were kept from it never gets there: see `resting`.
 */
export async function idle(syncer: SyncerProcess): Promise<void> {
  await until('the syncer to have seen everything and to have nothing to do', async () => {
    await resting(syncer);
    const before = await syncer.metrics();
    const stands = await Promise.all(sources.map((source) => standOf(syncer, source)));
    const after = await syncer.metrics();
    return looks(after) === looks(before) && isAtRest(after) && stands.every((stand) => hasSeen(after, stand));
  });
}

/** Waits until the syncer has nothing to do with what it knows: no key waits, none is in work, and none comes back soon. */
export async function resting(syncer: SyncerProcess): Promise<void> {
  let before = '';
  let calm = 0;
  await until('the syncer to have nothing to do', async () => {
    const metrics = await syncer.metrics();
    const same = looks(metrics) !== '' && looks(metrics) === before && isAtRest(metrics);
    before = looks(metrics);
    calm = same ? calm + 1 : 0;
    return calm === calmReadings;
  });
}

function looks(metrics: string): string {
  return metrics
    .split('\n')
    .filter((line) => line.startsWith('vcluster_reconciles_total') && !line.endsWith(' 0'))
    .join();
}

function isAtRest(metrics: string): boolean {
  const keys = [...metrics.matchAll(/^vcluster_(?:queue_length\{.*\}|keys_in_work) (\d+)$/gmu)];
  return keys.length > 0 && keys.every(([, count]) => count === '0');
}

const sources: readonly Source[] = [
  ...new Map(
    resources.flatMap((resource) => resource.sources).map((source) => [`${source.side} ${source.kind.plural}`, source]),
  ).values(),
];

/** What an API server has of one kind. */
interface Stand {
  readonly of: string;
  readonly objects: number;
  readonly newest: string;
}

async function standOf({ clusters }: SyncerProcess, { side, kind }: Source): Promise<Stand> {
  const namespace = side === 'host' ? hostNamespace : '';
  const { versions } = await takeCensus(clusters[side], kind, { namespace }, signal);
  const newest = [...versions.values()].reduce((last, version) => (isNewer(version, last) ? version : last), '0');
  return { of: `{side="${side}",kind="${kind.plural}"}`, objects: versions.size, newest };
}

/** What is there has been shown, and what is not there any more has been shown to go. */
function hasSeen(metrics: string, { of, objects, newest }: Stand): boolean {
  const lines = metrics.split('\n');
  const valueOf = (name: string): string =>
    lines.find((line) => line.startsWith(`${name}${of} `))?.slice(name.length + of.length + 1) ?? '';
  return (
    valueOf('vcluster_cache_objects') === String(objects) && !isNewer(newest, valueOf('vcluster_watch_position') || '0')
  );
}
