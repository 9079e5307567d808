/**
 * The data source `vcluster_clusters`: all virtual clusters of the host, of one namespace, or with certain labels.
 */
import { listClusters } from '../../operations/cluster.ts';
import { givenWords } from '../words.ts';
import type { Words } from '../words.ts';
import type { ConfiguredProvider } from '../configured.ts';
import { map, nested } from '../framework/attributes.ts';
import type { Attributes } from '../framework/attributes.ts';
import { defineDataSource } from '../framework/data-source.ts';
import type { DataSourceType } from '../framework/data-source.ts';
import type { ValueRecord } from '../framework/values.ts';
import { dataAttributes, dataValues } from './view.ts';

/** Counting objects takes a request per kind and virtual cluster; the data source for one does it. */
const { synced_objects: _, ...listed } = dataAttributes;

const attributes: Attributes = {
  namespace: { type: 'string', optional: true, doc: 'Only in this namespace of the host. Default: in all.' },
  labels: { type: map('string'), optional: true, doc: 'Only those that carry all of these labels.' },
  clusters: {
    type: nested('list', {
      id: { type: 'string', computed: true, doc: '`namespace/name`.' },
      name: { type: 'string', computed: true, doc: 'Name of the virtual cluster.' },
      namespace: { type: 'string', computed: true, doc: 'Namespace on the host.' },
      ...listed,
    }),
    computed: true,
    doc: 'What was found, by namespace and name. Empty when there is none.',
  },
};

const example = `data "vcluster_clusters" "staging" {
  labels = { stage = "staging" }
}

output "endpoints" {
  value = { for each in data.vcluster_clusters.staging.clusters : each.id => each.endpoint }
}
`;

function withoutCounts(values: ValueRecord): ValueRecord {
  const { synced_objects: __, ...rest } = values;
  return rest;
}

export const clustersData: DataSourceType<ConfiguredProvider> = defineDataSource({
  name: 'vcluster_clusters',
  doc: 'The virtual clusters of the host cluster.',
  example,
  attributes,
  read: async ({ config, provider, signal }) => {
    const namespace = typeof config['namespace'] === 'string' ? config['namespace'] : undefined;
    const labels = givenWords((config['labels'] ?? null) as Words | null);
    const found = await listClusters(await provider.host(), { namespace, labels }, { signal });
    return { state: { clusters: found.map((view) => withoutCounts(dataValues(view))) } };
  },
});
