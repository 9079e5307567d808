/** Secrets: copied while a pod uses them, like config maps. Host secrets that are not copies are never kept in memory (CS-16). */
import { secrets as Secret } from '../model/kubernetes.ts';
import type { Secret as SecretObject } from '../model/kubernetes.ts';
import { recreates } from '../model/lifecycle.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { Resource } from '../model/resource.ts';
import { keyText } from '../model/side.ts';
import { omit, pick } from '../translate/fields.ts';
import { labelKeys } from '../translate/labels.ts';
import { annotationKeys, onHost } from '../translate/metadata.ts';
import { mergeMetadata } from '../translate/three-way.ts';
import { defineToHost } from './define.ts';
import { isFrozen } from './frozen.ts';
import { podsBySecret } from './pods/references.ts';
import { tokenSecretLabel } from './pods/tokens.ts';

const content = ['data', 'immutable'] as const;

/** Types that a host controller would act on; as plain data the content is the same (CS-06, CS-09). */
const actedOnByHost = new Set([
  'kubernetes.io/service-account-token',
  'bootstrap.kubernetes.io/token',
  'helm.sh/release.v1',
]);

export const secrets: Resource = defineToHost<SecretObject>({
  kind: Secret,
  lifecycle: recreates,
  sources: [
    { side: 'virtual', kind: podsBySecret.kind },
    { side: 'host', kind: Secret, keep: withoutForeignData },
  ],
  indexes: [podsBySecret],
  wanted: (secret, view) =>
    secret.metadata.annotations?.[annotationKeys.forceSync] === 'true' ||
    view.virtual.findIndexed(podsBySecret, keyText(keyOf(secret))) !== undefined,
  toHost: (secret, view) => ({
    is: 'object',
    object: onHost(secret, Secret, view, { ...pick(secret, content), type: hostType(secret.type) }),
  }),
  mustReplace: (host, desired) => isFrozen(host, desired, content),
  merge: (host, desired) => ({
    ...omit(host, content),
    ...pick(desired, content),
    metadata: mergeMetadata(host.metadata, desired.metadata),
  }),
});

function hostType(type = 'Opaque'): string {
  return actedOnByHost.has(type) ? 'Opaque' : type;
}

/** The control plane's keys, the kubeconfig and other people's secrets pass by; only their names are kept. */
function withoutForeignData(object: KubeObject): KubeObject {
  const { labels = {} } = object.metadata;
  if (labels[labelKeys.managedBy] === undefined) return omit(object as SecretObject, ['data']);
  return labels[tokenSecretLabel] === 'true' ? withoutValues(object) : object;
}

/** Which tokens there are is all that is ever asked; they are the largest part of what is kept for a pod beside the pod. */
function withoutValues(secret: SecretObject): SecretObject {
  return { ...secret, data: Object.fromEntries(Object.keys(secret.data ?? {}).map((key) => [key, ''])) };
}
