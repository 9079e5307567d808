/**
 * Makes a Resource out of what a kind says of itself: observe both sides, look the step up in the lifecycle table, turn it into
 * actions. Pure. The same code decides for every kind that the virtual side owns.
 */
import type { Action, Plan } from '../model/action.ts';
import { nothingToDo } from '../model/action.ts';
import { kindText } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import { virtualOwns } from '../model/lifecycle.ts';
import type { HostSide, Step, VirtualSide } from '../model/lifecycle.ts';
import { isDeleting, keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { Change, PolicyRule, Resource, ToHost } from '../model/resource.ts';
import { keyText, parseKey } from '../model/side.ts';
import type { Host, Key, Virtual } from '../model/side.ts';
import type { View } from '../model/view.ts';
import { mergePatch } from '../translate/equality.ts';
import { incarnationOf, originOf } from '../translate/metadata.ts';
import { hostName } from '../translate/names.ts';

/** How long to wait before looking again at a host object that is in the way and not ours; its removal is watched too. */
const conflictAgainMs = 60_000;

interface Seen<T extends KubeObject> {
  readonly key: Key<'virtual'>;
  readonly hostKey: Key<'host'>;
  readonly virtual: Virtual<T> | undefined;
  readonly host: Host<T> | undefined;
  readonly virtualSide: VirtualSide;
  readonly hostSide: HostSide;
}

export function defineToHost<T extends KubeObject>(def: ToHost<T>): Resource {
  const lifecycle = def.lifecycle ?? virtualOwns;
  return {
    name: def.name ?? def.kind.plural,
    kind: def.kind,
    sources: [{ side: 'virtual', kind: def.kind }, { side: 'host', kind: def.kind }, ...(def.sources ?? [])],
    indexes: def.indexes ?? [],
    hostRules: [ruleOf(def.kind), ...(def.hostRules ?? [])],
    keysOf: (change, view) => keysOf(def, change, view),
    decide: (key, view, had) => {
      const virtualKey = parseKey<'virtual'>(key);
      const seen = observe(def, virtualKey, { view, had });
      if (seen.virtual !== undefined && def.ignores?.(seen.virtual) === true) return nothingToDo;
      const plan = act(def, lifecycle[seen.virtualSide][seen.hostSide], { seen, view });
      return { ...plan, remembers: remembers(seen, had) };
    },
    onRefusal: (key, message, view) => {
      const virtual = view.virtual.peek(def.kind, parseKey<'virtual'>(key));
      if (virtual === undefined) return [];
      const warning = warn(def, virtual, `Error syncing: ${inVirtualWords(message, key, view)}`);
      return [warning, ...(def.afterRefusal?.(virtual, message, view) ?? [])];
    },
  };
}

/** Which rights on the host a kind needs that is created, watched and removed there. */
function ruleOf(kind: Kind): PolicyRule {
  return {
    apiGroups: [kind.group],
    resources: [kind.plural],
    verbs: ['create', 'delete', 'get', 'list', 'patch', 'watch'],
  };
}

function keysOf<T extends KubeObject>(def: ToHost<T>, change: Change, view: View): readonly string[] {
  if (change.kind.plural !== def.kind.plural || change.kind.group !== def.kind.group) return [];
  if (change.side === 'virtual') return [keyText(keyOf(change.object))];
  const origin = originOf(change.object, def.kind, view.release);
  return origin === undefined ? [] : [keyText(origin)];
}

function observe<T extends KubeObject>(
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
  const origin = originOf(host, def.kind, view.release);
  if (origin === undefined || keyText(origin) !== keyText(key)) return 'foreign';
  const former = virtual !== undefined && incarnationOf(host) !== virtual.metadata.uid;
  if (isDeleting(host)) return former ? 'leaving' : 'deleting';
  return former ? 'stale' : 'live';
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
function remembers<T extends KubeObject>(
  { virtualSide, hostSide, host }: Seen<T>,
  had: string | undefined,
): string | undefined {
  if (host !== undefined && hostSide !== 'foreign') return incarnationOf(host);
  return virtualSide === 'absent' ? undefined : had;
}

interface Situation<T extends KubeObject> {
  readonly seen: Seen<T>;
  readonly view: View;
}

function act<T extends KubeObject>(def: ToHost<T>, step: Step, { seen, view }: Situation<T>): Plan {
  switch (step) {
    case 'nothing':
      return nothingToDo;
    case 'push':
      return push(def, { seen, view });
    case 'pushAndPull':
      return pushAndPull(def, { seen, view });
    case 'pull':
      return { actions: pull(def, { seen, view }) };
    case 'deleteHost':
      return { actions: deleteHost(def, seen) };
    case 'deleteVirtual':
      return { actions: deleteVirtual(def, seen) };
    case 'conflict':
      return conflict(def, seen);
    default:
      return step satisfies never;
  }
}

function push<T extends KubeObject>(def: ToHost<T>, { seen, view }: Situation<T>): Plan {
  if (seen.virtual === undefined) return nothingToDo;
  const translated = def.toHost(seen.virtual, view);
  switch (translated.is) {
    case 'object':
      return { actions: [createHost(def, translated.object)] };
    case 'waiting':
      return { actions: [], why: translated.why };
    case 'refused':
      return { actions: [warn(def, seen.virtual, translated.why)], why: translated.why };
    default:
      return translated satisfies never;
  }
}

function createHost<T extends KubeObject>(def: ToHost<T>, object: Host<T>): Action {
  const { otherwise } = def;
  return {
    do: 'create',
    side: 'host',
    kind: def.kind,
    object,
    ...(otherwise === undefined ? {} : { otherwise: (refused, message) => otherwise(refused as Host<T>, message) }),
  };
}

function pushAndPull<T extends KubeObject>(def: ToHost<T>, { seen, view }: Situation<T>): Plan {
  if (seen.virtual === undefined || seen.host === undefined) return nothingToDo;
  const pulled = pull(def, { seen, view });
  const translated = def.toHost(seen.virtual, view);
  if (translated.is === 'waiting') return { actions: pulled, why: translated.why };
  if (translated.is === 'refused') {
    return { actions: [...pulled, warn(def, seen.virtual, translated.why)], why: translated.why };
  }
  const update = updateOf(def, seen.host, def.merge(seen.host, translated.object));
  return { actions: update === undefined ? pulled : [update, ...pulled] };
}

/** Conditional on the state that was looked at, so that a change in between is looked at first (spec CORE-22). */
function updateOf<T extends KubeObject>(def: ToHost<T>, host: Host<T>, merged: Host<T>): Action | undefined {
  const patch = mergePatch(host, merged);
  if (patch === undefined) return undefined;
  const { uid, resourceVersion } = host.metadata;
  return {
    do: 'patch',
    side: 'host',
    kind: def.kind,
    key: keyOf(host),
    patch: { ...patch, metadata: { ...(patch as { metadata?: object }).metadata, uid, resourceVersion } },
  };
}

function pull<T extends KubeObject>(def: ToHost<T>, { seen, view }: Situation<T>): readonly Action[] {
  if (seen.virtual === undefined || seen.host === undefined) return [];
  return def.pull?.(seen.host, seen.virtual, view) ?? [];
}

function deleteHost<T extends KubeObject>(def: ToHost<T>, { key, virtual, host, hostKey }: Seen<T>): readonly Action[] {
  if (host === undefined) return [];
  const base = { do: 'delete', side: 'host', kind: def.kind, key: hostKey, uid: host.metadata.uid ?? '' } as const;
  // A virtual object that is there and not wanted was read; one that is not there may only be missing from the cache (OPS-15).
  if (virtual !== undefined) return [{ ...base, graceSeconds: def.hostGraceSeconds?.(virtual) }];
  return [{ ...base, onlyIfAbsent: { side: 'virtual', kind: def.kind, key, uid: incarnationOf(host) } }];
}

function deleteVirtual<T extends KubeObject>(def: ToHost<T>, { key, virtual, hostKey }: Seen<T>): readonly Action[] {
  if (virtual === undefined) return [];
  return [
    {
      do: 'delete',
      side: 'virtual',
      kind: def.kind,
      key,
      uid: virtual.metadata.uid ?? '',
      graceSeconds: 0,
      onlyIfAbsent: { side: 'host', kind: def.kind, key: hostKey },
    },
  ];
}

function conflict<T extends KubeObject>(def: ToHost<T>, { virtual }: Seen<T>): Plan {
  if (virtual === undefined) return nothingToDo;
  const why = `Another object on the host has the name that this ${def.kind.kind} would get, and does not belong to it. Give this ${def.kind.kind} another name.`;
  return {
    actions: [warn(def, virtual, why)],
    againInMs: conflictAgainMs,
    why: `host name taken: ${kindText(def.kind)}`,
  };
}

/** A server's message without the request line and with the tenant's names for the host's (I7). */
function inVirtualWords(message: string, key: string, { release }: View): string {
  const { name, namespace } = parseKey<'virtual'>(key);
  return message
    .replace(/^[A-Z]+ \/\S+: /, '')
    .replaceAll(hostName(name, namespace, release), name)
    .replaceAll(release.namespace, namespace);
}

function warn<T extends KubeObject>(def: ToHost<T>, virtual: Virtual<T>, message: string): Action {
  return { do: 'warn', kind: def.kind, object: virtual, reason: 'SyncError', message };
}
