/**
 * What a pod refers to by name, and how each reference is written on the host.
 *
 * The walk over a pod (containers.ts, volumes.ts) is written once and used twice: with names of the host to translate, and with
 * a recorder to learn which config maps and secrets a pod uses. So nothing can be translated and yet not be synced, and a name
 * that the walk does not know never reaches the host (POD-108, POD-109).
 */
import { configMaps, pods, secrets } from '../../model/kubernetes.ts';
import type { Pod, PodSpec } from '../../model/kubernetes.ts';
import type { Virtual } from '../../model/side.ts';
import type { Index } from '../../model/view.ts';
import { containerToHost } from './containers.ts';
import { renamed } from './rewriting.ts';
import type { Referable, Rewriting } from './rewriting.ts';
import { volumeToHost } from './volumes.ts';

/** All parts of a pod that may hold references, rewritten. Ephemeral containers included: what they use must be there too. */
export function rewriteReferences(
  spec: PodSpec,
  rewriting: Rewriting,
): Pick<PodSpec, 'containers' | 'initContainers' | 'ephemeralContainers' | 'volumes' | 'imagePullSecrets'> {
  const { containers, initContainers, ephemeralContainers, volumes, imagePullSecrets } = spec;
  return {
    containers: containers.map((container) => containerToHost(container, rewriting)),
    ...(initContainers && { initContainers: initContainers.map((each) => containerToHost(each, rewriting)) }),
    ...(ephemeralContainers && {
      ephemeralContainers: ephemeralContainers.map((each) => containerToHost(each, rewriting)),
    }),
    ...(volumes && { volumes: volumes.map((volume) => volumeToHost(volume, rewriting)) }),
    ...(imagePullSecrets && {
      imagePullSecrets: imagePullSecrets.map((each) => renamed(each, 'name', 'secret', rewriting)),
    }),
  };
}

/** Virtual pods by the config maps that they use, as `namespace/name`. */
export const podsByConfigMap: Index<'virtual', Pod> = {
  name: `pods by ${configMaps.plural}`,
  side: 'virtual',
  kind: pods,
  values: (pod) => referencesOf(pod, 'configMap'),
};

/** Virtual pods by the secrets that they use, as `namespace/name`; for pulling images, too. */
export const podsBySecret: Index<'virtual', Pod> = {
  name: `pods by ${secrets.plural}`,
  side: 'virtual',
  kind: pods,
  values: (pod) => referencesOf(pod, 'secret'),
};

/** Virtual pods by the node that they are bound to. */
export const virtualPodsByNode: Index<'virtual', Pod> = {
  name: 'virtual pods by node',
  side: 'virtual',
  kind: pods,
  values: nodeOf,
};

/** Host pods by the node that they are bound to. */
export const hostPodsByNode: Index<'host', Pod> = {
  name: 'host pods by node',
  side: 'host',
  kind: pods,
  values: nodeOf,
};

function nodeOf(pod: Pod): readonly string[] {
  const { nodeName = '' } = pod.spec;
  return nodeName === '' ? [] : [nodeName];
}

function referencesOf(pod: Virtual<Pod>, wanted: Referable): readonly string[] {
  const names = new Set<string>();
  rewriteReferences(pod.spec, {
    rename: (kind, name) => {
      if (kind === wanted) names.add(name);
      return name;
    },
    fieldPath: (path) => path,
    podName: pod.metadata.name,
    tokenSecret: '',
  });
  return [...names].map((name) => `${pod.metadata.namespace ?? ''}/${name}`);
}
