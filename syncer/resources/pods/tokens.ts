/**
 * Service-account tokens of pods. The virtual API server issues them, bound to the virtual pod; they live in one host Secret for
 * each host pod, owned by it, and are renewed long before they end (design decision D12). Never in annotations (POD-117).
 *
 * The Secret has a name that no tenant's object can get (host names contain `-x-` or end in a digest after 52 characters), and no
 * origin annotation, so the `secrets` resource does not take it for a copy of a tenant's Secret (POD-115).
 */
import type { Action, Plan, TokenRequest } from '../../model/action.ts';
import { nothingToDo } from '../../model/action.ts';
import { pods, secrets } from '../../model/kubernetes.ts';
import type { Pod, Secret } from '../../model/kubernetes.ts';
import { isDeleting, keyOf } from '../../model/object.ts';
import type { KubeObject, Metadata, StringMap } from '../../model/object.ts';
import type { Change, Resource } from '../../model/resource.ts';
import { keyText, parseKey } from '../../model/side.ts';
import type { Host, Key, Virtual } from '../../model/side.ts';
import type { Release, View } from '../../model/view.ts';
import { podScope } from '../../translate/labels.ts';
import { labelKeys, incarnationOf, originOf } from '../../translate/metadata.ts';
import { hostName } from '../../translate/names.ts';
import { isJson } from './rewriting.ts';
import { sourcesOf, tokenDataKey } from './volumes.ts';

export const tokenSecretLabel = 'vcluster.loft.sh/token-secret';

const tokenAnnotations = {
  pod: 'vcluster.loft.sh/token-pod',
  podUid: 'vcluster.loft.sh/token-pod-uid',
  issuedAt: 'vcluster.loft.sh/token-issued-at',
  expiresAt: 'vcluster.loft.sh/token-expires-at',
} as const;

/** What the virtual API server's admission asks for in the volume that it adds to every pod; it means "the default". */
const defaultMountSeconds = 3607;
const defaultVolumePrefix = 'kube-api-access-';
const defaultLifetimeSeconds = 24 * 3600;
/** What the API sets where a volume asks for nothing, and the least that it accepts. */
const unsetLifetimeSeconds = 3600;
const lifetimeSecondsMin = 600;
const renewAfter = 0.8;
/** Between the clocks of two nodes that a syncer has run on. */
const clockSkewMs = 60_000;

export interface TokenSource {
  readonly volumeName: string;
  readonly path: string;
  /** Whom the token is for; the virtual API server itself, when absent. */
  readonly audience?: string;
  readonly expirationSeconds: number;
  /** Key of the token in the data of the Secret. */
  readonly dataKey: string;
}

/** The tokens that a pod's volumes ask for. */
export function tokenSources(pod: Virtual<Pod>): readonly TokenSource[] {
  return (pod.spec.volumes ?? []).flatMap((volume) =>
    sourcesOf(volume).flatMap((source, index) => {
      const { serviceAccountToken: token } = source;
      if (!isJson(token)) return [];
      const { audience, path, expirationSeconds } = token;
      return [
        {
          volumeName: volume.name,
          path: typeof path === 'string' ? path : '',
          ...(typeof audience === 'string' && audience !== '' && { audience }),
          expirationSeconds: lifetimeOf(volume.name, expirationSeconds),
          dataKey: tokenDataKey(volume.name, index),
        },
      ];
    }),
  );
}

/** Another incarnation of a pod has another Secret (POD-116). */
export function tokenSecretName(pod: Virtual<Pod>): string {
  return `vc-token-${pod.metadata.uid ?? ''}`;
}

export const tokens: Resource = {
  name: 'tokens',
  kind: pods,
  sources: [
    { side: 'virtual', kind: pods },
    { side: 'host', kind: pods },
    { side: 'host', kind: secrets },
  ],
  indexes: [],
  // Deletion is left to the host's garbage collector: each Secret is owned by its pod.
  hostRules: [{ apiGroups: [''], resources: ['secrets'], verbs: ['get', 'list', 'watch', 'create', 'update'] }],
  keysOf,
  decide,
};

function keysOf(change: Change, view: View): readonly string[] {
  const { side, kind, object, before } = change;
  if (kind.plural === secrets.plural) return side === 'host' ? podOfSecret(change, view) : [];
  if (kind.plural !== pods.plural || (before !== undefined && isSameHere(before, object))) return [];
  const pod = side === 'virtual' ? (object as Virtual<Pod>) : originalOf(object, view);
  return pod !== undefined && wantsTokens(pod) ? [keyText(keyOf(pod))] : [];
}

function podOfSecret({ object, before }: Change, { release }: View): readonly string[] {
  const secret = [object, before].find((seen) => seen && isTokenSecret(seen.metadata, release));
  const pod = secret?.metadata.annotations?.[tokenAnnotations.pod];
  return pod === undefined ? [] : [pod];
}

/** Which tokens a pod has never changes, nor does its status matter. */
function isSameHere(before: KubeObject, after: KubeObject): boolean {
  return before.metadata.uid === after.metadata.uid && isDeleting(before) === isDeleting(after);
}

function originalOf(host: Host<KubeObject>, view: View): Virtual<Pod> | undefined {
  const origin = originOf(host, pods, view.release);
  return origin && view.virtual.peek(pods, origin);
}

function wantsTokens(pod: Virtual<Pod>): boolean {
  return tokenSources(pod).length > 0;
}

