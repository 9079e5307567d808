/** What a virtual cluster is like right now, read from the host only; nothing is asked of the virtual API server. */
import syncerRules from '../chart/files/rules.json' with { type: 'json' };
import { ifAllowed } from './host-errors.ts';
import { isOurs } from './chart-files.ts';
import { conditionsOf, livePods, phaseOf } from './conditions.ts';
import type { Condition, Phase } from './conditions.ts';
import { kinds } from './host.ts';
import type { Host } from './host.ts';
import { parseKubeconfig } from './parse-kubeconfig.ts';
import { containersOf } from './pods.ts';
import type { Pod, StatefulSet } from './pods.ts';
import { readRelease } from './release.ts';
import { isPaused, kubeconfigSecretName, readSnapshot, syncedSelector } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';
import type { ClusterRef, HostObject, OperationOptions } from './types.ts';

export interface ClusterView extends ClusterRef {
  readonly phase: Phase;
  /** One of each type, in the order of its `ConditionType`. */
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

/** Undefined when there is neither a release of ours nor a StatefulSet of that name. @throws HostError */
export async function readCluster(
  host: Host,
  ref: ClusterRef,
  options: OperationOptions = {},
): Promise<ClusterView | undefined> {
  const [snapshot, syncedObjects] = await Promise.all([
    readSnapshot(host, ref, options),
    countSynced(host, ref, options),
  ]);
  const { release, statefulSet } = snapshot;
  const isThere = release === undefined ? statefulSet !== undefined : isOurs(release.chart);
  if (!isThere) return undefined;
  return viewOf(snapshot, syncedObjects);
}

export interface ClusterFilter {
  /** Undefined: in all namespaces. */
  readonly namespace?: string | undefined;
  /** All of them must be there. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/** Sorted by namespace and name; `syncedObjects` is left empty. @throws HostError */
export async function listClusters(
  host: Host,
  filter: ClusterFilter = {},
  { signal }: OperationOptions = {},
): Promise<readonly ClusterView[]> {
  const all = 'app=vcluster';
  const wanted = Object.entries(filter.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const [statefulSets, pods] = await Promise.all([
    host.list<StatefulSet>(kinds.statefulSets, filter.namespace, { signal, labelSelector: [all, ...wanted].join(',') }),
    host.list<Pod>(kinds.pods, filter.namespace, { signal, labelSelector: all }),
  ]);
  // Another product labels its own `app=vcluster` too.
  const ours = statefulSets.filter(({ metadata }) => metadata.labels?.['release'] === metadata.name);
  const found = await Promise.all(ours.map((one) => completed(host, one, pods, signal)));
  return found
    .filter(({ release }) => release === undefined || isOurs(release.chart))
    .map((snapshot) => viewOf(snapshot, {}))
    .toSorted((left, right) => compare(left, right));
}

function compare(left: ClusterRef, right: ClusterRef): number {
  return left.namespace.localeCompare(right.namespace) || left.name.localeCompare(right.name);
}

async function completed(
  host: Host,
  statefulSet: StatefulSet,
  pods: readonly Pod[],
  signal: AbortSignal | undefined,
): Promise<Snapshot> {
  const { name, namespace = '' } = statefulSet.metadata;
  const [release, secret] = await Promise.all([
    readRelease(host, { namespace, name }, { signal }),
    host.tryGet(kinds.secrets, { namespace, name: kubeconfigSecretName(name) }, { signal }),
  ]);
  const own = pods.filter(({ metadata }) => metadata.namespace === namespace && metadata.labels?.['release'] === name);
  return { namespace, name, release, statefulSet, pods: own, secret };
}

/** What the snapshot says. Pure. */
export function viewOf(snapshot: Snapshot, syncedObjects: Readonly<Record<string, number>>): ClusterView {
  const { namespace, name, release, statefulSet, secret } = snapshot;
  const conditions = conditionsOf(snapshot);
  return {
    namespace,
    name,
    phase: phaseOf(snapshot, conditions),
    conditions,
    endpoint: endpointIn(secret),
    clusterCaCertificate: decoded(secret, 'certificate-authority'),
    versions: {
      kubernetes: imageTag(snapshot, 'kube-apiserver'),
      chart: release?.chart.version,
      syncer: imageTag(snapshot, 'syncer'),
    },
    syncedObjects,
    paused: isPaused(statefulSet),
    labels: ownLabels(statefulSet),
    created: statefulSet?.metadata.creationTimestamp,
    kubeconfigSecret: { name: kubeconfigSecretName(name), namespace },
  };
}

function endpointIn(secret: HostObject | undefined): string | undefined {
  const config = decoded(secret, 'config');
  try {
    return config === undefined ? undefined : parseKubeconfig(config).server;
  } catch {
    // Whoever has written it, the phase and the conditions do not depend on it.
    return undefined;
  }
}

function decoded(secret: HostObject | undefined, key: string): string | undefined {
  const value = secret?.data?.[key];
  return value === undefined ? undefined : Buffer.from(value, 'base64').toString('utf8');
}

/** Version in the tag of a container's image: of the pod that runs, else of the one that would. */
function imageTag({ pods, statefulSet }: Snapshot, container: string): string | undefined {
  const spec = livePods(pods)[0]?.spec ?? statefulSet?.spec.template.spec;
  const image = spec && containersOf(spec).find(({ name }) => name === container)?.image;
  return /:v?([^:@/]+)(?:@.*)?$/.exec(image ?? '')?.[1];
}

/** Labels that every virtual cluster has, from the chart and from Helm. */
export const commonLabels: ReadonlySet<string> = new Set(['app', 'release', 'app.kubernetes.io/managed-by']);

function ownLabels(statefulSet: HostObject | undefined): Readonly<Record<string, string>> {
  const labels = Object.entries(statefulSet?.metadata.labels ?? {});
  return Object.fromEntries(labels.filter(([key]) => !commonLabels.has(key)));
}

/** The kinds that the syncer may create on the host, as its Role says. */
const syncedKinds: readonly string[] = syncerRules
  .filter(({ verbs, apiGroups }) => verbs.includes('create') && apiGroups.includes(''))
  .flatMap(({ resources }) => resources)
  .filter((resource) => !resource.includes('/'))
  .toSorted();

async function countSynced(
  host: Host,
  { namespace, name }: ClusterRef,
  { signal }: OperationOptions,
): Promise<Readonly<Record<string, number>>> {
  const count = async (plural: string): Promise<readonly [string, number] | undefined> => {
    const kind = { group: '', version: 'v1', plural };
    const listing = host.list(kind, namespace, { signal, labelSelector: syncedSelector(name), metadataOnly: true });
    const found = await ifAllowed(listing);
    return found && [plural, found.length];
  };
  const counts = await Promise.all(syncedKinds.map(count));
  return Object.fromEntries(counts.filter((each) => each !== undefined));
}
