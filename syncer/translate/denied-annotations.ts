/**
 * Annotations that mean something to the host's kubelets, networks, clouds and operators. A tenant must not give them orders,
 * so they never leave the virtual cluster (ANN-06, ANN-07).
 */

const exact: ReadonlySet<string> = new Set([
  // Would store every object twice, Secrets in the clear of an annotation included.
  'kubectl.kubernetes.io/last-applied-configuration',
  'kubernetes.io/psp',
  'v1.multus-cni.io/default-network',
]);

const prefixes: readonly string[] = [
  // Static and mirror pods: a kubelet deletes those it does not know (POD-15).
  'kubernetes.io/config.',
  // The host's token controller would take the Secret for one of its own (CS-06).
  'kubernetes.io/service-account.',
  // Operators of the host that copy Secrets and config maps between namespaces, both ways.
  'reflector.v1.k8s.emberstack.com/',
  'replicator.v1.mittwald.de/',
  'kubed.appscode.com/',
  // What deploys to the host takes objects that carry these for its own.
  'meta.helm.sh/',
  'argocd.argoproj.io/',
  // Injected secrets, sidecars and identities.
  'azure.workload.identity/',
  'consul.hashicorp.com/',
  'kuma.io/',
  'config.linkerd.io/',
  'container.apparmor.security.beta.kubernetes.io/',
  'io.katacontainers.',
  'io.kubernetes.cri-o.',
  'k8s.v1.cni.cncf.io/',
  'cni.projectcalico.org/',
  'k8s.ovn.org/',
  'iam.amazonaws.com/',
  'eks.amazonaws.com/',
  'iam.gke.io/',
  'vault.hashicorp.com/',
  'linkerd.io/',
  'external-dns.alpha.kubernetes.io/',
  'cert-manager.io/',
  'service.beta.kubernetes.io/',
  'cloud.google.com/',
  'networking.gke.io/',
  'load-balancer.hetzner.cloud/',
  'metallb.universe.tf/',
  'metallb.io/',
];

const patterns: readonly RegExp[] = [
  /^[^/]+\.kubernetes\.io\/psp$/u,
  /^([^/]+\.)?istio\.io\//u,
  /^nginx\.ingress\.kubernetes\.io\/[^/]*-snippet$/u,
];

export function isDeniedAnnotation(key: string): boolean {
  return (
    exact.has(key) || prefixes.some((prefix) => key.startsWith(prefix)) || patterns.some((pattern) => pattern.test(key))
  );
}
