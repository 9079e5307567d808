/**
 * Constraints that the host's scheduler reads: affinity between pods and topology spread. On the host all virtual namespaces
 * share one and other pods live beside them, so every selector also asks for our marker and for the virtual namespaces meant.
 * Node affinity and node selectors pass: nodes have the same names on both sides.
 */
import type { Pod, PodSpec } from '../../model/kubernetes.ts';
import type { StringMap } from '../../model/object.ts';
import type { Virtual } from '../../model/side.ts';
import type { Release } from '../../model/view.ts';
import {
  labelKeys,
  labelKeyToHost,
  mapSelectorKeys,
  namespaceLabelKey,
  podScope,
  selectorToHost,
} from '../../translate/labels.ts';
import type { LabelExpression, LabelSelector } from '../../translate/labels.ts';
import { isJson } from './rewriting.ts';
import type { Json } from './rewriting.ts';

interface Term extends Json {
  readonly labelSelector?: LabelSelector;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
}

interface WeightedTerm extends Json {
  readonly podAffinityTerm: Term;
}

interface Affinities {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly Term[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly WeightedTerm[];
}

interface Spread extends Json {
  readonly labelSelector?: LabelSelector;
  readonly matchLabelKeys?: readonly string[];
}

/** Affinity with every pod term translated (POD-140 to POD-146); node affinity as it is (POD-148). */
export function affinityToHost(pod: Virtual<Pod>, release: Release): PodSpec['affinity'] {
  const { affinity } = pod.spec;
  if (affinity === undefined) return undefined;
  const translate = (terms: Affinities): Affinities => affinitiesToHost(terms, pod, release);
  return Object.fromEntries(
    Object.entries(affinity).map(([kind, terms]) => [
      kind,
      kind !== 'nodeAffinity' && isAffinities(terms) ? translate(terms) : terms,
    ]),
  );
}

/** Topology spread counts pods of the pod's own namespace only (POD-147). */
export function spreadToHost(pod: Virtual<Pod>, release: Release): PodSpec['topologySpreadConstraints'] {
  const labels = pod.metadata.labels ?? {};
  return pod.spec.topologySpreadConstraints?.map((constraint: Spread) => {
    const { labelSelector, matchLabelKeys, ...rest } = constraint;
    const keys = (matchLabelKeys ?? []).filter((key) => !isMerged(key, labelSelector, labels));
    return {
      ...rest,
      ...(labelSelector && {
        labelSelector: narrowed(
          selectorToHost(labelSelector, release),
          podScope(release, pod.metadata.namespace ?? ''),
        ),
      }),
      ...(keys.length > 0 && { matchLabelKeys: keys.map((key) => labelKeyToHost(key, release)) }),
    };
  });
}

/**
 * A required affinity to pods of named namespaces *or* of selected ones is a union, which one host term cannot say and two
 * would turn into an intersection (POD-144).
 */
export function hasInexpressibleAffinity({ affinity }: PodSpec): boolean {
  const terms = affinity?.['podAffinity'];
  return isAffinities(terms) && (terms.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(isUnion);
}

function affinitiesToHost(terms: Affinities, pod: Virtual<Pod>, release: Release): Affinities {
  const { requiredDuringSchedulingIgnoredDuringExecution: required } = terms;
  const { preferredDuringSchedulingIgnoredDuringExecution: preferred } = terms;
  const toHost = (term: Term): Term => termToHost(term, pod.metadata.namespace ?? '', release);
  return {
    ...terms,
    ...(required && { requiredDuringSchedulingIgnoredDuringExecution: required.flatMap(split).map(toHost) }),
    ...(preferred && {
      preferredDuringSchedulingIgnoredDuringExecution: preferred.flatMap((weighted) =>
        split(weighted.podAffinityTerm).map((term) => ({ ...weighted, podAffinityTerm: toHost(term) })),
      ),
    }),
  };
}

/**
 * Label keys to match are gone from the term: the virtual API server has merged their values into the selector at admission, and
 * the host would merge them once more (POD-146).
 */
function termToHost(term: Term, virtualNamespace: string, release: Release): Term {
  const { labelSelector, namespaces, namespaceSelector, matchLabelKeys: _, mismatchLabelKeys: __, ...rest } = term;
  if (labelSelector === undefined) return rest; // Matches no pod at all, and must go on to (POD-145).
  const translated = selectorToHost(labelSelector, release);
  const marker = { [labelKeys.managedBy]: release.name };
  if (namespaceSelector !== undefined && isEmpty(namespaceSelector))
    return { ...rest, labelSelector: narrowed(translated, marker) };
  if (namespaces !== undefined && namespaces.length > 0) {
    const among = { key: labelKeys.namespace, operator: 'In', values: namespaces };
    return { ...rest, labelSelector: narrowed(translated, marker, [among]) };
  }
  if (namespaceSelector === undefined) {
    return { ...rest, labelSelector: narrowed(translated, podScope(release, virtualNamespace)) };
  }
  const ofNamespace = mapSelectorKeys(namespaceSelector, (key) => namespaceLabelKey(key, release));
  const { matchLabels, matchExpressions } = ofNamespace;
  return { ...rest, labelSelector: narrowed(translated, { ...matchLabels, ...marker }, matchExpressions) };
}

/** Two terms for a union of namespaces: the same as one for anti-affinity, and as good for a preference (POD-144). */
function split(term: Term): readonly Term[] {
  if (!isUnion(term)) return [term];
  const { namespaces, namespaceSelector, ...rest } = term;
  return [
    { ...rest, ...(namespaces && { namespaces }) },
    { ...rest, ...(namespaceSelector && { namespaceSelector }) },
  ];
}

function isUnion({ namespaces = [], namespaceSelector }: Term): boolean {
  return namespaces.length > 0 && namespaceSelector !== undefined && !isEmpty(namespaceSelector);
}

function isEmpty({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return Object.keys(matchLabels).length === 0 && matchExpressions.length === 0;
}

function narrowed(
  selector: LabelSelector,
  labels: StringMap,
  expressions: readonly LabelExpression[] = [],
): LabelSelector {
  const all = [...(selector.matchExpressions ?? []), ...expressions];
  return {
    ...selector,
    matchLabels: { ...selector.matchLabels, ...labels },
    ...(all.length > 0 && { matchExpressions: all }),
  };
}

/** Whether the virtual API server has already turned a label key to match into part of the selector. */
function isMerged(key: string, selector: LabelSelector | undefined, labels: StringMap): boolean {
  return (selector?.matchExpressions ?? []).some(
    ({ key: name, operator, values = [] }) => name === key && operator === 'In' && values.includes(labels[key] ?? ''),
  );
}

function isAffinities(value: unknown): value is Affinities {
  return isJson(value);
}
