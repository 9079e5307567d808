/**
 * /etc/hosts of a pod with a subdomain (ADR 0010). The subdomain is cleared on the host, so the kubelet writes the bare host name
 * only; an unprivileged init container of our own image puts the full name in and every other container mounts the result.
 *
 * Decided once, when the host pod is created: a pod that runs is never changed for it. Ephemeral containers cannot mount a single
 * file and keep the kubelet's.
 */
import type { Container, Pod, PodSpec } from '../../model/kubernetes.ts';
import type { HostsWriter } from '../../model/pod-rules.ts';
import type { Virtual } from '../../model/side.ts';
import type { Release } from '../../model/view.ts';
import { equal, equalQuantity } from '../../translate/equality.ts';
import { hostnameOf } from './dns.ts';
import { isJson } from './rewriting.ts';
import type { Json } from './rewriting.ts';

/** On a host pod: its hosts file is written by us. Stays as long as the pod. */
export const hostsRewritten = 'vcluster.loft.sh/hosts-rewritten';
/** On a virtual pod: leave the hosts file alone (POD-128). */
const optOut = 'vcluster.loft.sh/disable-subdomain-rewrite';
/** Of the init container and of the volume. */
export const hostsWriterName = 'vcluster-rewrite-hosts';

const hostsPath = '/etc/hosts';
const volumePath = '/vcluster-hosts';
const fileName = 'hosts';
/** Of the image; fixed here, as the pod's own security context may ask for root. */
const userId = 65_532;

/** Whether a pod that is about to be created gets a hosts file of its own (POD-128, POD-130, POD-131). */
export function getsHostsFile({ metadata, spec }: Virtual<Pod>, { podRules }: Release): boolean {
  if (podRules.hostsWriter === undefined || metadata.annotations?.[optOut] === 'true') return false;
  return hasOwnDomain(spec) && isUntouched(spec);
}

/** Whether a kubelet would show a domain in the pod's hosts file: there is one, the host name is the pod's, and so is the file. */
function hasOwnDomain(spec: PodSpec): boolean {
  const { subdomain = '', hostNetwork = false } = spec;
  return subdomain !== '' && !hostNetwork && !isSet(spec['hostnameOverride']) && !isWindows(spec);
}

/** False where a container brings a hosts file of its own, and where somebody has done this already, or wants to look like it. */
function isUntouched({ volumes = [], initContainers = [], containers }: PodSpec): boolean {
  const all = [...initContainers, ...containers];
  return !all.some(mountsHosts) && ![...all, ...volumes].some(({ name }) => name === hostsWriterName);
}

/** The host spec with the init container and its file mounted everywhere. Only for pods that `getsHostsFile`. */
export function withHostsFile(host: PodSpec, virtual: Virtual<Pod>, { podRules, clusterDomain }: Release): PodSpec {
  const { hostsWriter } = podRules;
  if (hostsWriter === undefined) return host;
  const { namespace = '' } = virtual.metadata;
  const hostname = hostnameOf(virtual);
  const fqdn = `${hostname}.${virtual.spec.subdomain ?? ''}.${namespace}.svc.${clusterDomain}`;
  const initContainers = (host.initContainers ?? []).map(withMount);
  const pullSecrets = hostsWriter.pullSecrets.map((name) => ({ name }));
  return {
    ...host,
    ...(host.imagePullSecrets?.length && { imagePullSecrets: [...host.imagePullSecrets, ...pullSecrets] }),
    initContainers: [writer(hostsWriter, host, { hostname, fqdn }), ...initContainers],
    containers: host.containers.map(withMount),
    volumes: [...(host.volumes ?? []), { name: hostsWriterName, emptyDir: {} }],
  };
}

/** Admitted by Pod Security `restricted`, as the namespace may ask for it (POD-129). */
function writer(
  { image, pullPolicy, resources }: HostsWriter,
  spec: PodSpec,
  { hostname, fqdn }: { readonly hostname: string; readonly fqdn: string },
): Container {
  return {
    name: hostsWriterName,
    image,
    imagePullPolicy: pullPolicy,
    args: [
      'hosts',
      '--addresses=$(POD_IPS)',
      `--hostname=${hostname}`,
      `--fqdn=${fqdn}`,
      `--out=${volumePath}/${fileName}`,
    ],
    env: [{ name: 'POD_IPS', valueFrom: { fieldRef: { fieldPath: 'status.podIPs' } } }],
    ...resourcesFor(spec, resources),
    securityContext: {
      runAsNonRoot: true,
      runAsUser: userId,
      runAsGroup: userId,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: hostsWriterName, mountPath: volumePath }],
  };
}

/**
 * What the init container asks for never lowers the QoS class that the tenant has arranged: a Guaranteed pod stays one. Where the
 * pod as a whole has resources, containers share those.
 */
function resourcesFor(spec: PodSpec, { requests, limits }: HostsWriter['resources']): Json {
  if (isSet(spec['resources'])) return {};
  const guaranteed = [...(spec.initContainers ?? []), ...spec.containers].every(isGuaranteed);
  const asked = guaranteed ? limits : requests;
  return { resources: { ...(asked && { requests: asked }), ...(limits && { limits }) } };
}

function isGuaranteed(container: Container): boolean {
  const { resources } = container;
  const { requests, limits } = isJson(resources) ? resources : {};
  if (!isJson(limits)) return false;
  return ['cpu', 'memory'].every((name) => {
    const [limit, request = limit] = [limits[name], isJson(requests) ? requests[name] : undefined];
    return isQuantity(limit) && isQuantity(request) && equalQuantity(limit, request);
  });
}

/** Writable, as the kubelet's own is. */
function withMount(container: Container): Container {
  const { volumeMounts } = container;
  const own: readonly unknown[] = Array.isArray(volumeMounts) ? volumeMounts : [];
  return { ...container, volumeMounts: [...own, { name: hostsWriterName, mountPath: hostsPath, subPath: fileName }] };
}

/** Also by a path that leads there in a roundabout way. */
function mountsHosts({ volumeMounts }: Container): boolean {
  const mounts: readonly unknown[] = Array.isArray(volumeMounts) ? volumeMounts : [];
  return mounts.some((mount) => {
    const path = isJson(mount) ? mount['mountPath'] : undefined;
    return typeof path === 'string' && normal(path) === hostsPath;
  });
}

function normal(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

function isWindows({ os, nodeSelector }: PodSpec): boolean {
  const selector = isJson(nodeSelector) ? nodeSelector : {};
  return (isJson(os) && os['name'] === 'windows') || selector['kubernetes.io/os'] === 'windows';
}

function isSet(value: unknown): boolean {
  return !equal(value, undefined) && value !== '';
}

function isQuantity(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
