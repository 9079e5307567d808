/** Puts a virtual cluster to sleep, with its data kept, and wakes it. Annotations are those that other tools know. */
import { OperationError } from './errors.ts';
import { HostConflictError } from './host-errors.ts';
import { kinds } from './host.ts';
import type { Host } from './host.ts';
import { waitFor } from './poll.ts';
import type { StatefulSet } from './pods.ts';
import {
  controlPlaneSelector,
  isPaused,
  pausedAnnotation,
  pausedReplicasAnnotation,
  syncedSelector,
} from './snapshot.ts';
import type { ClusterRef, HostObject, WaitOptions } from './types.ts';

const pauseTimeoutMs = 180_000;
const conflictsMax = 5;
const namesShownMax = 10;

export interface PauseResult {
  /** False when it was paused already. */
  readonly changed: boolean;
  /** For people: such as pods without a controller, which do not come back. */
  readonly warnings: readonly string[];
}

/** Something did not stop in time. Pausing again goes on. */
export class PauseError extends OperationError {
  override readonly name = 'PauseError';
}

/**
 * Stops the control plane, waits until its pod is gone, then removes the tenant's pods from the host. Idempotent: goes on where
 * an interrupted one has stopped. @throws HostNotFoundError when there is no such virtual cluster; PauseError
 */
export async function pauseCluster(host: Host, ref: ClusterRef, options: WaitOptions = {}): Promise<PauseResult> {
  const { signal, log, timeoutMs = pauseTimeoutMs } = options;
  const deadlineMs = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, deadlineMs - performance.now());
  const changed = await change(host, ref, options, (statefulSet) =>
    isPaused(statefulSet) ? undefined : pausedState(statefulSet),
  );
  if (changed) log?.(`${ref.namespace}/${ref.name}: the control plane is stopped`);
  // While it runs, the syncer would take a pod that goes for one to be replaced.
  await gone(host, ref, controlPlaneSelector(ref.name), { signal, timeoutMs: leftMs() });
  const pods = await host.list(kinds.pods, ref.namespace, { signal, labelSelector: syncedSelector(ref.name) });
  if (pods.length > 0) log?.(`${ref.namespace}/${ref.name}: ${pods.length} pods of the tenant are stopped`);
  await Promise.all(
    pods.map(({ metadata: { namespace, name, uid } }) => host.delete(kinds.pods, { namespace, name, uid }, { signal })),
  );
  await gone(host, ref, syncedSelector(ref.name), { signal, timeoutMs: leftMs() });
  return { changed, warnings: warningsAbout(pods) };
}

/** Starts the control plane again; does not wait (waitUntilReady does). Idempotent. @returns whether it was paused */
export async function resumeCluster(host: Host, ref: ClusterRef, options: WaitOptions = {}): Promise<boolean> {
  const changed = await change(host, ref, options, (statefulSet) =>
    isPaused(statefulSet) ? resumedState(statefulSet) : undefined,
  );
  if (changed) options.log?.(`${ref.namespace}/${ref.name}: the control plane is started`);
  return changed;
}

/** Changes the StatefulSet unless it is as wanted; looks again when somebody else changes it at the same time. */
async function change(
  host: Host,
  ref: ClusterRef,
  { signal }: WaitOptions,
  wanted: (statefulSet: StatefulSet) => object | undefined,
): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    const statefulSet = await host.get<StatefulSet>(kinds.statefulSets, ref, { signal });
    const patch = wanted(statefulSet);
    if (patch === undefined) return false;
    try {
      await host.patch(kinds.statefulSets, ref, patch, { signal });
      return true;
    } catch (error) {
      if (!(error instanceof HostConflictError) || attempt >= conflictsMax) throw error;
    }
  }
}

function pausedState({ metadata, spec }: StatefulSet): object {
  const replicas = spec.replicas ?? 1;
  const annotations = {
    [pausedAnnotation]: 'true',
    // One that somebody has scaled down by hand is still to run when it is resumed.
    [pausedReplicasAnnotation]: String(Math.max(replicas, 1)),
  };
  return { metadata: { resourceVersion: metadata.resourceVersion, annotations }, spec: { replicas: 0 } };
}

function resumedState({ metadata }: StatefulSet): object {
  const before = Number.parseInt(metadata.annotations?.[pausedReplicasAnnotation] ?? '', 10);
  return {
    metadata: {
      resourceVersion: metadata.resourceVersion,
      annotations: { [pausedAnnotation]: null, [pausedReplicasAnnotation]: null },
    },
    spec: { replicas: before > 0 ? before : 1 },
  };
}

async function gone(host: Host, ref: ClusterRef, labelSelector: string, options: WaitOptions): Promise<void> {
  const { signal, timeoutMs = 0 } = options;
  let left: readonly HostObject[] = [];
  const done = await waitFor(timeoutMs, signal, async () => {
    left = await host.list(kinds.pods, ref.namespace, { signal, labelSelector, metadataOnly: true });
    return left.length === 0;
  });
  if (done) return;
  throw new PauseError(
    `Virtual cluster ${ref.name} is not paused yet`,
    `Still there in namespace "${ref.namespace}": ${shortList(left)}. Pausing again goes on; look at the nodes these pods are on.`,
  );
}

interface Owner {
  readonly controller?: boolean;
}

/** Its owners inside of the virtual cluster are written on a pod of the host. */
function hasController({ metadata }: HostObject): boolean {
  try {
    const owners = JSON.parse(metadata.annotations?.['vcluster.loft.sh/owner-references'] ?? '[]') as readonly Owner[];
    return owners.some(({ controller }) => controller === true);
  } catch {
    return false;
  }
}

/** What does not come back. Pure. */
export function warningsAbout(pods: readonly HostObject[]): readonly string[] {
  const bare = pods.filter((pod) => !hasController(pod));
  if (bare.length === 0) return [];
  return [
    `${bare.length} pods have no controller and do not come back when it is resumed, as after the drain of a node: ${shortList(bare)}.`,
  ];
}

function shortList(objects: readonly HostObject[]): string {
  const names = objects.slice(0, namesShownMax).map(({ metadata }) => metadata.name);
  return `${names.join(', ')}${objects.length > namesShownMax ? ` and ${objects.length - namesShownMax} more` : ''}`;
}
