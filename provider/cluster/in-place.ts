/**
 * Which changes of chart values cannot be made in place, and which ones people should be told about before. Compares what was
 * applied with what is wanted, defaults of the options included, so that writing a default down changes nothing. Pure.
 */
import { resolveKubernetesVersion } from '../../config/kubernetes-versions.ts';
import { isOption, optionsOf } from '../../config/option.ts';
import { options } from '../../config/options.ts';
import type { Path } from '../framework/diagnostics.ts';
import type { Replacement } from '../framework/resource.ts';
import { isRecord, isUnknown, UNKNOWN } from '../framework/values.ts';
import type { Value, ValueRecord } from '../framework/values.ts';
import { attributePath } from '../options.ts';
import { canonicalText, valueAt, versionKeys } from './wanted-values.ts';

/** An object before and after, with the chart values that each means. */
export interface Change {
  readonly prior: ValueRecord;
  readonly planned: ValueRecord;
  readonly before: ValueRecord;
  readonly after: ValueRecord;
  /** False while a text of `values` is not known: whatever `after` does not say may stand there, so it has no default. */
  readonly areTextsKnown: boolean;
  /** The Kubernetes release that runs, when it is known. */
  readonly running: string | undefined;
}

const volumeKeys = ['controlPlane', 'statefulSet', 'persistence', 'volumeClaim', 'enabled'];

/** Every reason to replace the virtual cluster. */
export function replacementsOf(change: Change): readonly Replacement[] {
  const fixed = [...optionsOf(options)].flatMap(([path, { fixed: why }]) => {
    const keys = path.split('.');
    return why !== undefined && differs(change, keys) && !isOff(change, keys)
      ? [{ path: changedPath(change, keys), why }]
      : [];
  });
  const older = olderMinor(change);
  return older === undefined ? fixed : [...fixed, { path: changedPath(change, versionKeys), why: older }];
}

/** How far Kubernetes moves: 1 from 1.35 to 1.36. Undefined when one of the two is not known. */
export function minorSteps(change: Change): number | undefined {
  const from = minorOf(change.running) ?? minorOf(effective(change.before, versionKeys));
  const to = minorOf(wanted(change, versionKeys));
  return from === undefined || to === undefined ? undefined : to - from;
}

/** True when the same version of Kubernetes is asked for; false also when one of the two is not known. */
export function isSameVersion(change: Change): boolean {
  const [was, is] = [effective(change.before, versionKeys), wanted(change, versionKeys)];
  return !isUnknown(was) && !isUnknown(is) && canonicalText(was) === canonicalText(is);
}

/** True when the objects of the virtual cluster are lost whenever its pod is replaced. */
export function hasNoVolume(values: ValueRecord): boolean {
  return effective(values, volumeKeys) === false;
}

function olderMinor(change: Change): string | undefined {
  const steps = minorSteps(change);
  if (steps === undefined || steps >= 0 || !differs(change, versionKeys)) return undefined;
  return 'a store that was written by a newer minor version of Kubernetes cannot be read by an older one';
}

/** Both before and after, what the option belongs to is switched off by an option `enabled` beside it. */
function isOff({ before, after }: Change, keys: readonly string[]): boolean {
  const beside = [...keys.slice(0, -1), 'enabled'];
  return effective(before, beside) === false && effective(after, beside) === false;
}

function differs(change: Change, keys: readonly string[]): boolean {
  const [was, is] = [effective(change.before, keys), wanted(change, keys)];
  return !isUnknown(was) && !isUnknown(is) && canonicalText(was) !== canonicalText(is);
}

/** What an option shall be. */
function wanted({ after, areTextsKnown }: Change, keys: readonly string[]): unknown {
  return areTextsKnown || valueAt(after, keys) !== undefined ? effective(after, keys) : UNKNOWN;
}

/** The value of an option, with its default. Unknown when something above it is. */
function effective(values: ValueRecord, keys: readonly string[]): unknown {
  const above = keys.findIndex((_, index) => isUnknown(valueAt(values, keys.slice(0, index))));
  if (above >= 0) return valueAt(values, keys.slice(0, above));
  return valueAt(values, keys) ?? defaultOf(keys);
}

function defaultOf(keys: readonly string[]): unknown {
  const node = keys.reduce<unknown>((tree, key) => (isRecord(tree) ? tree[key] : undefined), options);
  return isRecord(node) && isOption(node as never) ? node['default'] : undefined;
}

function minorOf(version: unknown): number | undefined {
  if (typeof version !== 'string') return undefined;
  const resolved = resolveKubernetesVersion(version);
  const minor = Number.parseInt(('version' in resolved ? resolved.version : version).split('.')[1] ?? '', 10);
  return Number.isNaN(minor) ? undefined : minor;
}

/** The attribute that says the option and has changed: typed, `kubernetes_version` or `values`. */
function changedPath({ prior, planned }: Change, keys: readonly string[]): Path {
  const candidates: readonly Path[] = [
    ...(keys.join('.') === versionKeys.join('.') ? [['kubernetes_version']] : []),
    attributePath(keys),
  ];
  const found = candidates.find((path) => canonicalText(at(prior, path)) !== canonicalText(at(planned, path)));
  return found === undefined ? ['values'] : existing(found, prior, planned);
}

function at(value: Value, path: Path): Value {
  return path.reduce<Value>((inner, step) => (isRecord(inner) ? (inner[step] ?? null) : null), value);
}

/** As deep as both sides have it: Terraform cannot follow a path into what is null. */
function existing(path: Path, prior: Value, planned: Value): Path {
  const depth = path.findIndex((_, index) => {
    const above = path.slice(0, index);
    return !isRecord(at(prior, above)) || !isRecord(at(planned, above));
  });
  return depth < 0 ? path : path.slice(0, depth);
}
