/**
 * Persistent volume claims: asked for in the virtual cluster, bound on the host, with the classes of the host under their own names
 * (spec PVC-01 to PVC-16). The volume's name, its class and everything about its state come back; volumes themselves stay unseen.
 *
 * A tenant never says which volume a claim gets: by its name or its labels it could be a volume of somebody else (PVC-16).
 */
import type { Action } from '../model/action.ts';
import type { Kind } from '../model/kind.ts';
import { keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { Resource, Translated } from '../model/resource.ts';
import type { Host, Virtual } from '../model/side.ts';
import type { View } from '../model/view.ts';
import { mergePatch } from '../translate/equality.ts';
import { omit, pick } from '../translate/fields.ts';
import { onHost } from '../translate/metadata.ts';
import { hostName } from '../translate/names.ts';
import { mergeMetadata } from '../translate/three-way.ts';
import { defineToHost } from './define.ts';
import { pullStatus } from './pull.ts';

interface Source {
  readonly apiGroup?: string | null;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
}

interface Spec {
  readonly volumeName?: string;
  readonly selector?: object;
  readonly storageClassName?: string;
  readonly volumeAttributesClassName?: string;
  readonly resources?: { readonly requests?: object };
  readonly dataSource?: Source;
  readonly dataSourceRef?: Source;
}

interface Claim extends KubeObject {
  readonly spec: Spec;
  readonly status?: { readonly phase?: string };
}

const claims: Kind<Claim> = {
  group: '',
  version: 'v1',
  plural: 'persistentvolumeclaims',
  kind: 'PersistentVolumeClaim',
  namespaced: true,
};

/** Written by the host's volume controllers, and never taken from a tenant: they would believe it (PVC-07). */
const hostAnnotations = [
  'pv.kubernetes.io/bind-completed',
  'pv.kubernetes.io/bound-by-controller',
  'volume.beta.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/storage-provisioner',
  'volume.kubernetes.io/selected-node',
];

const sources = ['dataSource', 'dataSourceRef'] as const;
const resizing = ['volumeAttributesClassName'] as const;

export const persistentVolumeClaims: Resource = defineToHost<Claim>({
  kind: claims,
  toHost,
  merge,
  pull,
  // Only the host binds claims, so one that is bound has been there (CORE-26).
  mustHaveHad: ({ status }) => (status?.phase ?? 'Pending') !== 'Pending',
});

function toHost(claim: Virtual<Claim>, view: View): Translated<Claim> {
  const { name, namespace = '', annotations = {} } = claim.metadata;
  const hostKey = { namespace: view.release.namespace, name: hostName(name, namespace, view.release) };
  // Later, the volume's name is the host's own choice, and the rest can no longer change.
  const why = view.host.get(claims, hostKey) === undefined ? refusalOf(claim.spec) : undefined;
  if (why !== undefined) return { is: 'refused', why };
  const own = omit<Readonly<Record<string, string>>, string>(annotations, hostAnnotations);
  const spec: Spec = {
    ...omit(claim.spec, ['volumeName', 'selector']),
    ...renamedSources(claim.spec, (source) => hostName(source, namespace, view.release)),
  };
  const known = { ...claim, metadata: { ...claim.metadata, annotations: own } };
  return { is: 'object', object: onHost<Claim>(known, claims, view, { spec }) };
}

/** Why a new claim cannot be one on the host (PVC-02, PVC-16). */
function refusalOf(spec: Spec): string | undefined {
  if ((spec.volumeName ?? '') !== '')
    return 'spec.volumeName cannot be set here: the host chooses the volume. Remove it, and name a storage class instead.';
  if (spec.selector !== undefined)
    return 'spec.selector cannot be set here: the host chooses the volume. Remove it, and name a storage class instead.';
  const refused = sources.find((field) => !isCopyable(spec[field]));
  return refused && `spec.${refused} can only name another PersistentVolumeClaim of the same namespace here.`;
}

function isCopyable(source: Source | undefined): boolean {
  if (source === undefined) return true;
  const { apiGroup, kind, namespace = '' } = source;
  return (apiGroup ?? '') === '' && kind === claims.kind && namespace === '';
}

function renamedSources(spec: Spec, rename: (name: string) => string): Partial<Spec> {
  return Object.fromEntries(
    sources.flatMap((field) => {
      const source = spec[field];
      return source === undefined ? [] : [[field, { ...source, name: rename(source.name) }]];
    }),
  );
}

/** Nothing else of a claim's spec can change (PVC-06, PVC-15). */
function merge(host: Host<Claim>, desired: Host<Claim>): Host<Claim> {
  const requests = desired.spec.resources?.requests;
  const spec = {
    ...host.spec,
    ...pick(desired.spec, resizing),
    ...(requests && { resources: { ...host.spec.resources, requests } }),
  };
  return { ...host, spec, metadata: mergeMetadata(host.metadata, desired.metadata) };
}

/** The spec first: a status that says "bound" is of a claim with a volume. Written, it brings the claim again. */
function pull(host: Host<Claim>, virtual: Virtual<Claim>): readonly Action[] {
  const binding = pullBinding(host, virtual);
  return binding.length > 0 ? binding : pullStatus(claims, virtual, host.status);
}

/** The volume that the host has chosen, and the class where the tenant left it open (PVC-04, PVC-08): both can be set once. */
function pullBinding(host: Host<Claim>, virtual: Virtual<Claim>): readonly Action[] {
  const chosen = {
    ...((virtual.spec.volumeName ?? '') === '' && pick(host.spec, ['volumeName'])),
    ...(virtual.spec.storageClassName === undefined && pick(host.spec, ['storageClassName'])),
  };
  const patch = mergePatch(virtual.spec, { ...virtual.spec, ...chosen });
  if (patch === undefined) return [];
  const { uid, resourceVersion } = virtual.metadata;
  const whole = { metadata: { uid, resourceVersion }, spec: patch };
  return [{ do: 'patch', side: 'virtual', kind: claims, key: keyOf(virtual), patch: whole }];
}
