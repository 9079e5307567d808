/**
 * What both data sources say about one virtual cluster. Pure.
 */
import type { ClusterView } from '../../operations/cluster.ts';
import { viewAttributes, viewValues } from '../cluster/view-attributes.ts';
import { map } from '../framework/attributes.ts';
import type { Attributes } from '../framework/attributes.ts';
import type { ValueRecord } from '../framework/values.ts';

/** What is known beside its name and namespace. */
export const dataAttributes: Attributes = {
  ...viewAttributes,
  paused: { type: 'bool', computed: true, doc: 'Whether it was put to sleep.' },
  labels: { type: map('string'), computed: true, doc: 'Labels of the virtual cluster on the host.' },
  created_at: { type: 'string', computed: true, doc: 'When it was made, such as `2026-01-31T12:00:00Z`.' },
};

/** `namespace/name`, as `vcluster_cluster` and `vcluster_kubeconfig` know it. */
export function clusterId({ namespace, name }: Pick<ClusterView, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`;
}

/** The values of {@link dataAttributes}, with id, name and namespace. */
export function dataValues(view: ClusterView): ValueRecord {
  return {
    ...viewValues(view),
    id: clusterId(view),
    name: view.name,
    namespace: view.namespace,
    paused: view.paused,
    labels: { ...view.labels },
    created_at: view.created ?? null,
  };
}
