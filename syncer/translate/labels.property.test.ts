/** Selectors: on the host they match exactly what they match in the virtual cluster, and nothing of anybody else. */
import * as fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { pods } from '../model/kubernetes.ts';
import type { Pod } from '../model/kubernetes.ts';
import type { StringMap } from '../model/object.ts';
import { affinityToHost, spreadToHost } from '../resources/pods/scheduling.ts';
import { affinityTerms, selectors } from '../../test/support/arbitrary-pods.ts';
import { labelMaps, namespaceNames, runs } from '../../test/support/arbitraries.ts';
import { release } from '../../test/support/release.ts';
import { object } from '../../test/support/world.ts';
import { labelsToHost, matchLabelsToHost, namespaceLabelKey, podScope } from './labels.ts';
import type { LabelSelector } from './labels.ts';

interface Term {
  readonly labelSelector?: LabelSelector;
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: LabelSelector;
}

/** A pod of the tenant, with the labels of its Namespace. */
interface Labelled {
  readonly namespace: string;
  readonly labels: StringMap;
  readonly ofNamespace: StringMap;
}

/** As API servers and schedulers match. */
function matches({ matchLabels = {}, matchExpressions = [] }: LabelSelector, labels: StringMap): boolean {
  const value = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  const holds = (operator: string, key: string, values: readonly string[]): boolean => {
    const found = value(key);
    switch (operator) {
      case 'In':
        return found !== undefined && values.includes(found);
      case 'NotIn':
        return found === undefined || !values.includes(found);
      case 'Exists':
        return found !== undefined;
      default:
        return found === undefined;
    }
  };
  return (
    Object.entries(matchLabels).every(([key, wanted]) => value(key) === wanted) &&
    matchExpressions.every(({ key, operator, values = [] }) => holds(operator, key, values))
  );
}

/** What a term of an affinity means in the virtual cluster. */
function meansPod({ labelSelector, namespaces = [], namespaceSelector }: Term, own: string, pod: Labelled): boolean {
  const anywhere = namespaces.length === 0 && namespaceSelector === undefined;
  const inside =
    (anywhere && pod.namespace === own) ||
    namespaces.includes(pod.namespace) ||
    (namespaceSelector !== undefined && matches(namespaceSelector, pod.ofNamespace));
  return labelSelector !== undefined && inside && matches(labelSelector, pod.labels);
}

/** Labels of the host pod, as pods.ts puts them there. */
function hostLabelsOf({ labels, namespace, ofNamespace }: Labelled): StringMap {
  const marks = Object.entries(ofNamespace).map(([key, value]) => [namespaceLabelKey(key, release), value] as const);
  return { ...labelsToHost(labels, release), ...Object.fromEntries(marks), ...podScope(release, namespace) };
}

function termsOf(affinity: unknown): readonly Term[] {
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  return (affinity as { readonly [required]?: readonly Term[] } | undefined)?.[required] ?? [];
}

function podIn(namespace: string, spec: object): Pod {
  return object(pods, { name: 'a', namespace }, { spec: { containers: [], ...spec } });
}

// Keys that look translated already are dropped from objects (LAB-06) and can match nothing.
const isTranslated = (text: string): boolean => /vcluster\.loft\.sh\/(?:ns-)?label-/u.test(text);
const plain = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  values.filter((each) => !isTranslated(JSON.stringify(each)));
const labelled: fc.Arbitrary<Labelled> = fc.record({
  namespace: namespaceNames,
  labels: plain(labelMaps),
  ofNamespace: plain(labelMaps),
});
/** Labels of what is not ours: of another virtual cluster in the same host namespace, or of the host's own. */
const strangers = fc.tuple(labelMaps, fc.constantFrom(undefined, 'vc2')).map(([labels, managedBy]) => {
  const { 'vcluster.loft.sh/managed-by': _, ...others } = labels;
  return managedBy === undefined ? others : { ...others, 'vcluster.loft.sh/managed-by': managedBy };
});
const often = runs(300);
vi.setConfig({ testTimeout: 60_000 });

describe('selectors on the host match what they match in the virtual cluster, and nothing else', () => {
  test('of Services [SVC-01, LAB-12]', () => {
    const same = (selector: StringMap, own: string, pod: Labelled, stranger: StringMap): void => {
      const onHost = { matchLabels: { ...matchLabelsToHost(selector, release), ...podScope(release, own) } };
      const meant = pod.namespace === own && matches({ matchLabels: selector }, pod.labels);
      expect(matches(onHost, hostLabelsOf(pod))).toBe(meant);
      expect(matches(onHost, stranger)).toBe(false);
    };
    const some = fc.oneof(plain(labelMaps), fc.constant({ app: 'true' }), fc.constant({}));
    fc.assert(fc.property(some, namespaceNames, labelled, strangers, same), often);
  });

  test('of affinity between pods, with namespaces, namespace selectors, or both [POD-140, POD-144, LAB-09]', () => {
    const same = (term: Term, own: string, pod: Labelled, stranger: StringMap): void => {
      const required = { requiredDuringSchedulingIgnoredDuringExecution: [term] };
      const affinity = affinityToHost(podIn(own, { affinity: { podAntiAffinity: required } }), release);
      const terms = termsOf(affinity?.['podAntiAffinity']);
      const onHost = (labels: StringMap): boolean =>
        terms.some(({ labelSelector }) => labelSelector !== undefined && matches(labelSelector, labels));
      expect(onHost(hostLabelsOf(pod))).toBe(meansPod(term, own, pod));
      expect(onHost(stranger)).toBe(false);
      expect(terms.every((each) => each.namespaces === undefined && each.namespaceSelector === undefined)).toBe(true);
    };
    fc.assert(fc.property(plain(affinityTerms), namespaceNames, labelled, strangers, same), often);
  });

  test('of topology spread [POD-147]', () => {
    const same = (labelSelector: LabelSelector, own: string, pod: Labelled, stranger: StringMap): void => {
      const [spread] = spreadToHost(podIn(own, { topologySpreadConstraints: [{ labelSelector }] }), release) ?? [];
      const onHost = (spread as Term | undefined)?.labelSelector ?? {};
      expect(matches(onHost, hostLabelsOf(pod))).toBe(pod.namespace === own && matches(labelSelector, pod.labels));
      expect(matches(onHost, stranger)).toBe(false);
    };
    fc.assert(fc.property(plain(selectors), namespaceNames, labelled, strangers, same), often);
  });
});

describe('labels of objects', () => {
  test('a tenant sets none that is ours, and loses none that is its own [LAB-01, LAB-06, ANN-02]', () => {
    const safe = (labels: StringMap): void => {
      const onHost = labelsToHost(labels, release);
      const foreign = Object.keys(onHost).filter(
        (key) => key.startsWith('vcluster.loft.sh/') && !key.startsWith('vcluster.loft.sh/label-vc1-x-'),
      );
      expect(foreign).toEqual([]);
      expect(onHost).not.toHaveProperty('release');
      const kept = Object.keys(labels).filter((key) => !isTranslated(key));
      expect(Object.keys(onHost)).toHaveLength(kept.length);
    };
    fc.assert(fc.property(labelMaps, safe), often);
  });

  test('every key that comes out is one that an API server takes', () => {
    const valid = (labels: StringMap): void => {
      for (const key of Object.keys(labelsToHost(labels, release)))
        expect(key).toMatch(/^(?:[a-z0-9.-]{1,253}\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/u);
    };
    fc.assert(fc.property(labelMaps, valid), often);
  });
});
