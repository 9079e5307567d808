/**
 * What is known of a virtual cluster that exists, as computed attributes: the same for the resource and the data sources. Pure.
 */
import type { ClusterView } from '../../operations/cluster.ts';
import { map, nested } from '../framework/attributes.ts';
import type { Attributes } from '../framework/attributes.ts';
import type { ValueRecord } from '../framework/values.ts';

const text = (doc: string): Attributes[string] => ({ type: 'string', computed: true, doc });

export const viewAttributes: Attributes = {
  endpoint: text('URL of its API server, as reached from within the host cluster.'),
  cluster_ca_certificate: text('Certificate authority of its API server, PEM. Public.'),
  kubeconfig_secret: {
    type: nested('single', { name: text('Name.'), namespace: text('Namespace on the host.') }),
    computed: true,
    doc: 'The Secret on the host that holds its kubeconfig, under the key `config`. Known once the virtual cluster is ready.',
  },
  kubernetes_version_running: text('Kubernetes release that runs, such as `1.36.3`.'),
  chart_version: text('Version of the chart it was installed with.'),
  syncer_version: text('Version of its syncer.'),
  phase: text('`Pending`, `Running`, `Degraded`, `Paused`, `Failed` or `Terminating`.'),
  conditions: {
    type: nested('list', {
      type: text('`ReleaseDeployed`, `ControlPlaneReady`, `SyncerReady` or `KubeconfigPublished`.'),
      status: text('`True`, `False` or `Unknown`.'),
      reason: text('One word; empty when the status is `True`.'),
      message: text('For people; empty when the status is `True`.'),
    }),
    computed: true,
    doc: 'What the phase is made of.',
  },
  synced_objects: {
    type: map('number'),
    computed: true,
    doc: 'How many objects of each kind the virtual cluster has on the host, such as `{ pods = 12 }`.',
  },
};

/** The values of {@link viewAttributes}. */
export function viewValues(view: ClusterView): ValueRecord {
  return {
    endpoint: view.endpoint ?? null,
    cluster_ca_certificate: view.clusterCaCertificate ?? null,
    kubeconfig_secret: { ...view.kubeconfigSecret },
    kubernetes_version_running: view.versions.kubernetes ?? null,
    chart_version: view.versions.chart ?? null,
    syncer_version: view.versions.syncer ?? null,
    phase: view.phase,
    conditions: view.conditions.map((condition) => ({ ...condition })),
    synced_objects: { ...view.syncedObjects },
  };
}
