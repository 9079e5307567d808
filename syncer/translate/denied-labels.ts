/**
 * Label keys that controllers, webhooks and operators of the host act upon. A tenant must not give them orders, so these keys
 * never reach the host as they are (LAB-03, ABU-06): they get the translated form of labels.ts, in labels and in selectors
 * alike, so that everything keeps matching inside the virtual cluster.
 *
 * What only names things (`app`, `tier`, `app.kubernetes.io/name`) passes: dashboards and logs of the host read it.
 */
import type { Kind } from '../model/kind.ts';
import type { StringMap } from '../model/object.ts';

const exact: ReadonlySet<string> = new Set([
  // Selected by the control plane's own Service (LAB-11).
  'release',
  // Gives a pod an identity in the host's cloud.
  'aadpodidbinding',
  // Dashboards, data sources and rules that sidecars of the host's monitoring load from every namespace.
  'grafana_dashboard',
  'grafana_datasource',
  'grafana_alert',
  'grafana_folder',
  'grafana_notifier',
  'prometheus_rule',
  // The host's add-on manager deletes what has it and is not among its own files.
  'kubernetes.io/cluster-service',
]);

/** The whole domain and everything below it. */
const domains: ReadonlySet<string> = new Set([
  'addonmanager.kubernetes.io',
  // kube-proxy passes by what is marked with these; endpoints are found by them.
  'service.kubernetes.io',
  'endpointslice.kubernetes.io',
  'pod-security.kubernetes.io',
  // Injected sidecars and the meshes' ways around them.
  'istio.io',
  'linkerd.io',
  'kuma.io',
  'consul.hashicorp.com',
  'vault.hashicorp.com',
  // Identities and hardware of clouds.
  'azure.workload.identity',
  'eks.amazonaws.com',
  'vpc.amazonaws.com',
  'iam.gke.io',
  'cloud.google.com',
  'networking.gke.io',
  // Networks.
  'cilium.io',
  'projectcalico.org',
  'k8s.ovn.org',
  // Admission and policy.
  'gatekeeper.sh',
  'kyverno.io',
  'admission.datadoghq.com',
  // Schedulers and queues beside the host's own.
  'kueue.x-k8s.io',
  'scheduling.x-k8s.io',
  'scheduling.sigs.k8s.io',
  'volcano.sh',
  'yunikorn.apache.org',
  // What deploys to the host, and what backs it up.
  'argoproj.io',
  'fluxcd.io',
  'velero.io',
]);

/**
 * The history of Helm's releases is found by these labels alone, whatever the type of the object: a tenant could write one that
 * an operator's next `helm upgrade` or `helm uninstall` would believe.
 */
const helmHistory: ReadonlySet<string> = new Set(['secrets', 'configmaps']);

/** Whether a label key means something to the host besides being a name. */
export function isDeniedLabel(key: string): boolean {
  if (exact.has(key)) return true;
  const slash = key.indexOf('/');
  return slash > 0 && isDeniedDomain(key.slice(0, slash));
}

/** Labels without those that mean something on objects of this kind only; nothing selects such objects by them. */
export function withoutDeniedOf(kind: Kind, labels: StringMap): StringMap {
  if (kind.group !== '' || !helmHistory.has(kind.plural) || !Object.hasOwn(labels, 'owner')) return labels;
  const { owner: _owner, ...others } = labels;
  return others;
}

function isDeniedDomain(domain: string): boolean {
  for (let rest = domain; rest !== ''; rest = rest.slice(rest.indexOf('.') + 1)) {
    if (domains.has(rest)) return true;
    if (!rest.includes('.')) return false;
  }
  return false;
}
