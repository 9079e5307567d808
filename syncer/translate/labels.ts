/**
 * Labels and label selectors on their way to the host. Labels pass as they are, except that a tenant can neither set nor select
 * what means something there: everything under `vcluster.loft.sh/`, and what denied-labels.ts lists.
 *
 * Labels of objects and keys of selectors go through the same `labelKeyToHost`, or selectors would stop matching.
 */
import type { StringMap } from '../model/object.ts';
import type { Release } from '../model/view.ts';
import { isDeniedLabel } from './denied-labels.ts';
import { digest, shorten } from './names.ts';

export const reservedPrefix = 'vcluster.loft.sh/';

export const labelKeys = {
  /** Which virtual cluster a host object belongs to. */
  managedBy: 'vcluster.loft.sh/managed-by',
  /** The virtual namespace of a host object. */
  namespace: 'vcluster.loft.sh/namespace',
  /** Another controller looks after this object. */
  controlledBy: 'vcluster.loft.sh/controlled-by',
} as const;

const translatedPrefix = `${reservedPrefix}label-`;
const namespaceLabelPrefix = `${reservedPrefix}ns-label-`;

export interface LabelSelector {
  readonly matchLabels?: StringMap;
  readonly matchExpressions?: readonly LabelExpression[];
}

export interface LabelExpression {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

type Named = Pick<Release, 'name'>;

/** Whether a label or annotation key is bookkeeping of ours, which nobody else may set (LAB-06, ANN-02). */
export function isReserved(key: string): boolean {
  return key.startsWith(reservedPrefix);
}

/** Whether a host label key is one that only this program writes, other than the markers of `labelKeys`. */
export function isTranslatedKey(key: string): boolean {
  return key.startsWith(translatedPrefix) || key.startsWith(namespaceLabelPrefix);
}

/** LAB-01, with the rest of the reserved prefix and every key that the host would act upon (LAB-03). */
export function labelKeyToHost(key: string, release: Named): string {
  if (!key.startsWith(reservedPrefix) && !isDeniedLabel(key)) return key;
  return shorten(`${translatedPrefix}${release.name}-x-${digest(key)}`);
}

/** The host label that carries a label of a pod's virtual Namespace (LAB-09). */
export function namespaceLabelKey(key: string, release: Named): string {
  return shorten(`${namespaceLabelPrefix}${release.name}-x-${digest(key)}`);
}

/** Labels of an object. Keys that look translated already are dropped (LAB-06). */
export function labelsToHost(labels: StringMap | undefined, release: Named): StringMap {
  return Object.fromEntries(
    Object.entries(labels ?? {})
      .filter(([key]) => !isTranslatedKey(key))
      .map(([key, value]) => [labelKeyToHost(key, release), value]),
  );
}

/**
 * A map of labels to match, such as `spec.selector` of a Service. Unlike `labelsToHost` this never drops a key, which would
 * make the selector match more.
 */
export function matchLabelsToHost(labels: StringMap, release: Named): StringMap {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [labelKeyToHost(key, release), value]));
}

/** Translates the keys only; an absent selector stays absent and an empty one empty (LAB-12). Scope is added by the caller. */
export function selectorToHost<S extends LabelSelector | undefined>(selector: S, release: Named): S {
  return mapSelectorKeys(selector, (key) => labelKeyToHost(key, release));
}

/** The same selector with other keys. */
export function mapSelectorKeys<S extends LabelSelector | undefined>(selector: S, change: (key: string) => string): S {
  if (selector === undefined || selector === null) return selector;
  const { matchLabels, matchExpressions } = selector;
  return {
    ...selector,
    ...(matchLabels && {
      matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [change(key), value])),
    }),
    ...(matchExpressions && {
      matchExpressions: matchExpressions.map((expression) => ({ ...expression, key: change(expression.key) })),
    }),
  };
}

/** What every selector of pods must also ask for on the host, so that it stays inside one virtual namespace. */
export function podScope(release: Named, virtualNamespace: string): StringMap {
  return { [labelKeys.managedBy]: release.name, [labelKeys.namespace]: virtualNamespace };
}
