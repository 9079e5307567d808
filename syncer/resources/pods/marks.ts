/** Labels and annotations that only pods get on the host, beside those of every synced object. */
import { namespaces } from '../../model/kubernetes.ts';
import type { Pod } from '../../model/kubernetes.ts';
import type { KubeObject, OwnerReference, StringMap } from '../../model/object.ts';
import type { Virtual } from '../../model/side.ts';
import type { Release, View } from '../../model/view.ts';
import { namespaceLabelKey } from '../../translate/labels.ts';

const safeToEvict = 'cluster-autoscaler.kubernetes.io/safe-to-evict';
const daemonSetPod = 'cluster-autoscaler.kubernetes.io/daemonset-pod';
const ownerReferences = 'vcluster.loft.sh/owner-references';
const ownerSetKind = 'vcluster.loft.sh/owner-set-kind';

/** Controllers whose kind host tools may want to know (POD-166). */
const setKinds: ReadonlySet<string> = new Set([
  'apps/v1 DaemonSet',
  'apps/v1 ReplicaSet',
  'apps/v1 StatefulSet',
  'batch/v1 Job',
]);

/**
 * The labels of the pod's virtual Namespace, in the form that namespace selectors are translated to (LAB-09). A tracked read:
 * changing them queues the namespace's pods (LAB-10). Undefined while the Namespace is missing (POD-06).
 */
export function namespaceLabels(pod: Virtual<Pod>, view: View): StringMap | undefined {
  const namespace = view.virtual.get(namespaces, { namespace: '', name: pod.metadata.namespace ?? '' });
  return namespace && ofNamespace(namespace, view.release);
}

/** What host tools, the cluster autoscaler above all, would read from the pod's owners: on the host it has none of them. */
export function ownerAnnotations(pod: Virtual<Pod>): StringMap {
  const owners = pod.metadata.ownerReferences ?? [];
  const controller = owners.find((owner) => owner.controller === true);
  return {
    ...(owners.length > 0 && { [ownerReferences]: JSON.stringify(owners) }),
    ...(controller && isSet(controller) && { [ownerSetKind]: controller.kind }),
    ...(controller?.kind === 'DaemonSet' && { [daemonSetPod]: 'true' }),
    [safeToEvict]: pod.metadata.annotations?.[safeToEvict] ?? String(controller !== undefined),
  };
}

/** Every look at every pod asks for them, and each key is a digest: remembered for as long as the Namespace stays as it is. */
const translated = new WeakMap<KubeObject, { readonly release: Release; readonly labels: StringMap }>();

function ofNamespace(namespace: KubeObject, release: Release): StringMap {
  const known = translated.get(namespace);
  if (known?.release === release) return known.labels;
  const own = Object.entries(namespace.metadata.labels ?? {});
  const labels = Object.fromEntries(own.map(([key, value]) => [namespaceLabelKey(key, release), value]));
  translated.set(namespace, { release, labels });
  return labels;
}

function isSet({ apiVersion, kind }: OwnerReference): boolean {
  return setKinds.has(`${apiVersion} ${kind}`);
}
