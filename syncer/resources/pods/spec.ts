/**
 * The spec of a host pod. Whatever is not named here passes as the tenant wrote it (POD-62): the policy of the virtual cluster
 * (policy/) and the host's own admission see it and decide.
 */
import { services } from '../../model/kubernetes.ts';
import type { Container, Pod, PodSpec } from '../../model/kubernetes.ts';
import { keyOf } from '../../model/object.ts';
import type { StringMap } from '../../model/object.ts';
import type { Key, Virtual } from '../../model/side.ts';
import type { Release, View } from '../../model/view.ts';
import { hostName } from '../../translate/names.ts';
import { withVariables } from './containers.ts';
import { clusterDns, hostAliasesOf, hostnameOf, usesClusterDns } from './dns.ts';
import { hostFieldPath } from './downward.ts';
import { kubernetesVariables, linkVariables } from './env.ts';
import { translatedImage } from './images.ts';
import { rewriteReferences } from './references.ts';
import type { Rewriting } from './rewriting.ts';
import { ruledFields } from './rules.ts';
import { affinityToHost, spreadToHost } from './scheduling.ts';
import { tokenSecretName } from './tokens.ts';

/** What the spec of a host pod is made of besides the virtual pod; fixed once the host pod exists. */
export interface Surroundings {
  readonly variables: StringMap;
  /** Addresses of the virtual cluster's DNS service. */
  readonly nameservers: readonly string[];
}

export interface HostSpec {
  readonly spec: PodSpec;
  /** Field paths that the containers ask for, as the tenant wrote them. */
  readonly fieldPaths: ReadonlySet<string>;
}

/** The spec, with all names, selectors and field paths of the host. */
export function specToHost(pod: Virtual<Pod>, { variables, nameservers }: Surroundings, release: Release): HostSpec {
  const fieldPaths = new Set<string>();
  const rewriting = rewritingOf(pod, release, (path) => fieldPaths.add(path));
  const { containers, initContainers, volumes, imagePullSecrets } = rewriteReferences(pod.spec, rewriting);
  const withAll = (container: Container): Container =>
    translatedImage(withVariables(container, variables), release.podRules.images);
  const hostAliases = hostAliasesOf(pod.spec, release);
  const affinity = affinityToHost(pod, release);
  const topologySpreadConstraints = spreadToHost(pod, release);
  const spec: PodSpec = {
    ...passing(pod.spec),
    ...ruledFields(pod.spec, release.podRules),
    containers: containers.map(withAll),
    ...(initContainers && { initContainers: initContainers.map(withAll) }),
    ...(volumes && { volumes }),
    ...(imagePullSecrets && { imagePullSecrets }),
    ...(affinity && { affinity }),
    ...(topologySpreadConstraints && { topologySpreadConstraints }),
    ...(hostAliases && { hostAliases }),
    ...(usesClusterDns(pod.spec) && clusterDns(pod, nameservers, release.clusterDomain)),
    hostname: hostnameOf(pod),
    serviceAccountName: release.workloadServiceAccount,
    automountServiceAccountToken: false,
    enableServiceLinks: false,
  };
  return { spec, fieldPaths };
}

/** How the host writes what a pod refers to; `asked` is told every field path, as the tenant wrote it. */
export function rewritingOf(pod: Virtual<Pod>, release: Release, asked?: (path: string) => unknown): Rewriting {
  return {
    podName: pod.metadata.name,
    tokenSecret: tokenSecretName(pod),
    rename: (_, name) => hostName(name, pod.metadata.namespace ?? '', release),
    fieldPath: (path) => {
      asked?.(path);
      return hostFieldPath(path, release);
    },
  };
}

/** Variables about services as they are now; a container keeps those of its start (POD-71, POD-72). */
export function serviceVariables(pod: Virtual<Pod>, view: View): StringMap {
  const links = pod.spec.enableServiceLinks !== false;
  const { namespace = '' } = pod.metadata;
  const [clusterIP = ''] = view.release.service.clusterIPs;
  return { ...(links && linkVariables(view.virtual.list(services, namespace))), ...kubernetesVariables(clusterIP) };
}

/** Host Service of the virtual cluster's DNS (POD-125). */
export function dnsServiceKey(release: Release): Key<'host'> {
  return { namespace: release.namespace, name: hostName('kube-dns', 'kube-system', release) };
}

/** Host key of a virtual pod. */
export function hostKeyOf(pod: Virtual<Pod>, release: Release): Key<'host'> {
  const { name, namespace } = keyOf(pod);
  return { namespace: release.namespace, name: hostName(name, namespace, release) };
}

/**
 * The tenant's spec without what means something else on the host: identity (serviceAccount), placement that was decided by us
 * (nodeName), classes that the host does not have (priority with all that hangs on it, overhead: host admission compares them
 * with its own classes, POD-52 to POD-55; a class that may be named comes back in rules.ts), the subdomain (dns.ts), and ephemeral
 * containers, which come later by their own verb.
 */
function passing(spec: PodSpec): PodSpec {
  const {
    serviceAccount: _serviceAccount,
    nodeName: _nodeName,
    priorityClassName: _priorityClassName,
    priority: _priority,
    preemptionPolicy: _preemptionPolicy,
    overhead: _overhead,
    subdomain: _subdomain,
    ephemeralContainers: _ephemeralContainers,
    ...rest
  } = spec;
  return rest;
}