function decide(key: string, view: View): Plan {
  const { namespace, name } = parseKey<'virtual'>(key);
  const virtual = view.virtual.peek(pods, { namespace, name });
  if (virtual === undefined || isDeleting(virtual)) return nothingToDo;
  const sources = tokenSources(virtual);
  if (sources.length === 0) return nothingToDo;
  const host = view.host.peek(pods, {
    namespace: view.release.namespace,
    name: hostName(name, namespace, view.release),
  });
  if (host === undefined || !isOwnPod(host, virtual, view.release)) return { actions: [], why: 'no host pod yet' };
  const stored = view.host.get(secrets, { namespace: view.release.namespace, name: tokenSecretName(virtual) });
  if (stored !== undefined && !isTokenSecret(stored.metadata, view.release)) {
    return { actions: [], why: `Secret ${stored.metadata.name} belongs to somebody else` };
  }
  return keepFresh({ virtual, host, stored, sources }, view);
}

interface Situation {
  readonly virtual: Virtual<Pod>;
  readonly host: Host<Pod>;
  readonly stored: Host<Secret> | undefined;
  readonly sources: readonly TokenSource[];
}

/** Issues when there is nothing usable or the tokens have grown old; otherwise says when they will have. */
function keepFresh(situation: Situation, view: View): Plan {
  const { stored } = situation;
  const renewalMs =
    stored !== undefined && isUsable(stored, situation) ? renewalTimeMs(stored.metadata, view.nowMs) : 0;
  if (renewalMs > view.nowMs) return { actions: [], againInMs: renewalMs - view.nowMs };
  // The answer comes back as a change of the Secret, which queues this key and sets the next renewal.
  return { actions: [issue(situation, view)] };
}

function issue({ virtual, host, stored, sources }: Situation, view: View): Action {
  const { uid: podUid = '', name, namespace = '' } = virtual.metadata;
  const serviceAccount: Key<'virtual'> = { namespace, name: serviceAccountOf(virtual) };
  const requests: readonly TokenRequest[] = sources.map(({ dataKey, audience, expirationSeconds }) => ({
    dataKey,
    serviceAccount,
    // Without any, the virtual API server puts its own in: always those that it accepts.
    audiences: audience === undefined ? [] : [audience],
    expirationSeconds,
    pod: { name, uid: podUid },
  }));
  const lifetimeMs = Math.min(...sources.map(({ expirationSeconds }) => expirationSeconds)) * 1000;
  const annotations = {
    [tokenAnnotations.pod]: keyText({ namespace, name }),
    [tokenAnnotations.podUid]: podUid,
    [tokenAnnotations.issuedAt]: new Date(view.nowMs).toISOString(),
    [tokenAnnotations.expiresAt]: new Date(view.nowMs + lifetimeMs).toISOString(),
  };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: secretMetadata(virtual, host, annotations, view.release),
  };
  const { resourceVersion } = stored?.metadata ?? {};
  return {
    do: 'issueTokens',
    secret,
    tokens: requests,
    ...(resourceVersion !== undefined && { existing: { resourceVersion } }),
  };
}

function secretMetadata(virtual: Virtual<Pod>, host: Host<Pod>, annotations: StringMap, release: Release): Metadata {
  const { namespace = '' } = virtual.metadata;
  const { name, uid = '' } = host.metadata;
  return {
    name: tokenSecretName(virtual),
    namespace: release.namespace,
    labels: { ...podScope(release, namespace), [tokenSecretLabel]: 'true' },
    annotations,
    ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name, uid, controller: true }],
  };
}

function isOwnPod(host: Host<Pod>, virtual: Virtual<Pod>, release: Release): boolean {
  return (
    !isDeleting(host) && originOf(host, pods, release) !== undefined && incarnationOf(host) === virtual.metadata.uid
  );
}

function isTokenSecret({ labels = {} }: Metadata, release: Release): boolean {
  return labels[tokenSecretLabel] === 'true' && labels[labelKeys.managedBy] === release.name;
}

/** Whether the Secret is of this very pair of pods and holds all that is asked for. */
function isUsable(stored: Host<Secret>, { virtual, host, sources }: Situation): boolean {
  const { annotations = {}, ownerReferences = [] } = stored.metadata;
  return (
    annotations[tokenAnnotations.podUid] === virtual.metadata.uid &&
    ownerReferences.some(({ uid }) => uid === host.metadata.uid) &&
    sources.every(({ dataKey }) => Object.hasOwn(stored.data ?? {}, dataKey))
  );
}

/** 0, so at once, when the Secret does not say, or says what cannot be. */
function renewalTimeMs({ annotations = {} }: Metadata, nowMs: number): number {
  const issuedMs = Date.parse(annotations[tokenAnnotations.issuedAt] ?? '');
  const expiresMs = Date.parse(annotations[tokenAnnotations.expiresAt] ?? '');
  const renewalMs = issuedMs + (expiresMs - issuedMs) * renewAfter;
  // Issued in the future: the clock was wrong then, and so is what it said of the end (F52).
  return Number.isNaN(renewalMs) || issuedMs > nowMs + clockSkewMs ? 0 : renewalMs;
}

function serviceAccountOf({ spec }: Virtual<Pod>): string {
  const { serviceAccountName = '' } = spec;
  return serviceAccountName === '' ? 'default' : serviceAccountName;
}

function lifetimeOf(volumeName: string, asked: unknown): number {
  if (typeof asked !== 'number') return unsetLifetimeSeconds;
  const byDefault = asked === defaultMountSeconds && volumeName.startsWith(defaultVolumePrefix);
  return byDefault ? defaultLifetimeSeconds : Math.max(asked, lifetimeSecondsMin);
}
