/** What a plan starts from: the two sides of one key as the caches show them, and which row and column of the lifecycle table that is. */
import { isDeleting } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { HostSide, VirtualSide } from '../model/lifecycle.ts';
import type { Survey, ToHost } from '../model/resource.ts';
import { keyText } from '../model/side.ts';
import type { Host, Key, Virtual } from '../model/side.ts';
import type { View } from '../model/view.ts';
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
  const virtual = view.virtual.get(def.kind, key);
  const host = view.host.get(def.kind, hostKey);
  return {
    key,
    hostKey,
    virtual,
    host,
    virtualSide: virtualSideOf(def, virtual, view),
    hostSide: hostSideOf(def, { key, virtual, host, view, had }),
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
  if (origin === undefined || keyText(origin) !== keyText(key)) return 'foreign';
  const former = virtual !== undefined && incarnationOf(host) !== virtual.metadata.uid;
  if (isDeleting(host)) return former ? 'leaving' : 'deleting';
  return former ? 'stale' : 'live';
}

/** Another controller on the host has taken it over (CORE-09); a tenant cannot set this label there (LAB-01). */
function isEntrusted({ metadata }: KubeObject): boolean {
  return metadata.labels?.[labelKeys.controlledBy] !== undefined;
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
  { virtualSide, hostSide, host }: Seen<T>,
  had: string | undefined,
): string | undefined {
  if (host !== undefined && hostSide !== 'foreign') return incarnationOf(host);
  return virtualSide === 'absent' ? undefined : had;
}
