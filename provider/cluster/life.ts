/**
 * Creates, updates and destroys a virtual cluster, step by step, each step one that can be gone on with later.
 *
 * Invariant: from the first thing that is written on, what Terraform keeps says so (`checkpoint`), whatever happens next; the next
 * apply goes on or begins anew, and a destruction finds everything.
 */
import { readCluster } from '../../operations/cluster.ts';
import { deleteCluster } from '../../operations/delete.ts';
import { findDrift } from '../../operations/drift.ts';
import type { Host } from '../../operations/host.ts';
import { goesOn, OperationError } from '../../operations/errors.ts';
import { HostError } from '../../operations/host-errors.ts';
import { applyNamespace, namespaceDrift, NamespaceError } from '../../operations/namespace.ts';
import { pauseCluster, resumeCluster } from '../../operations/pause.ts';
import { findProblems } from '../../operations/problems.ts';
import type { Wish } from '../../operations/problems.ts';
import { applyRelease, readRelease } from '../../operations/release.ts';
import type { OperationOptions, WaitOptions } from '../../operations/types.ts';
import { waitUntilReady } from '../../operations/wait.ts';
import type { ConfiguredProvider } from '../configured.ts';
import type { Attributes } from '../framework/attributes.ts';
import type { Call } from '../framework/call.ts';
import { failure, ProviderError, warning } from '../framework/diagnostics.ts';
import type { Diagnostic } from '../framework/diagnostics.ts';
import type { CreateCall, DeleteCall, Outcome, UpdateCall } from '../framework/resource.ts';
import type { ValueRecord } from '../framework/values.ts';
import { asCluster } from './attributes.ts';
import type { ClusterObject } from './attributes.ts';
import { refuse } from './host-check.ts';
import { leaving, readyOnce } from './memory.ts';
import { protection } from './plan.ts';
import { viewValues } from './view-attributes.ts';
import { namespaceText, releaseText, wishOf } from './wish.ts';

type Done = Outcome<Attributes>;

/** One operation on one virtual cluster. */
interface Work {
  readonly host: Host;
  readonly cluster: ClusterObject;
  readonly wish: Wish;
  readonly call: Call<ConfiguredProvider>;
  /** For the whole operation. */
  readonly allowedMs: number;
}

export async function createCluster(call: CreateCall<Attributes, ConfiguredProvider>): Promise<Done> {
  const work = await workOf(call, call.planned);
  const { host, wish } = work;
  refuse(await findProblems(host, wish, optionsOf(call)));
  await refuseExisting(work);
  // What was remembered of an object that this one replaces is not true of this one.
  const begun = (): void => call.checkpoint(partial(work), {});
  await applyNamespace(host, wish.namespace, optionsOf(call)).catch((error: unknown) => {
    // Only who was refused can be sure that nothing was written.
    if (!isRefusal(error)) begun();
    throw error;
  });
  begun();
  await install(work).catch(explainTaint);
  call.checkpoint(partial(work), readyOnce);
  const diagnostics = work.cluster.pause ? await putToSleep(work) : [];
  return { state: await stateNow(work), private: readyOnce, diagnostics };
}

export async function updateCluster(call: UpdateCall<Attributes, ConfiguredProvider>): Promise<Done> {
  const work = await workOf(call, call.planned);
  const { host, wish, cluster } = work;
  const steps = stepsOf(call, wish);
  if (steps.release) refuse(await findProblems(host, wish, optionsOf(call)));
  if (steps.namespace) await applyNamespace(host, wish.namespace, optionsOf(call));
  // What was not known while planning may have turned out to be what it was.
  if (!steps.release && !steps.pause) return { state: { ...call.prior, ...known(call.planned) } };
  // From here on the host may be as wanted or halfway; the next plan finds what is missing.
  call.checkpoint({ ...partial(work, call.prior), drift: ['the last update did not come to its end'] });
  if (steps.release) await applyRelease(host, wish.release, optionsOf(call));
  const diagnostics = cluster.pause ? await putToSleep(work) : await wake(work);
  return {
    state: await stateNow(work, call.prior),
    private: cluster.pause ? call.private : readyOnce,
    diagnostics: [...diagnostics, ...(await left(work))],
  };
}

function isRefusal(error: unknown): boolean {
  return error instanceof NamespaceError || (error instanceof HostError && error.status >= 400 && error.status < 500);
}

async function install(work: Work): Promise<void> {
  const { host, wish, call } = work;
  await applyRelease(host, wish.release, optionsOf(call));
  await ready(work);
}

async function ready({ host, cluster, call, allowedMs }: Work): Promise<void> {
  const isBounded = Number.isFinite(allowedMs);
  await waitUntilReady(host, cluster, { ...waitOptionsOf(call), ...(isBounded && { allowedMs }) });
}

/** Terraform marks what a failed creation has left as tainted, and what that means for the next apply is not known to all. */
function explainTaint(error: unknown): never {
  if (!(error instanceof OperationError)) throw error;
  const next =
    'Terraform has marked it as tainted: the next apply removes it and makes it anew. Where what is there should be kept, for ' +
    'instance because it only needs more time: terraform untaint <address of this resource>.';
  // True of an update; a creation is begun anew.
  const detail = error.detail.replace(` ${goesOn}`, '');
  throw new ProviderError(error.summary, `${detail}\n\n${next}`, { cause: error });
}

/** What has to be done again because it is wanted otherwise, or was changed outside. */
interface Steps {
  readonly release: boolean;
  readonly namespace: boolean;
  readonly pause: boolean;
}

