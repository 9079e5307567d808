/**
 * Looks at a virtual cluster: what it is like, what was changed outside; and takes one over that Terraform does not know.
 */
import { isOurs } from '../../operations/chart-files.ts';
import { listClusters, readCluster } from '../../operations/cluster.ts';
import type { ClusterView } from '../../operations/cluster.ts';
import { leftoversOf } from '../../operations/delete.ts';
import { ifAllowed } from '../../operations/host-errors.ts';
import type { Host } from '../../operations/host.ts';
import { managedMetadata, ownNamespace } from '../../operations/namespace.ts';
import { readRelease } from '../../operations/release.ts';
import type { Release } from '../../operations/release.ts';
import { NotReadyError, waitUntilReady } from '../../operations/wait.ts';
import type { ConfiguredProvider } from '../configured.ts';
import type { Attributes } from '../framework/attributes.ts';
import { ProviderError } from '../framework/diagnostics.ts';
import type { ImportCall, Imported, Outcome, ReadCall } from '../framework/resource.ts';
import type { ValueRecord } from '../framework/values.ts';
import { attributesOf } from '../options.ts';
import { wordsOrNull } from '../words.ts';
import type { Words } from '../words.ts';
import { asCluster } from './attributes.ts';
import { driftOf, idOf } from './life.ts';
import { isLeaving, readyOnce, wasReady } from './memory.ts';
import { viewValues } from './view-attributes.ts';
import { labelKeys, valueAt, versionKeys } from './wanted-values.ts';
import { wishOf } from './wish.ts';

type Reading = ReadCall<Attributes, ConfiguredProvider>;

/** How long a virtual cluster that does not answer may take before a refresh tells it as drift, in milliseconds. */
const falterMs = 15_000;

/** Undefined when there is neither a release nor a StatefulSet of it, nor what somebody still has to remove. */
export async function readResource(call: Reading): Promise<Outcome<Attributes> | undefined> {
  const { state } = call;
  const cluster = asCluster(state);
  const host = await call.provider.host();
  const seen = await look(host, call);
  if (seen === undefined) return remainder(host, call);
  const { view, drift } = seen;
  const read = viewValues(view);
  // What is in use again is not leaving any more.
  const isReady = view.phase === 'Running';
  return {
    state: { ...state, ...notForgotten(read, state), drift, id: idOf(cluster) },
    ...(isReady && { private: readyOnce }),
  };
}

/** What a refresh has found. */
export interface Seen {
  readonly view: ClusterView;
  readonly drift: readonly string[];
}

/** Looks at it, and once more after a moment when it falters. @returns undefined when there is nothing of it */
async function look(host: Host, call: Reading): Promise<Seen | undefined> {
  const first = await glance(host, call);
  if (first === undefined || !isFaltering(first)) return first;
  const timeoutMs = Math.min(falterMs, call.remainingMs() / 2);
  await waitUntilReady(host, asCluster(call.state), { timeoutMs, signal: call.signal }).catch(ignoreNotReady);
  return glance(host, call);
}

async function glance(host: Host, { state, signal }: Reading): Promise<Seen | undefined> {
  const cluster = asCluster(state);
  const view = await readCluster(host, cluster, { signal });
  if (view === undefined) return undefined;
  return { view, drift: await driftOf(host, wishOf(cluster), { paused: cluster.pause, signal }) };
}

/**
 * All its containers run and one does not answer its probe just now, or the host is about to note that all do: on a busy host that is
 * over in a moment, and nothing that an apply could repair. Pure.
 */
export function isFaltering({ view: { phase, conditions }, drift }: Seen): boolean {
  const isAlive = phase === 'Running' || phase === 'Degraded';
  const run = conditions.every(({ status, reason }) => status === 'True' || reason === 'NotReady');
  return isAlive && run && drift.length > 0 && drift.every((line) => line.startsWith('not ready: '));
}

/** Then what is seen next tells it. @throws whatever else it was */
function ignoreNotReady(error: unknown): void {
  if (!(error instanceof NotReadyError)) throw error;
}

/**
 * Terraform forgets what is not there, and nobody would remove the rest: of one whose creation or removal was broken off that is
 * its namespace, or more. Of one that was in use all is gone, by somebody's wish.
 */
async function remainder(
  host: Host,
  { signal, state, private: kept }: Reading,
): Promise<Outcome<Attributes> | undefined> {
  const cluster = asCluster(state);
  const isGoing = isLeaving(kept);
  if (!isGoing && wasReady(kept, cluster['phase'])) return undefined;
  const left = await leftoversOf(host, cluster, { signal, lifecycle: cluster.namespace_lifecycle });
  if (left.length === 0) return undefined;
  const what = isGoing ? 'its removal' : 'its creation';
  const line = `${what} has not come to its end; there is only: ${left.join(', ')}`;
  return { state: { ...state, phase: isGoing ? 'Terminating' : 'Pending', drift: [line] } };
}

