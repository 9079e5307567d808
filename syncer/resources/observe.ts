/** What a plan starts from: the two sides of one key as the caches show them, and which row and column of the lifecycle table that is. */
import { isDeleting } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { HostSide, VirtualSide } from '../model/lifecycle.ts';
import type { Survey, ToHost } from '../model/resource.ts';
import { keyText } from '../model/side.ts';
import type { Host, Key, Virtual } from '../model/side.ts';
import type { Release, View } from '../model/view.ts';
import { labelKeys } from '../translate/labels.ts';
import { annotationKeys, incarnationOf, originOf } from '../translate/metadata.ts';
import { hostName } from '../translate/names.ts';

export interface Seen<T extends KubeObject> {
  readonly key: Key<'virtual'>;
  readonly hostKey: Key<'host'>;
  readonly virtual: Virtual<T> | undefined;
  readonly host: Host<T> | undefined;
  readonly virtualSide: VirtualSide;
  readonly hostSide: HostSide;
  /** The virtual object that the host object is for was there when this process last looked, and is no more. */
  readonly vanished: boolean;
}

/** What a first pass would find of one kind (OPS-08). */
export function survey<T extends KubeObject>(def: ToHost<T>, view: View): Survey {
  let [objects, orphans] = [0, 0];
  const versions: string[] = [];
  for (const host of view.host.list(def.kind, view.release.namespace)) {
    const origin = isDeleting(host) ? undefined : originOf(host, def.kind, view.release);
    if (origin === undefined) continue;
    objects++;
    if (view.virtual.get(def.kind, origin) === undefined) orphans++;
    const version = host.metadata.annotations?.[annotationKeys.version];
    if (version !== undefined) versions.push(version);
  }
  return { objects, orphans, versions };
}

/** Both sides of one key, classified for the lifecycle table. */
export function observe<T extends KubeObject>(
  def: ToHost<T>,
  key: Key<'virtual'>,
  { view, had }: { view: View; had: string | undefined },
): Seen<T> {
  const hostKey: Key<'host'> = {
    namespace: view.release.namespace,
    name: hostName(key.name, key.namespace, view.release),
  };
  // Changes of both bring this key by themselves (keysOf); only a stranger with the host name must be watched for.
  const virtual = view.virtual.peek(def.kind, key);
  const ours = view.host.peek(def.kind, hostKey);
  const isOurs = ours !== undefined && isOf(originOf(ours, def.kind, view.release), key);
  const host = isOurs ? ours : view.host.get(def.kind, hostKey);
  return {
    key,
    hostKey,
    virtual,
    host,
    virtualSide: virtualSideOf(def, virtual, view),
    hostSide: hostSideOf(def, { key, virtual, host, view, had }),
    vanished: host !== undefined && had === incarnationOf(host) && had !== virtual?.metadata.uid,
  };
}

function virtualSideOf<T extends KubeObject>(def: ToHost<T>, virtual: Virtual<T> | undefined, view: View): VirtualSide {
  if (virtual === undefined) return 'absent';
  if (isDeleting(virtual)) return 'deleting';
  return def.wanted === undefined || def.wanted(virtual, view) ? 'live' : 'absent';
}

interface HostSight<T extends KubeObject> {
  readonly key: Key<'virtual'>;
  readonly virtual: Virtual<T> | undefined;
  readonly host: Host<T> | undefined;
  readonly view: View;
  readonly had: string | undefined;
}

function hostSideOf<T extends KubeObject>(def: ToHost<T>, { key, virtual, host, view, had }: HostSight<T>): HostSide {
  if (host === undefined) return hasHad(def, virtual, had) ? 'gone' : 'unseen';
  if (isEntrusted(host)) return 'entrusted';
  const origin = originOf(host, def.kind, view.release);
  if (!isOf(origin, key) && !isDisfigured(host, virtual)) return 'foreign';
  const former = virtual !== undefined && incarnationOf(host) !== virtual.metadata.uid;
  if (isDeleting(host)) return former ? 'leaving' : 'deleting';
  return former ? 'stale' : 'live';
}

/** Another controller on the host has taken it over (CORE-09); a tenant cannot set this label there (LAB-01). */
function isEntrusted({ metadata }: KubeObject): boolean {
  return metadata.labels?.[labelKeys.controlledBy] !== undefined;
}

function isOf(origin: Key<'virtual'> | undefined, key: Key<'virtual'>): boolean {
  return origin !== undefined && keyText(origin) === keyText(key);
}

/**
 * Ours, with some other mark of it changed or taken away by somebody on the host: it lies where only this virtual object's copy
 * can lie and names its UID, which nobody else knows. What is wrong is put right (F69, F75).
 */
function isDisfigured(host: Host<KubeObject>, virtual: Virtual<KubeObject> | undefined): boolean {
  return virtual?.metadata.uid !== undefined && incarnationOf(host) === virtual.metadata.uid;
}

function hasHad<T extends KubeObject>(
  def: ToHost<T>,
  virtual: Virtual<T> | undefined,
  had: string | undefined,
): boolean {
  return virtual !== undefined && (had === virtual.metadata.uid || def.mustHaveHad?.(virtual) === true);
}

/**
 * Which incarnation has had a host object, so that its disappearance can be told from never having been (CORE-26). Kept while
 * the virtual object lives; a former incarnation's disappearance says nothing about this one (SVC-12).
 */
export function remembers<T extends KubeObject>(
  { virtualSide, hostSide, virtual, host, vanished }: Seen<T>,
  { had, release }: { readonly had: string | undefined; readonly release: Release },
): string | undefined {
  if (vanished) return had;
  // An orphan that was found: whose it was, this process has never seen.
  if (virtual === undefined) return undefined;
  if (host !== undefined && hostSide !== 'foreign') return isOwned(host, release) ? incarnationOf(host) : undefined;
  return virtualSide === 'absent' ? undefined : had;
}

/** What has another Service for an owner may be collected at any moment: that it goes is then nobody's wish (NAM-35). */
function isOwned({ metadata }: KubeObject, { service }: Release): boolean {
  return (metadata.ownerReferences ?? []).some(({ uid }) => uid === service.uid);
}