function stepsOf({ prior: stored, planned }: UpdateCall<Attributes, ConfiguredProvider>, wish: Wish): Steps {
  const prior = asCluster(stored);
  const before = wishOf(prior);
  const hadDrift = (prior.drift ?? []).length > 0;
  const isOther = releaseText(before.release) !== releaseText(wish.release);
  return {
    release: hadDrift || isOther || prior['chart_version'] !== planned['chart_version'],
    namespace: hadDrift || namespaceText(before.namespace) !== namespaceText(wish.namespace),
    pause: prior.pause !== planned['pause'],
  };
}

/** Returns what stays on purpose as warnings. */
export async function destroyCluster(call: DeleteCall<Attributes, ConfiguredProvider>): Promise<readonly Diagnostic[]> {
  const cluster = asCluster(call.prior);
  const refused = protection(cluster, call);
  if (refused.length > 0) return refused;
  const host = await call.provider.host();
  // Else what is left would be forgotten as soon as the release is gone.
  call.checkpoint(call.prior, leaving(call.private));
  const { name, namespace, namespace_lifecycle: lifecycle } = cluster;
  const { kept } = await deleteCluster(host, { namespace, name }, { ...waitOptionsOf(call), lifecycle });
  if (kept.length === 0) return [];
  const list = kept.map((line) => `\n  - ${line}`).join('');
  return [warning(`Virtual cluster ${namespace}/${name} is gone, but not all of it`, `This stays on purpose:${list}`)];
}

async function workOf(call: Call<ConfiguredProvider>, planned: ValueRecord): Promise<Work> {
  const allowedMs = call.remainingMs();
  const cluster = asCluster(planned);
  return { host: await call.provider.host(), cluster, wish: wishOf(cluster), call, allowedMs };
}

/** A release of ours that Terraform does not know: it is somebody's, so it is not taken over without being asked to. */
async function refuseExisting({ host, cluster: { namespace, name }, call }: Work): Promise<void> {
  const found = await readRelease(host, { namespace, name }, { signal: call.signal });
  if (found === undefined) return;
  throw new ProviderError(
    `There is a virtual cluster ${namespace}/${name} already`,
    `It was installed at ${found.updated.replace(/\.\d+/, '')} (revision ${String(found.revision)}, ${found.status}), and not by this resource. To manage it ` +
      `here: terraform import <address of this resource> ${namespace}/${name}. Else choose another name and namespace.`,
    { path: ['name'] },
  );
}

/** What is known while it is not ready. */
function partial({ cluster }: Work, prior: ValueRecord = {}): ValueRecord {
  return { ...cluster, ...known(prior), ...known(cluster), id: idOf(cluster) };
}

function known(values: ValueRecord): ValueRecord {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value !== 'symbol'));
}

export function idOf({ namespace, name }: Pick<ClusterObject, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** The state after a change; what could not be read is as it was. */
async function stateNow({ host, cluster, call }: Work, prior: ValueRecord = {}): Promise<ValueRecord> {
  const view = await readCluster(host, cluster, { signal: call.signal });
  if (view === undefined) throw goneMeanwhile(cluster);
  const read = viewValues(view);
  // What the plan has promised stays as promised; the next refresh tells if it is otherwise.
  return { ...prior, ...read, ...known(cluster), id: idOf(cluster), drift: [] };
}

async function putToSleep({ host, cluster, call }: Work): Promise<readonly Diagnostic[]> {
  const { warnings } = await pauseCluster(host, cluster, waitOptionsOf(call));
  return warnings.map((text) => warning(`Virtual cluster ${idOf(cluster)} sleeps`, text));
}

async function wake(work: Work): Promise<readonly Diagnostic[]> {
  const { host, cluster, call } = work;
  await resumeCluster(host, cluster, waitOptionsOf(call));
  await ready(work);
  return [];
}

/** Drift that an update has not repaired. A probe that just failed once, after everything was ready, is no such thing. */
async function left(work: Work): Promise<readonly Diagnostic[]> {
  const { host, wish, cluster, call } = work;
  const look = (): Promise<readonly string[]> => driftOf(host, wish, { paused: cluster.pause, signal: call.signal });
  if ((await look()).length === 0) return [];
  if (!cluster.pause) await ready(work);
  const lines = await look();
  if (lines.length === 0) return [];
  return [
    failure(
      `Virtual cluster ${idOf(cluster)} is still not as it should be`,
      `The update went through, and this is different yet:${lines.map((line) => `\n  - ${line}`).join('')}\n` +
        'Somebody or something else may be changing it at the same time. Apply again; if it comes back, find out who does it.',
    ),
  ];
}

/** Everything that was changed outside, of the release and of its namespace. */
export async function driftOf(
  host: Host,
  wish: Wish,
  options: OperationOptions & { readonly paused: boolean },
): Promise<readonly string[]> {
  const found = await Promise.all([
    namespaceDrift(host, wish.namespace, options),
    findDrift(host, wish.release, options),
  ]);
  return found.flat();
}

function goneMeanwhile(cluster: ClusterObject): ProviderError {
  return new ProviderError(
    `Virtual cluster ${idOf(cluster)} was removed meanwhile`,
    'Somebody else has deleted it while it was being changed. Apply again to make it anew.',
  );
}

function optionsOf({ signal, log, provider }: Call<ConfiguredProvider>): OperationOptions {
  return { signal, log: (line) => log.info(line), helm: provider.helmPath };
}

function waitOptionsOf(call: Call<ConfiguredProvider>): WaitOptions {
  const timeoutMs = call.remainingMs();
  return { ...optionsOf(call), ...(Number.isFinite(timeoutMs) && { timeoutMs }) };
}
