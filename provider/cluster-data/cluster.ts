/**
 * The data source `vcluster_cluster`: one virtual cluster that somebody else manages, by its id or by namespace and name.
 */
import { listClusters, readCluster } from '../../operations/cluster.ts';
import type { Host } from '../../operations/host.ts';
import type { ConfiguredProvider } from '../configured.ts';
import type { Attributes } from '../framework/attributes.ts';
import { defineDataSource } from '../framework/data-source.ts';
import type { DataSourceType } from '../framework/data-source.ts';
import { failure, ProviderError } from '../framework/diagnostics.ts';
import type { Diagnostic } from '../framework/diagnostics.ts';
import type { ValueRecord } from '../framework/values.ts';
import { clusterId, dataAttributes, dataValues } from './view.ts';

const attributes: Attributes = {
  id: { type: 'string', optional: true, computed: true, doc: '`namespace/name`. Either this, or `name`.' },
  name: { type: 'string', optional: true, computed: true, doc: 'Name of the virtual cluster.' },
  namespace: {
    type: 'string',
    optional: true,
    computed: true,
    doc: 'Namespace on the host. Default, with `name`: its name.',
  },
  ...dataAttributes,
};

const example = `data "vcluster_cluster" "team_a" {
  name = "team-a"
}
`;

interface Ref {
  readonly namespace: string;
  readonly name: string;
}

function problems(config: ValueRecord): readonly Diagnostic[] {
  const given = (name: string): boolean => (config[name] ?? null) !== null;
  if (!given('id') && !given('name')) {
    return [
      failure(
        'Which virtual cluster?',
        'Set `id` (as in "team-a/team-a"), or `name` and, if it is another, `namespace`.',
      ),
    ];
  }
  if (!given('id')) return [];
  const others = ['name', 'namespace'].filter(given);
  return others.map((name) =>
    failure(
      'Contradicting configuration',
      `\`id\` and \`${name}\` say twice which one is meant. Keep one of the two.`,
      [name],
    ),
  );
}

function refOf(config: ValueRecord): Ref {
  if (typeof config['id'] !== 'string') {
    const { name, namespace } = config as { readonly name: string; readonly namespace: string | null };
    return { name, namespace: namespace ?? name };
  }
  const [namespace = '', name = '', ...more] = config['id'].split('/');
  if (namespace !== '' && name !== '' && more.length === 0) return { namespace, name };
  throw new ProviderError(
    'The id is none of a virtual cluster',
    `It must be the namespace on the host and the name, as in "team-a/team-a", got: ${JSON.stringify(config['id'])}.`,
    { path: ['id'] },
  );
}

async function notThere(host: Host, ref: Ref, signal: AbortSignal): Promise<ProviderError> {
  // Who may see one namespace only gets no list; then there is nothing to suggest.
  const all = await listClusters(host, {}, { signal }).catch(() => []);
  const known =
    all.length === 0 ? 'No virtual cluster can be seen there.' : `There are: ${all.map(clusterId).join(', ')}.`;
  return new ProviderError(
    `There is no virtual cluster ${clusterId(ref)}`,
    `The host cluster at ${host.server} has no such release. ${known}`,
  );
}

export const clusterData: DataSourceType<ConfiguredProvider> = defineDataSource({
  name: 'vcluster_cluster',
  doc: 'A virtual cluster that exists on the host cluster.',
  example,
  attributes,
  validate: problems,
  read: async ({ config, provider, signal }) => {
    const ref = refOf(config);
    const host = await provider.host();
    const view = await readCluster(host, ref, { signal });
    if (view === undefined) throw await notThere(host, ref, signal);
    return { state: dataValues(view) };
  },
});
