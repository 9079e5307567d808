/** What a virtual cluster is like right now, read from the host only; nothing is asked of the virtual API server. */
import type { Host } from './host.ts';
import type { ClusterRef, OperationOptions } from './types.ts';

/**
 * Pending: not ready yet, for the first time. Running: all ready. Degraded: was ready, is not. Paused. Failed: its release is.
 * Terminating: being deleted.
 */
export type Phase = 'Pending' | 'Running' | 'Degraded' | 'Paused' | 'Failed' | 'Terminating';

export type ConditionType = 'ReleaseDeployed' | 'ControlPlaneReady' | 'SyncerReady' | 'KubeconfigPublished';

export interface Condition {
  readonly type: ConditionType;
  readonly status: 'True' | 'False' | 'Unknown';
  /** One word, such as `ImagePullBackOff`; empty when True. */
  readonly reason: string;
  /** For people; empty when True. */
  readonly message: string;
}

export interface ClusterView extends ClusterRef {
  readonly phase: Phase;
  /** One of each type, in the order of {@link ConditionType}. */
  readonly conditions: readonly Condition[];
  /** URL of its API server within the host cluster; undefined until the kubeconfig is published. */
  readonly endpoint: string | undefined;
  /** PEM; public. */
  readonly clusterCaCertificate: string | undefined;
  readonly versions: {
    /** Of the API server that runs, or ran last, such as `1.36.3`. */
    readonly kubernetes: string | undefined;
    readonly chart: string | undefined;
    /** Tag of the syncer's image. */
    readonly syncer: string | undefined;
  };
  /** Objects on the host that this virtual cluster has put there, by plural kind; kinds that may not be read are missing. */
  readonly syncedObjects: Readonly<Record<string, number>>;
  readonly paused: boolean;
  /** Labels of its StatefulSet without those that every virtual cluster has. */
  readonly labels: Readonly<Record<string, string>>;
  /** ISO 8601. */
  readonly created: string | undefined;
  readonly kubeconfigSecret: { readonly name: string; readonly namespace: string };
}

/** Undefined when there is neither a release nor a StatefulSet of that name. @throws HostError */
export function readCluster(host: Host, ref: ClusterRef, options?: OperationOptions): Promise<ClusterView | undefined> {
  throw new Error(`not written yet ${String(host)} ${String(ref)} ${String(options)}`);
}

export interface ClusterFilter {
  /** Undefined: in all namespaces. */
  readonly namespace?: string | undefined;
  /** All of them must be there. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Sorted by namespace and name; `syncedObjects` is left empty. @throws HostError */
export function listClusters(
  host: Host,
  filter?: ClusterFilter,
  options?: OperationOptions,
): Promise<readonly ClusterView[]> {
  throw new Error(`not written yet ${String(host)} ${String(filter)} ${String(options)}`);
}
