/** The load: pods made and removed by so many creators at once, or at a pace. Every answer's moment is noted by the one clock. */
import { setTimeout as sleep } from 'node:timers/promises';
import { pods } from '../../syncer/model/kubernetes.ts';
import type { Cluster } from '../../syncer/model/cluster.ts';
import { clockMs } from './clock.ts';
import { podOf } from './pods.ts';
import type { PodOptions } from './pods.ts';

export interface Made {
  readonly id: string;
  readonly namespace: string;
  readonly uid: string;
  /** When the creation was answered: the beginning of what a contender is responsible for. */
  readonly answeredMs: number;
  /** How long the answer took. */
  readonly tookMs: number;
}

/** Creators of the benchmarks page. */
export const creators = 32;

export async function makePod(cluster: Cluster, id: string, options: PodOptions): Promise<Made> {
  const startedMs = clockMs();
  const { metadata } = await cluster.create(pods, podOf(id, options));
  const answeredMs = clockMs();
  return { id, namespace: options.namespace, uid: metadata.uid ?? '', answeredMs, tookMs: answeredMs - startedMs };
}

/** Asks for the end of a pod, with its own grace period. When that was answered. */
export async function removePod(cluster: Cluster, { id, namespace, uid }: Made): Promise<number> {
  await cluster.remove(pods, { namespace, name: id }, { uid });
  return clockMs();
}

/** Does a task for each, so many at once, in order. */
export async function atOnce<A, B>(items: readonly A[], width: number, task: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < items.length; at = next++) results[at] = await task(items[at] as A);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
}

/** Begins a task each so many milliseconds, whether or not those before have ended: load does not wait for the loaded. */
export async function paced<A, B>(items: readonly A[], everyMs: number, task: (item: A) => Promise<B>): Promise<B[]> {
  const startedMs = clockMs();
  const begun: Promise<B>[] = [];
  for (const [index, item] of items.entries()) {
    const waitMs = startedMs + index * everyMs - clockMs();
    if (waitMs > 0) await sleep(waitMs);
    const result = task(item);
    // Its error is met at the end, with all the others.
    result.catch(() => undefined);
    begun.push(result);
  }
  return Promise.all(begun);
}
