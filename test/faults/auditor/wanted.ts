/** Which virtual objects should have a host object: pods that may run, services, and config maps and secrets that a pod uses. */
import { at, listAt, marks, wordAt } from './words.ts';
import type { Plural, Thing } from './words.ts';
import type { World } from './world.ts';

/** Live virtual objects of a kind that must have a copy on the host. */
export function wantedOnHost(world: World, plural: Plural): readonly Thing[] {
  const live = world.now('virtual', plural).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  switch (plural) {
    case 'pods':
      return live.filter((pod) => !['Succeeded', 'Failed'].includes(wordAt(pod, 'status', 'phase')));
    case 'services':
      return live.filter((service) => !isApiServer(service) && listAt(service, 'spec', 'externalIPs').length === 0);
    case 'configmaps':
    case 'secrets':
      return live.filter((thing) => isUsed(world, plural, thing));
    case 'nodes':
    case 'namespaces':
      return [];
    default:
      return plural satisfies never;
  }
}

/** `default/kubernetes`: every API server makes its own. */
export function isApiServer({ metadata }: Thing): boolean {
  return metadata.namespace === 'default' && metadata.name === 'kubernetes';
}

/** Whether a pod has a token of its service account mounted. */
export function wantsToken(pod: Thing): boolean {
  return listAt(pod, 'spec', 'volumes').some((volume) =>
    listAt(volume, 'projected', 'sources').some((source) => at(source, 'serviceAccountToken') !== undefined),
  );
}

function isUsed(world: World, plural: 'configmaps' | 'secrets', { metadata }: Thing): boolean {
  if (metadata.annotations?.[marks.forceSync] === 'true') return true;
  return world
    .now('virtual', 'pods')
    .some((pod) => pod.metadata.namespace === metadata.namespace && namesIn(pod, plural).has(metadata.name));
}

/** The names of config maps or secrets that a pod mentions, wherever in its spec. */
function namesIn(pod: Thing, plural: 'configmaps' | 'secrets'): ReadonlySet<string> {
  const names = new Set<string>();
  const note = (name: unknown): void => {
    if (typeof name === 'string') names.add(name);
  };
  const [inEnv, inEnvFrom] =
    plural === 'configmaps' ? ['configMapKeyRef', 'configMapRef'] : ['secretKeyRef', 'secretRef'];
  for (const field of ['containers', 'initContainers', 'ephemeralContainers']) {
    for (const container of listAt(pod, 'spec', field)) {
      for (const variable of listAt(container, 'env')) note(at(variable, 'valueFrom', inEnv, 'name'));
      for (const source of listAt(container, 'envFrom')) note(at(source, inEnvFrom, 'name'));
    }
  }
  for (const volume of listAt(pod, 'spec', 'volumes')) noteVolume(volume, plural, note);
  if (plural === 'secrets') for (const pull of listAt(pod, 'spec', 'imagePullSecrets')) note(at(pull, 'name'));
  return names;
}

function noteVolume(volume: unknown, plural: 'configmaps' | 'secrets', note: (name: unknown) => void): void {
  const isMap = plural === 'configmaps';
  note(isMap ? at(volume, 'configMap', 'name') : at(volume, 'secret', 'secretName'));
  for (const source of listAt(volume, 'projected', 'sources')) note(at(source, isMap ? 'configMap' : 'secret', 'name'));
}
