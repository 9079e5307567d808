/**
 * Removes a virtual cluster and everything of it, or says what is left.
 *
 * Invariants: nothing is deleted that is not, by its labels or owners, of this virtual cluster; no finalizer is removed by force;
 * a volume that is to be retained stays. Every step can be interrupted and gone on with.
 */
import { OperationError } from './errors.ts';
import { HelmError } from './helm.ts';
import type { Host, HostKind } from './host.ts';
import { inventory, nameOf, volumesOf } from './inventory.ts';
import type { Found } from './inventory.ts';
import { ownNamespace, removeNamespace } from './namespace.ts';
import type { NamespaceLifecycle } from './namespace.ts';
import { waitFor } from './poll.ts';
import { isOurs } from './chart-files.ts';
import { readRelease, uninstallRelease } from './release.ts';
import type { ClusterRef, HostObject, OperationOptions, WaitOptions } from './types.ts';

const deleteTimeoutMs = 300_000;

/** Something could not be removed in time; `left` names it. Deleting again goes on. */
export class LeftoversError extends OperationError {
  override readonly name = 'LeftoversError';
  /** `kind/name`. */
  readonly left: readonly string[];

  constructor(summary: string, detail: string, left: readonly string[]) {
    super(summary, detail);
    this.left = left;
  }
}

export interface DeleteOptions extends WaitOptions {
  /** Default `keep`: the namespace stays. */
  readonly lifecycle?: NamespaceLifecycle | undefined;
}

export interface DeleteResult {
  /** What stays on purpose, `kind/name: why`, such as a retained volume. */
  readonly kept: readonly string[];
}

/**
 * Idempotent, also for one that was never ready, half-made or is gone already.
 * @throws LeftoversError, NamespaceError, HelmError, HostError, AbortedError
 */
export async function deleteCluster(host: Host, ref: ClusterRef, options: DeleteOptions = {}): Promise<DeleteResult> {
  const { signal, log, lifecycle = 'keep', timeoutMs = deleteTimeoutMs } = options;
  const deadlineMs = performance.now() + timeoutMs;
  const leftMs = (): number => Math.max(0, deadlineMs - performance.now());
  const release = await readRelease(host, ref, { signal });
  if (release !== undefined && !isOurs(release.chart)) {
    throw new HelmError(
      `Release ${ref.name} in namespace "${ref.namespace}" is not deleted`,
      `It is of the chart ${release.chart.name} ${release.chart.version}, which is none of this project.`,
    );
  }
  if (release !== undefined) log?.(`${ref.namespace}/${ref.name}: the release is removed`);
  await uninstallRelease(host, ref, { signal, log, helm: options.helm });
  const { namespace: name, name: cluster } = ref;
  const removed = await removeNamespace(host, { name, lifecycle, cluster }, { signal, log, timeoutMs: leftMs() });
  // Nothing outlives a namespace.
  const kept = removed ? [] : await emptied(host, ref, { ...options, timeoutMs: leftMs() });
  const volumes = await releasedVolumes(host, ref, removed, { signal, timeoutMs: leftMs() });
  return { kept: [...kept, ...volumes] };
}

/** What a deletion that did not come to its end has left, as `kind/name`; none when there is nothing more to do. @throws HostError */
export async function leftoversOf(
  host: Host,
  ref: ClusterRef,
  { signal, lifecycle = 'keep' }: Pick<DeleteOptions, 'lifecycle'> & OperationOptions = {},
): Promise<readonly string[]> {
  const wanted = { name: ref.namespace, lifecycle, cluster: ref.name };
  // All else goes with it.
  if ((await ownNamespace(host, wanted, { signal })) !== undefined) return [`namespaces/${ref.namespace}`];
  const found = await inventory(host, ref, signal);
  return found.filter((each) => !isRetained(each)).map(nameOf);
}

