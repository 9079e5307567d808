/**
 * Names as a container sees them: resolver, host name, /etc/hosts. On the host all virtual namespaces share one, so what a
 * kubelet would derive from the namespace is spelled out.
 *
 * A kubelet also appends the node's own search domains under ClusterFirst; they cannot be known here and are left out (POD-124).
 * The subdomain is cleared: on the host it could match another tenant's headless service. DNS records of `<hostname>.<subdomain>`
 * still come from the virtual cluster's own DNS; only the pod's own /etc/hosts line shows the bare host name (POD-128).
 */
import type { Pod, PodSpec } from '../../model/kubernetes.ts';
import type { Virtual } from '../../model/side.ts';
import type { Release } from '../../model/view.ts';

type DnsConfig = NonNullable<PodSpec['dnsConfig']>;
type DnsOptions = NonNullable<DnsConfig['options']>;

/** Limits of the API; what goes over them is cut from the tenant's end (POD-122). */
const nameserversMax = 3;
const searchesMax = 32;
const searchCharactersMax = 2048;
const hostnameLengthMax = 63;

/** Whether a pod resolves names through the virtual cluster's DNS service (POD-120, POD-123). */
export function usesClusterDns({ dnsPolicy = 'ClusterFirst', hostNetwork = false }: PodSpec): boolean {
  return dnsPolicy === 'ClusterFirstWithHostNet' || (dnsPolicy === 'ClusterFirst' && !hostNetwork);
}

/** What dnsPolicy ClusterFirst means in the pod's virtual namespace, with the tenant's additions. */
export function clusterDns(
  pod: Virtual<Pod>,
  nameservers: readonly string[],
  domain: string,
): Pick<PodSpec, 'dnsPolicy' | 'dnsConfig'> {
  const own: DnsConfig = pod.spec.dnsConfig ?? {};
  const searches = [`${pod.metadata.namespace ?? ''}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    dnsPolicy: 'None',
    dnsConfig: {
      ...own,
      nameservers: unique([...nameservers, ...(own.nameservers ?? [])]).slice(0, nameserversMax),
      searches: fitting(unique([...searches, ...(own.searches ?? [])])),
      options: mergeOptions([{ name: 'ndots', value: '5' }], own.options ?? []),
    },
  };
}

/** The host name inside the pod: the tenant's, or the virtual pod's name (POD-126, POD-127). */
export function hostnameOf(pod: Virtual<Pod>): string {
  const { hostname = '' } = pod.spec;
  if (hostname !== '') return hostname;
  return pod.metadata.name.slice(0, hostnameLengthMax).replaceAll('.', '-').replace(/-+$/u, '');
}

/** The API server answers under its names without DNS, too (POD-65). */
export function hostAliasesOf(spec: PodSpec, release: Release): PodSpec['hostAliases'] {
  const { os, hostNetwork = false, hostAliases = [] } = spec;
  const windows = typeof os === 'object' && os !== null && 'name' in os && os.name === 'windows';
  if (hostNetwork || windows) return hostAliases;
  const full = `kubernetes.default.svc.${release.clusterDomain}`;
  const hostnames = [full, 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'];
  return [...hostAliases, ...release.service.clusterIPs.map((ip) => ({ ip, hostnames }))];
}

function mergeOptions(defaults: DnsOptions, own: DnsOptions): DnsOptions {
  const named = new Set(own.map((option) => option.name));
  return [...defaults.filter((option) => !named.has(option.name)), ...own];
}

function fitting(searches: readonly string[]): readonly string[] {
  let length = 0;
  return searches.slice(0, searchesMax).filter((search) => {
    length += search.length + 1; // They are joined by spaces.
    return length - 1 <= searchCharactersMax;
  });
}

function unique(values: readonly string[]): readonly string[] {
  return [...new Set(values)];
}
