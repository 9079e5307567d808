/** Config maps: copied while a pod uses them (spec CS-01, CS-02), always from the virtual side to the host (CS-05). */
import { configMaps as ConfigMap } from '../model/kubernetes.ts';
import { recreates } from '../model/lifecycle.ts';
import { keyOf } from '../model/object.ts';
import type { Resource } from '../model/resource.ts';
import { keyText } from '../model/side.ts';
import { omit, pick } from '../translate/fields.ts';
import { annotationKeys, onHost } from '../translate/metadata.ts';
import { mergeMetadata } from '../translate/three-way.ts';
import { defineToHost } from './define.ts';
import { isFrozen } from './frozen.ts';
import { podsByConfigMap } from './pods/references.ts';

const content = ['data', 'binaryData', 'immutable'] as const;

export const configMaps: Resource = defineToHost({
  kind: ConfigMap,
  lifecycle: recreates,
  sources: [{ side: 'virtual', kind: podsByConfigMap.kind }],
  indexes: [podsByConfigMap],
  wanted: (configMap, view) =>
    configMap.metadata.annotations?.[annotationKeys.forceSync] === 'true' ||
    view.virtual.findIndexed(podsByConfigMap, keyText(keyOf(configMap))) !== undefined,
  toHost: (configMap, view) => ({
    is: 'object',
    object: onHost(configMap, ConfigMap, view, pick(configMap, content)),
  }),
  mustReplace: (host, desired) => isFrozen(host, desired, content),
  merge: (host, desired) => ({
    ...omit(host, content),
    ...pick(desired, content),
    metadata: mergeMetadata(host.metadata, desired.metadata),
  }),
});
