/**
 * The plan of `vcluster_cluster`: what becomes unknown and no more, what needs a new object and why, what is refused, and what
 * people should know before they say yes.
 *
 * Invariant: on an update `id`, `endpoint` and the certificate stay known, so that whatever depends on them can be planned; on a
 * creation `id` is unknown, so that whatever needs the virtual cluster waits for it.
 */
import { compareVersions, describeChart } from '../../operations/chart-files.ts';
import { failure, hasError, warning } from '../framework/diagnostics.ts';
import type { Diagnostic } from '../framework/diagnostics.ts';
import type { Attributes } from '../framework/attributes.ts';
import type { PlanChange } from '../framework/resource.ts';
import { isUnknown, isWhollyKnown, UNKNOWN } from '../framework/values.ts';
import type { Value, ValueRecord } from '../framework/values.ts';
import { asCluster } from './attributes.ts';
import type { ClusterObject } from './attributes.ts';
import { hostDiagnostics } from './host-check.ts';
import type { ClusterPlanCall } from './host-check.ts';
import { hasNoVolume, isSameVersion, minorSteps, replacementsOf } from './in-place.ts';
import type { Change } from './in-place.ts';
import { isLeaving, replacesProtected, wasReady, withProtection } from './memory.ts';
import { canonicalText, meaningOfTexts, wantedValues } from './wanted-values.ts';
import { namespaceText, releaseText, wishOf } from './wish.ts';

type Plan = PlanChange<Attributes>;

export async function planCluster(call: ClusterPlanCall): Promise<Plan> {
  const { prior, planned } = call;
  if (prior === undefined) return planCreation(call);
  const plan = await planUpdate(call, prior);
  const { deletion_protection: isProtected, values: before } = asCluster(prior);
  return {
    ...plan,
    // What was applied stays in the state: a comment in a YAML file is no change.
    ...(isOnlyRewritten(before, planned['values'] ?? null) && { values: { ...plan.values, values: before } }),
    private: withProtection(call.private, isProtected),
  };
}

/** The texts are other ones and mean the same. */
function isOnlyRewritten(before: Value, after: Value): boolean {
  if (before === null || after === null || canonicalText(before) === canonicalText(after)) return false;
  const meaning = meaningOfTexts(after);
  return meaning !== undefined && meaning === meaningOfTexts(before);
}

async function planCreation(call: ClusterPlanCall): Promise<Plan> {
  const name = call.planned['name'] ?? null;
  const given = (attribute: string, otherwise: Value): Value =>
    (call.config[attribute] ?? null) === null ? otherwise : (call.config[attribute] ?? null);
  const values: ValueRecord = {
    namespace: given('namespace', name),
    namespace_lifecycle: given('namespace_lifecycle', 'create'),
    drift: [],
  };
  // The plan of a replacement: `-replace` says nothing before this.
  if (replacesProtected(call.private)) {
    return { values, diagnostics: [protectionFailure(asCluster({ ...call.planned, ...values }))] };
  }
  // What is left of the one that it replaces goes first; before that, nothing about the host says how it will be.
  if (isLeaving(call.private)) return { values };
  return { values, diagnostics: await hostDiagnostics(call, { ...call.planned, ...values }) };
}

async function planUpdate(call: ClusterPlanCall, prior: ValueRecord): Promise<Plan> {
  const { planned } = call;
  if (prior['phase'] === 'Terminating' && isLeaving(call.private)) {
    return { values: { phase: UNKNOWN }, replace: [{ path: ['phase'], why: 'its removal has not come to its end' }] };
  }
  const change = changeBetween(prior, planned);
  const replace = replacementsOf(change);
  const moves = ['name', 'namespace'].filter((attribute) => planned[attribute] !== prior[attribute]);
  if (replace.length + moves.length > 0) {
    return { replace, diagnostics: [...protection(asCluster(prior), call), lossOfReplacement(asCluster(prior))] };
  }
  return planInPlace(call, change, wantedValues(planned).isComplete);
}

function changeBetween(prior: ValueRecord, planned: ValueRecord): Change {
  const areTextsKnown = isWhollyKnown(planned['values'] ?? null);
  const running = prior['kubernetes_version_running'];
  return {
    prior,
    planned,
    before: wantedValues(prior).values,
    // A text that is not known yet may say something else than the one before it.
    after: wantedValues(areTextsKnown ? planned : { ...planned, values: null }).values,
    areTextsKnown,
    running: typeof running === 'string' ? running : undefined,
  };
}

/** Refuses to lose a virtual cluster that is protected. One that was never ready holds nothing to protect. */
export function protection(
  cluster: ClusterObject,
  { private: kept }: Pick<ClusterPlanCall, 'private'>,
): readonly Diagnostic[] {
  const isHeld = cluster.deletion_protection && wasReady(kept, cluster['phase']);
  return isHeld ? [protectionFailure(cluster)] : [];
}

function protectionFailure({ name, namespace }: ClusterObject): Diagnostic {
  return failure(
    `Virtual cluster ${namespace}/${name} is protected`,
    'It would be destroyed, with all objects and volumes of its tenants, and deletion_protection is true. If that is meant, set ' +
      'deletion_protection = false, apply, and then do this again. If it is only tainted: terraform untaint <address of this ' +
      'resource>. Nothing was changed.',
    ['deletion_protection'],
  );
}

