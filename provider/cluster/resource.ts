/**
 * The resource `vcluster_cluster`: one virtual cluster, from its namespace to its release, and whether it is ready.
 */
import type { ConfiguredProvider } from '../configured.ts';
import { failure } from '../framework/diagnostics.ts';
import type { Diagnostic } from '../framework/diagnostics.ts';
import { defineResource } from '../framework/resource.ts';
import type { ResourceType } from '../framework/resource.ts';
import type { ValueRecord } from '../framework/values.ts';
import { emptyBranches } from '../options.ts';
import { asCluster, clusterAttributes } from './attributes.ts';
import { createCluster, destroyCluster, updateCluster } from './life.ts';
import { planCluster, protection } from './plan.ts';
import { importCluster, readResource } from './read.ts';
import { wantedValues } from './wanted-values.ts';

const example = `resource "vcluster_cluster" "team_a" {
  name               = "team-a"
  kubernetes_version = "1.36"
  sync               = { from_host = { nodes = { selector = { labels = { pool = "tenants" } } } } }
}
`;

/** What no attribute can see by itself. */
export function clusterProblems(config: ValueRecord): readonly Diagnostic[] {
  return [...wantedValues(config).diagnostics, ...emptyBranches(config), ...namespaceProblems(config)];
}

function namespaceProblems(config: ValueRecord): readonly Diagnostic[] {
  if (config['namespace_lifecycle'] !== 'keep') return [];
  const given = ['namespace_labels', 'namespace_annotations'].filter((name) => (config[name] ?? null) !== null);
  return given.map((name) =>
    failure(
      'Contradicting configuration',
      `namespace_lifecycle is "keep": the namespace is not changed, so ${name} would do nothing. Remove it, or choose "adopt".`,
      [name],
    ),
  );
}

export const cluster: ResourceType<ConfiguredProvider> = defineResource({
  name: 'vcluster_cluster',
  doc:
    'A virtual cluster: a Kubernetes API server of its own in one namespace of the host cluster. Creating it waits until it is ready. ' +
    'What is changed outside of Terraform is found and repaired; what cannot be changed in place is planned as a replacement, with the reason.\n\n' +
    'Terraform drops a misspelt name *inside of an object* (`sync = { form_host = … }`) without a word, before any provider sees it. The plan shows what ' +
    'is set; an object in which nothing is left gets a warning here; and in `values` every unknown key is refused, with the nearest known one.',
  example,
  version: 0,
  importId: 'namespace/name',
  attributes: clusterAttributes,
  validate: clusterProblems,
  plan: planCluster,
  planDelete: (call) => protection(asCluster(call.prior), call),
  create: createCluster,
  read: readResource,
  update: updateCluster,
  delete: destroyCluster,
  import: importCluster,
});
