/** All that is known on the host about one virtual cluster at one moment, read together. Decides nothing. */
import { kinds } from './host.ts';
import type { Host } from './host.ts';
import type { Pod, StatefulSet } from './pods.ts';
import { readRelease } from './release.ts';
import type { Release } from './release.ts';
import type { ClusterRef, HostObject, OperationOptions } from './types.ts';

export interface Snapshot extends ClusterRef {
  readonly release: Release | undefined;
  readonly statefulSet: StatefulSet | undefined;
  /** Of the control plane. */
  readonly pods: readonly Pod[];
  /** With the kubeconfig, once the syncer has published it. */
  readonly secret: HostObject | undefined;
}

/** Wire-compatible: other tools know these two. */
export const pausedAnnotation = 'loft.sh/paused';
export const pausedReplicasAnnotation = 'loft.sh/paused-replicas';
export const managedByLabel = 'vcluster.loft.sh/managed-by';

/** Selects what a release consists of, and the pods of its control plane. */
export function controlPlaneSelector(name: string): string {
  return `app=vcluster,release=${name}`;
}

/** Selects what a virtual cluster has put onto the host for its tenants. */
export function syncedSelector(name: string): string {
  return `${managedByLabel}=${name}`;
}

/** Name of the Secret with the kubeconfig. */
export function kubeconfigSecretName(name: string): string {
  return `vc-${name}`;
}

/** @throws HostError */
export async function readSnapshot(host: Host, ref: ClusterRef, { signal }: OperationOptions = {}): Promise<Snapshot> {
  const { namespace, name } = ref;
  const [release, statefulSet, pods, secret] = await Promise.all([
    readRelease(host, ref, { signal }),
    host.tryGet<StatefulSet>(kinds.statefulSets, ref, { signal }),
    host.list<Pod>(kinds.pods, namespace, { signal, labelSelector: controlPlaneSelector(name) }),
    host.tryGet(kinds.secrets, { namespace, name: kubeconfigSecretName(name) }, { signal }),
  ]);
  return { namespace, name, release, statefulSet, pods, secret };
}

/** The same with less to read, for those who look again and again: no release, and the Secret only when `isDue`. @throws HostError */
export async function readProgress(
  host: Host,
  ref: ClusterRef,
  isDue: (statefulSet: StatefulSet) => boolean,
  signal?: AbortSignal,
): Promise<Snapshot> {
  const { namespace, name } = ref;
  const [statefulSet, pods] = await Promise.all([
    host.tryGet<StatefulSet>(kinds.statefulSets, ref, { signal }),
    host.list<Pod>(kinds.pods, namespace, { signal, labelSelector: controlPlaneSelector(name) }),
  ]);
  if (statefulSet === undefined) return readSnapshot(host, ref, { signal });
  const secretRef = { namespace, name: kubeconfigSecretName(name) };
  const secret = isDue(statefulSet) ? await host.tryGet(kinds.secrets, secretRef, { signal }) : undefined;
  return { namespace, name, release: undefined, statefulSet, pods, secret };
}

/** Whether it was put to sleep, also while it is still going there. Pure. */
export function isPaused(statefulSet: HostObject | undefined): boolean {
  return statefulSet?.metadata.annotations?.[pausedAnnotation] === 'true';
}
