/**
 * All that the syncer could have written, with versions: two equal censuses mean that nobody wrote in between. What writes by
 * itself (leases, nodes of the host, endpoints and events of the virtual cluster's own controllers) is left out.
 */
import type { Cluster } from '../../syncer/model/cluster.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { endpointSlices, events, nodes } from '../../syncer/model/kubernetes.ts';
import type { Event } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { copied } from '../../syncer/resources/index.ts';
import type { Pair } from './pair.ts';
import { hostNamespace } from './pair.ts';
import { until } from './eventually.ts';

const onBothSides: readonly Kind[] = copied.map(({ kind }) => kind);
const onVirtual: readonly Kind[] = [...onBothSides, endpointSlices, events, nodes];
/** Two could fall between the beginning and the end of one slow write. */
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
  return kind !== events || (object as Event).involvedObject.kind === 'Pod';
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

/** Waits until the syncer has nothing to do: an empty queue, and no look at any key for some readings. */
export async function idle(syncer: Pair['syncer']): Promise<void> {
  let before = '';
  let calm = 0;
  await until('the syncer to have nothing to do', async () => {
    const metrics = await syncer.metrics();
    const looks = metrics
      .split('\n')
      .filter((line) => line.startsWith('vcluster_reconciles_total') && !line.endsWith(' 0'))
      .join();
    const same = looks !== '' && looks === before && isQueueEmpty(metrics);
    before = looks;
    calm = same ? calm + 1 : 0;
    return calm === calmReadings;
  });
}

function isQueueEmpty(metrics: string): boolean {
  const lengths = [...metrics.matchAll(/^vcluster_queue_length\{.*\} (\d+)$/gmu)];
  return lengths.length > 0 && lengths.every(([, length]) => length === '0');
}