/** Waits until the host has removed what goes with the release, and removes what was orphaned. @returns what stays on purpose */
async function emptied(host: Host, ref: ClusterRef, options: WaitOptions): Promise<readonly string[]> {
  const { signal, log, timeoutMs = 0 } = options;
  let left: readonly Found[] = [];
  let kept: readonly Found[] = [];
  // Where something was left the last time; undefined: everywhere. Done is only what was seen to be so everywhere.
  let places: readonly HostKind[] | undefined;
  const done = await waitFor(timeoutMs, signal, async () => {
    const all = await inventory(host, ref, signal, places);
    const wasEverywhere = places === undefined;
    left = all.filter((found) => !isRetained(found));
    if (wasEverywhere) kept = all.filter(isRetained);
    await Promise.all(left.filter(isOrphan).map((found) => removeOrphan(host, found, options)));
    places = left.length === 0 ? undefined : [...new Set(left.map(({ kind }) => kind))];
    return wasEverywhere && left.length === 0;
  });
  if (done) return kept.map((found) => `${nameOf(found)}: its retention policy is Retain`);
  log?.(`${ref.namespace}/${ref.name}: ${left.length} objects are still there`);
  throw leftovers(ref, left);
}

/** Helm leaves it because the chart says so. */
function isRetained({ object: { metadata } }: Found): boolean {
  return metadata.annotations?.['helm.sh/resource-policy'] === 'keep' && metadata.deletionTimestamp === undefined;
}

/**
 * Nobody else will remove it: of the release without a release being there any more. What has an owner goes with its owner, and
 * pods go with the StatefulSet.
 */
function isOrphan({ object: { metadata } }: Found): boolean {
  const { ownerReferences = [], deletionTimestamp } = metadata;
  return ownerReferences.length === 0 && deletionTimestamp === undefined;
}

async function removeOrphan(host: Host, found: Found, { signal, log }: WaitOptions): Promise<void> {
  const { namespace, name, uid } = found.object.metadata;
  log?.(`${nameOf(found)} is removed`);
  await host.delete(found.kind, { namespace, name, uid }, { signal });
}

function leftovers(ref: ClusterRef, left: readonly Found[]): LeftoversError {
  const names = left.map(nameOf);
  const held = left.filter(({ object }) => (object.metadata.finalizers ?? []).length > 0);
  const why = held.map((found) => `${nameOf(found)} waits for ${found.object.metadata.finalizers?.join(', ')}`);
  return new LeftoversError(
    `Virtual cluster ${ref.name} is not gone completely from namespace "${ref.namespace}"`,
    `Still there: ${names.join(', ')}.${why.length === 0 ? '' : ` ${why.join('; ')}.`} Deleting again goes on; nothing is forced.`,
    names,
  );
}

interface Volume extends HostObject {
  readonly spec?: { readonly claimRef?: { readonly name?: string }; readonly persistentVolumeReclaimPolicy?: string };
}

/** Volumes are removed by their provisioner a moment after their claims. @returns those that stay, and why */
async function releasedVolumes(
  host: Host,
  { namespace, name }: ClusterRef,
  all: boolean,
  { signal, timeoutMs = 0 }: WaitOptions,
): Promise<readonly string[]> {
  let found: readonly Volume[] = [];
  const isOfIt = ({ spec }: Volume): boolean => {
    const claim = spec?.claimRef?.name ?? '';
    return all || claim === `data-${name}-0` || claim.endsWith(`-x-${name}`);
  };
  const isGoing = ({ spec, status }: Volume): boolean =>
    spec?.persistentVolumeReclaimPolicy === 'Delete' && status?.['phase'] === 'Released';
  await waitFor(timeoutMs, signal, async () => {
    const volumes: readonly Volume[] = await volumesOf(host, namespace, signal);
    found = volumes.filter((volume) => isOfIt(volume) && volume.status?.['phase'] !== 'Bound');
    return !found.some(isGoing);
  });
  return found.map((volume) => `persistentvolumes/${volume.metadata.name}: ${volumeWords(volume)}`);
}

function volumeWords({ spec, status }: Volume): string {
  const phase = typeof status?.['phase'] === 'string' ? status['phase'] : 'unknown';
  if (spec?.persistentVolumeReclaimPolicy !== 'Delete')
    return `its reclaim policy is ${spec?.persistentVolumeReclaimPolicy}`;
  return `its provisioner has not removed it (${phase})`;
}
