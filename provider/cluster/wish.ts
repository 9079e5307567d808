/**
 * What a configuration or a state asks of operations/: a release and a namespace. Pure.
 */
import type { WantedNamespace } from '../../operations/namespace.ts';
import type { Wish } from '../../operations/problems.ts';
import { valuesOf } from '../../operations/release.ts';
import type { WantedRelease } from '../../operations/release.ts';
import { givenWords } from '../words.ts';
import type { ClusterObject } from './attributes.ts';
import { canonicalText, wantedValues } from './wanted-values.ts';

/** For an object of which everything that the user sets is known. */
export function wishOf(cluster: ClusterObject): Wish {
  const { name, namespace, labels, chart_path: chart } = cluster;
  return {
    release: {
      name,
      namespace,
      values: wantedValues(cluster).values,
      labels: givenWords(labels),
      chart: chart ?? undefined,
    },
    namespace: {
      name: namespace,
      cluster: name,
      lifecycle: cluster.namespace_lifecycle,
      labels: givenWords(cluster.namespace_labels),
      annotations: givenWords(cluster.namespace_annotations),
    },
  };
}

/** Equal for two releases that Helm would be given the same chart and the same values for. */
export function releaseText(release: WantedRelease): string {
  return canonicalText({ chart: release.chart ?? '', values: valuesOf(release) });
}

/** Equal for two namespaces that are wanted alike. */
export function namespaceText(namespace: WantedNamespace): string {
  return canonicalText({ ...namespace, labels: namespace.labels ?? {}, annotations: namespace.annotations ?? {} });
}