/** Endpoint and certificate are true also while the Secret that holds them is gone, which is told as drift. */
function notForgotten(read: ValueRecord, state: ValueRecord): ValueRecord {
  const entries = Object.entries(read).map(([name, value]) => [name, value ?? state[name] ?? null]);
  return Object.fromEntries(entries) as ValueRecord;
}

export async function importCluster(call: ImportCall<ConfiguredProvider>): Promise<Imported<Attributes>> {
  const { signal } = call;
  const ref = refOf(call.id);
  const host = await call.provider.host();
  const [release, view] = await Promise.all([readRelease(host, ref, { signal }), readCluster(host, ref, { signal })]);
  refuseForeign(release);
  if (release === undefined || view === undefined) throw await notThere(host, call);
  const { labels, version, attributes, rest } = settingsOf(release.values);
  const state = {
    ...attributes,
    ...ref,
    labels,
    kubernetes_version: version,
    values: rest === undefined ? null : [JSON.stringify(rest)],
    pause: view.paused,
    deletion_protection: false,
    ...(await namespaceSettings(host, ref, signal)),
  };
  return { state, ...(view.phase === 'Pending' || view.phase === 'Failed' ? {} : { private: readyOnce }) };
}

function refuseForeign(release: Release | undefined): void {
  if (release === undefined || isOurs(release.chart)) return;
  const { name, version } = release.chart;
  throw new ProviderError(
    `Release ${idOf(release)} cannot be imported`,
    `It is of the chart ${name} ${version}, which is none of this project.`,
  );
}

interface Settings {
  readonly labels: Words | null;
  readonly version: string | null;
  readonly attributes: ValueRecord;
  readonly rest: Readonly<Record<string, unknown>> | undefined;
}

/** A release's values as attributes; version and labels have attributes of their own. Pure. */
export function settingsOf(values: Readonly<Record<string, unknown>>): Settings {
  const version = valueAt(values, versionKeys);
  const labels = valueAt(values, labelKeys);
  const isPlainVersion = typeof version === 'string';
  const others = withoutKey(isPlainVersion ? withoutKey(values, versionKeys) : values, labelKeys);
  return {
    labels: (labels as Words | undefined) ?? null,
    version: isPlainVersion ? version : null,
    ...attributesOf(others),
  };
}

type Values = Readonly<Record<string, unknown>>;

/** Without one key, and without the branches that hold nothing else. */
function withoutKey(values: Values, [first = '', ...rest]: readonly string[]): Values {
  const { [first]: below, ...others } = values;
  if (rest.length === 0 || typeof below !== 'object' || below === null) return others;
  const left = withoutKey(below as Values, rest);
  return Object.keys(left).length === 0 ? others : { ...others, [first]: left };
}

/** A namespace that is marked as made for this virtual cluster was made by us; any other is kept as it is. */
async function namespaceSettings(
  host: Host,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<ValueRecord> {
  const wanted = { name: namespace, cluster: name, lifecycle: 'create' } as const;
  if ((await ifAllowed(ownNamespace(host, wanted, { signal }))) === undefined) return { namespace_lifecycle: 'keep' };
  const { labels, annotations } = await managedMetadata(host, namespace, { signal });
  return {
    namespace_lifecycle: 'create',
    namespace_labels: wordsOrNull(labels),
    namespace_annotations: wordsOrNull(annotations),
  };
}

function refOf(id: string): { readonly namespace: string; readonly name: string } {
  const [namespace = '', name = '', ...more] = id.split('/');
  if (namespace !== '' && name !== '' && more.length === 0) return { namespace, name };
  throw new ProviderError(
    'The id cannot be imported',
    `It must be the namespace on the host and the name, as in "team-a/team-a", got: ${JSON.stringify(id)}.`,
  );
}

async function notThere(host: Host, { id, signal }: ImportCall<ConfiguredProvider>): Promise<ProviderError> {
  const there = await listClusters(host, {}, { signal }).catch(() => []);
  const known = there.map((view) => idOf(view)).join(', ');
  const hint = known === '' ? 'No virtual cluster can be seen there.' : `There are: ${known}.`;
  return new ProviderError(
    `There is no virtual cluster ${id}`,
    `The host cluster at ${host.server} has no such release. ${hint}`,
  );
}
