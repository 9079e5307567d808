/**
 * Pods: what a tenant runs. The virtual pod is the wish, the host pod is what runs; node, status and the end of a pod come from
 * the host. A pod that has run is never started again under the same identity: its controllers make a new one (POD-03).
 */
import { namespaces, nodes, pods as podKind, services } from '../../model/kubernetes.ts';
import type { Pod } from '../../model/kubernetes.ts';
import { podLifecycle } from '../../model/lifecycle.ts';
import type { StringMap } from '../../model/object.ts';
import type { ToHost, Translated } from '../../model/resource.ts';
import type { Host, Virtual } from '../../model/side.ts';
import type { Release, View } from '../../model/view.ts';
import { onHost, withMarks } from '../../translate/metadata.ts';
import { withImageNotes } from './asked-images.ts';
import { usesClusterDns } from './dns.ts';
import { downwardAnnotations } from './downward.ts';

import { namespaceLabels, ownerAnnotations } from './marks.ts';
import { merge } from './merge.ts';
import { asCreated } from './creation.ts';
import { nodeNameRefusal, refusalOf } from './refusals.ts';
import { resourceAnnotations } from './resize.ts';
import { dnsServiceKey, hostKeyOf, serviceVariables, specToHost } from './spec.ts';
import type { Surroundings } from './spec.ts';
import { pull } from './status.ts';

export const pods: ToHost<Pod> = {
  kind: podKind,
  toHost,
  merge,
  pull,
  mustHaveHad,
  hostGraceSeconds: ({ metadata }) => metadata.deletionGracePeriodSeconds, // POD-20
  vanishedGraceSeconds: 0, // Only a forced deletion leaves no time (POD-24).
  lifecycle: podLifecycle,
  isFollowed: true,
  sources: [
    { side: 'virtual', kind: namespaces },
    { side: 'virtual', kind: nodes },
    { side: 'virtual', kind: services },
    { side: 'host', kind: services },
  ],
  hostRules: [
    // For readiness gates that controllers in the virtual cluster answer (POD-98).
    { apiGroups: [''], resources: ['pods/status'], verbs: ['patch'] },
    // What can change in a pod by a verb of its own only (POD-83, POD-84).
    { apiGroups: [''], resources: ['pods/ephemeralcontainers', 'pods/resize'], verbs: ['patch'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'watch'] },
  ],
};

function toHost(virtual: Virtual<Pod>, view: View): Translated<Pod> {
  const exists = view.host.get(podKind, hostKeyOf(virtual, view.release)) !== undefined;
  const why = exists ? undefined : whyNotCreated(virtual, view.release);
  if (why !== undefined) return why;
  const labels = namespaceLabels(virtual, view);
  if (labels === undefined)
    return { is: 'waiting', why: `Namespace ${virtual.metadata.namespace ?? ''} is not there yet` };
  const around = exists ? settled : surroundings(virtual, view);
  if (around === undefined)
    return { is: 'waiting', why: 'the Service of the cluster DNS has no address on the host yet' };
  const object = hostPod(virtual, view, labels, around);
  return exists ? { is: 'object', object } : asCreated(virtual, object, view.release);
}

function hostPod(virtual: Virtual<Pod>, view: View, labels: StringMap, around: Surroundings): Host<Pod> {
  const { spec, fieldPaths } = specToHost(virtual, around, view.release);
  return withMarks(withImageNotes(onHost(virtual, podKind, view, { spec })), {
    labels,
    annotations: {
      ...ownerAnnotations(virtual),
      ...resourceAnnotations(virtual.spec),
      ...downwardAnnotations(virtual, fieldPaths),
    },
  });
}

/** Only for pods without a host pod: later, a node name is our own binding, and the rest can no longer change. */
function whyNotCreated(virtual: Virtual<Pod>, release: Release): Translated<Pod> | undefined {
  const { nodeName = '' } = virtual.spec;
  const { phase = '' } = virtual.status ?? {};
  // Made by a controller as a record, never to run (POD-67).
  if (phase === 'Succeeded' || phase === 'Failed')
    return { is: 'waiting', why: `the pod has already ${phase.toLowerCase()}` };
  const why = nodeName === '' ? refusalOf(virtual.spec, release) : nodeNameRefusal(nodeName);
  return why === undefined ? undefined : { is: 'refused', why };
}

/** For a host pod that exists: these parts of it are never compared, so they need not be looked up. */
const settled: Surroundings = { variables: {}, nameservers: [] };

/** Undefined while the DNS service that the pod would use has no address (POD-08); the DNS server's own pods do not wait. */
function surroundings(virtual: Virtual<Pod>, view: View): Surroundings | undefined {
  const variables = serviceVariables(virtual, view);
  if (!usesClusterDns(virtual.spec)) return { variables, nameservers: [] };
  const dns = view.host.get(services, dnsServiceKey(view.release));
  const { clusterIP = '', clusterIPs = [clusterIP] } = dns?.spec ?? {};
  const nameservers = clusterIPs.filter((ip) => ip !== '' && ip !== 'None');
  return nameservers.length === 0 ? undefined : { variables, nameservers };
}

/**
 * Signs that a pod has been on the host, although this process never saw it there: it has started, or it was bound, which only
 * the host's choice brings about here, or the host's scheduler has said something about it (POD-03, POD-46). That a pod has
 * scheduling gates, its own API server says.
 */
function mustHaveHad({ spec, status }: Virtual<Pod>): boolean {
  const { nodeName = '' } = spec;
  const told = status?.conditions?.find(({ type }) => type === 'PodScheduled');
  if (status?.startTime !== undefined) return true;
  if (told?.status === 'True') return nodeName !== '';
  return told?.status === 'False' && told['reason'] !== 'SchedulingGated';
}
