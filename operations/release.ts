/**
 * One Helm release: put into the wanted state, read, removed. Reading takes no helm: releases are Secrets of the host.
 *
 * Never waits for pods (wait.ts does). A release that an interrupted helm has left pending is healed before anything else.
 */
import { isOurs, openChart } from './chart-files.ts';
import { HelmError, runHelm } from './helm.ts';
import { kinds } from './host.ts';
import type { Host } from './host.ts';
import { interruptibly } from './poll.ts';
import { repairLists } from './repair.ts';
import { decodeRelease, newest, revisionsOf } from './release-record.ts';
import type { Release } from './release-record.ts';
import type { ClusterRef, OperationOptions } from './types.ts';

export type { Release, ReleaseStatus } from './release-record.ts';

/** A helm of somebody else may be at work; ours takes seconds, because it does not wait for pods. */
const pendingPatienceMs = 20_000;
const pollMs = 500;
const revisionsKept = 5;

export interface WantedRelease extends ClusterRef {
  /** Chart values; what the chart's schema refuses fails before anything is written. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Labels of the virtual cluster, written to the value controlPlane.statefulSet.labels; listClusters() selects by them. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Folder of a chart; default: the one that ships with this version. */
  readonly chart?: string | undefined;
}

export interface ApplyOptions extends OperationOptions {
  /** How long a release may be seen pending before its helm is taken to be dead. Default 20 s. */
  readonly pendingPatienceMs?: number | undefined;
}

type Values = Readonly<Record<string, unknown>>;

/** The values that applyRelease() gives to Helm: `values` with the labels in their place. Pure. */
export function valuesOf({ values, labels }: Pick<WantedRelease, 'values' | 'labels'>): Values {
  if (labels === undefined || Object.keys(labels).length === 0) return values;
  const controlPlane = branch(values, 'controlPlane');
  const statefulSet = branch(controlPlane, 'statefulSet');
  const all = { ...branch(statefulSet, 'labels'), ...labels };
  return { ...values, controlPlane: { ...controlPlane, statefulSet: { ...statefulSet, labels: all } } };
}

function branch(values: Values, key: string): Values {
  const found = values[key];
  return typeof found === 'object' && found !== null ? (found as Values) : {};
}

/**
 * Installs or upgrades. Idempotent; the namespace must be there. A failed revision is upgraded over; one that was left pending
 * is brought to an end first, without losing anything of it. @throws HelmError with Helm's words; HostError; AbortedError
 */
export async function applyRelease(host: Host, wanted: WantedRelease, options: ApplyOptions = {}): Promise<Release> {
  const { name, namespace } = wanted;
  const chart = await openChart(wanted.chart);
  const before = await healedRelease(host, wanted, options);
  if (before !== undefined) {
    refuseForeign(before);
    await repairLists(host, before, options);
  }
  await runHelm(
    host,
    // Without --wait: waiting is ours, with words for what goes wrong.
    ['upgrade', '--install', name, chart.path, '--values', '-', '--reset-values', `--history-max=${revisionsKept}`],
    {
      ...options,
      namespace,
      input: JSON.stringify(valuesOf(wanted)),
      summary: `Virtual cluster ${name} cannot be ${before === undefined ? 'installed' : 'upgraded'} in namespace "${namespace}"`,
    },
  );
  const after = await readRelease(host, wanted, options);
  if (after !== undefined) return after;
  throw new HelmError(
    `Virtual cluster ${name} was removed while it was installed`,
    'Somebody else deletes it. Apply again.',
  );
}

function refuseForeign({ name, namespace, chart }: Release): void {
  if (isOurs(chart)) return;
  throw new HelmError(
    `Name "${name}" is taken in namespace "${namespace}"`,
    `It is a Helm release of the chart ${chart.name} ${chart.version}, which is none of this project. Choose another name or namespace.`,
  );
}

/** The release as it is when no helm is at work on it any more. */
async function healedRelease(host: Host, ref: ClusterRef, options: ApplyOptions): Promise<Release | undefined> {
  const release = await settledRelease(host, ref, options);
  if (release === undefined || release.status === 'deployed' || release.status === 'failed') return release;
  const { name, namespace, revision, status } = release;
  if (status === 'uninstalling') {
    options.log?.(`the removal of ${namespace}/${name} was interrupted; it is finished first`);
    await uninstallRelease(host, ref, options);
    return undefined;
  }
  if (!isPending(release)) return release;
  options.log?.(
    `helm was interrupted at revision ${revision} of ${namespace}/${name} (${status}); it is finished first`,
  );
  // To itself: that applies what the interrupted run had not come to, and unlike removing it loses no data. That the manifest
  // may be a bad one does not matter: then this revision is failed, and a failed one is upgraded over.
  const rollback = runHelm(host, ['rollback', name, String(revision), `--history-max=${revisionsKept}`], {
    ...options,
    namespace,
    summary: `The interrupted release of virtual cluster ${name} cannot be finished`,
  });
  await rollback.catch(async (error: unknown) => {
    const now = await readRelease(host, ref, options);
    if (now === undefined || isPending(now)) throw error;
  });
  return readRelease(host, ref, options);
}

function isPending(release: Release | undefined): release is Release {
  return release?.status.startsWith('pending-') === true;
}

/** Waits as long as somebody else may be at work: until it is not pending any more, or nothing has happened for a while. */
async function settledRelease(host: Host, ref: ClusterRef, options: ApplyOptions): Promise<Release | undefined> {
  const { pendingPatienceMs: patienceMs = pendingPatienceMs, signal, log } = options;
  let since = performance.now();
  for (let seen = 0; ; await interruptibly(pollMs, signal)) {
    const release = await readRelease(host, ref, { signal });
    if (!isPending(release)) return release;
    if (release.revision !== seen) {
      since = performance.now();
      log?.(`${ref.namespace}/${ref.name} is ${release.status}; looking whether another helm is at work on it`);
    }
    if (performance.now() - since >= patienceMs) return release;
    seen = release.revision;
  }
}

/** The newest revision; undefined when there is no release of that name, also when only a removed one is remembered. */
export async function readRelease(
  host: Host,
  ref: ClusterRef,
  options: OperationOptions = {},
): Promise<Release | undefined> {
  const { namespace, name } = ref;
  const { signal } = options;
  const labelSelector = revisionsOf(name);
  const revisions = await host.list(kinds.secrets, namespace, { signal, labelSelector, metadataOnly: true });
  const last = newest(name, revisions);
  if (last === undefined) return undefined;
  const secret = await host.tryGet(kinds.secrets, { namespace, name: last.metadata.name }, { signal });
  // It went between the two requests: somebody makes or removes a revision right now.
  if (secret === undefined) return readRelease(host, ref, options);
  const release = decodeRelease(secret);
  return release.status === 'uninstalled' ? undefined : release;
}

/** Removes it; quiet when there is none. Volumes that are to be retained stay. */
export async function uninstallRelease(host: Host, ref: ClusterRef, options: OperationOptions = {}): Promise<void> {
  if ((await readRelease(host, ref, options)) === undefined) return;
  await runHelm(host, ['uninstall', ref.name, '--ignore-not-found'], {
    ...options,
    namespace: ref.namespace,
    summary: `Virtual cluster ${ref.name} cannot be removed from namespace "${ref.namespace}"`,
  });
}