function lossOfReplacement({ name, namespace }: ClusterObject): Diagnostic {
  return warning(
    `Everything in virtual cluster ${namespace}/${name} will be lost`,
    'It cannot be changed in place, so it is destroyed and made anew, empty: objects and volumes of its tenants are lost, and ' +
      'its endpoint and certificates become others. Resources inside of it are made again by a second apply.',
  );
}

async function planInPlace(call: ClusterPlanCall, change: Change, isComplete: boolean): Promise<Plan> {
  const { planned } = call;
  const prior = asCluster(change.prior);
  const chart = await chartPlan(planned['chart_path'] ?? null, prior);
  const isOther = !isComplete || !isSameRelease(change) || chart.version !== prior['chart_version'];
  const isTouched = isOther || hasDrift(prior);
  if (!isTouched && planned['pause'] === prior.pause) return { diagnostics: await quietDiagnostics(call) };
  const values: ValueRecord = {
    drift: [],
    phase: UNKNOWN,
    conditions: UNKNOWN,
    synced_objects: UNKNOWN,
    ...(isTouched && {
      chart_version: chart.version,
      syncer_version: UNKNOWN,
      ...runningVersion(change, chart.version),
    }),
    ...unknownIfMissing(prior, ['endpoint', 'cluster_ca_certificate', 'kubernetes_version_running']),
  };
  const warnings = [...chart.diagnostics, ...updateWarnings(change, isTouched), ...pauseWarnings(call, change)];
  const checked = hasError(warnings) || !isTouched ? [] : await hostDiagnostics(call, planned);
  return { values, diagnostics: [...warnings, ...checked] };
}

function hasDrift({ drift }: ClusterObject): boolean {
  return drift !== null && drift.length > 0;
}

/** Known while nothing changes it: a newer chart may mean another release by the same minor version. */
function runningVersion(change: Change, chartVersion: Value): ValueRecord {
  const isKept =
    isSameVersion(change) && chartVersion === change.prior['chart_version'] && !hasDrift(asCluster(change.prior));
  return isKept ? {} : { kubernetes_version_running: UNKNOWN };
}

/** The release stays; the namespace may be asked for in another way. */
async function quietDiagnostics(call: ClusterPlanCall): Promise<readonly Diagnostic[]> {
  const { planned, prior = {} } = call;
  if (!isWhollyKnown(planned['namespace_labels'] ?? null)) return [];
  const [after, before] = [wishOf(asCluster(planned)), wishOf(asCluster(prior))];
  return namespaceText(after.namespace) === namespaceText(before.namespace) ? [] : hostDiagnostics(call, planned);
}

function isSameRelease({ prior, planned }: Change): boolean {
  if (!isWhollyKnown(planned['labels'] ?? null)) return false;
  return releaseText(wishOf(asCluster(prior)).release) === releaseText(wishOf(asCluster(planned)).release);
}

interface ChartPlan {
  readonly version: string | typeof UNKNOWN;
  readonly diagnostics: readonly Diagnostic[];
}

async function chartPlan(path: Value, prior: ClusterObject): Promise<ChartPlan> {
  if (isUnknown(path)) return { version: UNKNOWN, diagnostics: [] };
  const chart = await describeChart(typeof path === 'string' ? path : undefined);
  const installed = prior['chart_version'];
  if (typeof installed !== 'string' || compareVersions(chart.version, installed) >= 0) {
    return { version: chart.version, diagnostics: [] };
  }
  // An older chart that the user names is looked at together with the host, in hostDiagnostics().
  if (path !== null) return { version: chart.version, diagnostics: [] };
  const detail =
    `It was installed with version ${installed} of the chart, and this provider brings ${chart.version}. Use the provider it was ` +
    'installed with, or a newer one.';
  return {
    version: chart.version,
    diagnostics: [failure('This provider is older than the virtual cluster', detail)],
  };
}

function updateWarnings(change: Change, isTouched: boolean): readonly Diagnostic[] {
  const steps = minorSteps(change) ?? 0;
  const jump = warning(
    'Minor versions of Kubernetes are skipped',
    `Kubernetes goes up ${String(steps)} minor versions at once. Kubernetes supports one at a time: go through the versions between, ` +
      'and look at the deprecation guide for objects that a version in between no longer reads.',
  );
  return [...(steps > 1 ? [jump] : []), ...(isTouched ? volumeWarnings(change) : [])];
}

function volumeWarnings({ before }: Change): readonly Diagnostic[] {
  if (!hasNoVolume(before)) return [];
  return [
    warning(
      'The virtual cluster may lose its objects',
      'It has no volume (control_plane.stateful_set.persistence.volume_claim.enabled is false), so its objects are lost when its ' +
        'pod is replaced, and this change may replace it.',
    ),
  ];
}

function pauseWarnings({ planned }: ClusterPlanCall, { prior, before }: Change): readonly Diagnostic[] {
  if (planned['pause'] !== true || prior['pause'] === true) return [];
  const pods = warning(
    'The virtual cluster will be put to sleep',
    'Control plane and pods of its tenants end. Pods that no controller owns do not come back when it wakes up.',
    ['pause'],
  );
  return [pods, ...volumeWarnings({ before } as Change)];
}

function unknownIfMissing(prior: ValueRecord, names: readonly string[]): ValueRecord {
  const missing = names.filter((name) => (prior[name] ?? null) === null);
  return Object.fromEntries(missing.map((name) => [name, UNKNOWN]));
}
