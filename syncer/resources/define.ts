/**
 * Makes a Resource out of what a kind says of itself: observe both sides, look the step up in the lifecycle table, turn it into
 * actions. Pure. The same code decides for every kind that the virtual side owns.
 */
import type { Action, Plan } from '../model/action.ts';
import { nothingToDo } from '../model/action.ts';
import { kindText } from '../model/kind.ts';
import type { Kind } from '../model/kind.ts';
import { virtualOwns } from '../model/lifecycle.ts';
import type { Step } from '../model/lifecycle.ts';
import { isDeleting, keyOf } from '../model/object.ts';
import type { KubeObject, Metadata } from '../model/object.ts';
import type { Change, PolicyRule, Resource, ToHost } from '../model/resource.ts';
import { keyText, parseKey } from '../model/side.ts';
import type { Host, Virtual } from '../model/side.ts';
import type { View } from '../model/view.ts';
import { mergePatch } from '../translate/equality.ts';
import { annotationKeys, incarnationOf, originOf } from '../translate/metadata.ts';
import { inVirtualWords } from './refusal-words.ts';
import { pullMetadata } from '../translate/three-way.ts';
import { observe, remembers, survey } from './observe.ts';
import type { Seen } from './observe.ts';

/** How long to wait before looking again at a host object that is in the way and not ours; its removal is watched too. */
const conflictAgainMs = 60_000;

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
      return { ...plan, remembers: remembers(seen, { had, release: view.release }) };
    },
    survey: (view) => survey(def, view),
    onRefusal: (key, message, view) => {
      const virtual = view.virtual.peek(def.kind, parseKey<'virtual'>(key));
      if (virtual === undefined) return [];
      const warning = warn(
        def,
        virtual,
        `Error syncing: ${inVirtualWords(message, parseKey<'virtual'>(key), view.release)}`,
      );
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
  // An object that says no more whose it is concerns the one that it was of (F69).
  const origin = [change.object, change.before]
    .map((seen) => seen && originOf(seen, def.kind, view.release))
    .find(Boolean);
  return origin === undefined ? [] : [keyText(origin)];
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
      return { actions: deleteVirtual(def, seen, view) };
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
      return {
        actions: [createHost(def, translated.object), ...cautions(def, seen.virtual, translated.warnings ?? [])],
        remembersWhenDone: seen.virtual.metadata.uid,
      };
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
    ...(def.isFollowed === true && { isLast: true }),
    ...(otherwise === undefined ? {} : { otherwise: (refused, message) => otherwise(refused as Host<T>, message) }),
  };
}

/** The virtual side is written first, so that a crash in between leaves the base as it was and the rest is done again (CORE-21). */
function pushAndPull<T extends KubeObject>(def: ToHost<T>, { seen, view }: Situation<T>): Plan {
  const { virtual, host } = seen;
  if (virtual === undefined || host === undefined) return nothingToDo;
  const pulled = pull(def, { seen, view });
  const translated = def.toHost(virtual, view);
  if (translated.is === 'waiting') return { actions: pulled, why: translated.why };
  if (translated.is === 'refused')
    return { actions: [...pulled, warn(def, virtual, translated.why)], why: translated.why };
  if (def.mustReplace?.(host, translated.object) === true) return { actions: [...pulled, ...deleteHost(def, seen)] };
  const shared = sharedMetadata(def, { virtual, host, desired: translated.object });
  const update = updateOf(def, host, translated.object);
  // The version is used up by the first write, and its answer brings the key again.
  if (pulled.length > 0 && shared.length > 0) return { actions: [...pulled, ...update] };
  return { actions: withLast([...pulled, ...shared, ...update]) };
}

/** A status that is all there is to write comes back as it was sent. */
function withLast(actions: readonly Action[]): readonly Action[] {
  const [action, ...others] = actions;
  const isStatus = action?.do === 'patch' && action.side === 'virtual' && action.subresource === 'status';
  return isStatus && others.length === 0 ? [{ ...action, isLast: true }] : actions;
}

interface Both<T extends KubeObject> {
  readonly virtual: Virtual<T>;
  readonly host: Host<T>;
  readonly desired: Host<T>;
}

/** Labels and annotations that were changed on the host and not by the tenant (ANN-03, LAB-08). */
function sharedMetadata<T extends KubeObject>(def: ToHost<T>, { virtual, host, desired }: Both<T>): readonly Action[] {
  const changes = pullMetadata(host.metadata, desired.metadata, virtual.metadata);
  if (changes === undefined) return [];
  const { uid, resourceVersion } = virtual.metadata;
  const patch = { metadata: { ...changes, uid, resourceVersion } };
  return [{ do: 'patch', side: 'virtual', kind: def.kind, key: keyOf(virtual), patch }];
}

/** Conditional on the state that was looked at, so that a change in between is looked at first (spec CORE-22). */
function updateOf<T extends KubeObject>(def: ToHost<T>, host: Host<T>, desired: Host<T>): readonly Action[] {
  const patch: { readonly metadata?: Partial<Metadata> } | undefined = mergePatch(host, def.merge(host, desired));
  if (patch === undefined) return [];
  const { uid, resourceVersion } = host.metadata;
  const version = desired.metadata.annotations?.[annotationKeys.version];
  const stamp = version && { annotations: { ...patch.metadata?.annotations, [annotationKeys.version]: version } };
  const metadata = { ...patch.metadata, ...stamp, uid, resourceVersion };
  return [{ do: 'patch', side: 'host', kind: def.kind, key: keyOf(host), patch: { ...patch, metadata } }];
}

function pull<T extends KubeObject>(def: ToHost<T>, { seen, view }: Situation<T>): readonly Action[] {
  if (seen.virtual === undefined || seen.host === undefined) return [];
  return def.pull?.(seen.host, seen.virtual, view) ?? [];
}

function deleteHost<T extends KubeObject>(def: ToHost<T>, seen: Seen<T>): readonly Action[] {
  const { virtual, host, hostKey } = seen;
  if (host === undefined) return [];
  const { uid = '' } = host.metadata;
  // Its end is told by the watch.
  const base = { do: 'delete', side: 'host', kind: def.kind, key: hostKey, uid, isLast: true } as const;
  const incarnation = incarnationOf(host);
  // The virtual object that it was made for is there, on its way out or not wanted any more: no doubt about it. Nor is there about
  // one that does not say what it was made for: it has to be replaced.
  if (incarnation === undefined || virtual?.metadata.uid === incarnation)
    return [{ ...base, graceSeconds: virtual && def.hostGraceSeconds?.(virtual) }];
  return deleteOrphan(def, seen, { ...base, incarnation });
}

/** Its virtual object may only be missing from the cache (OPS-15), or from a store that was replaced (OPS-08). */
function deleteOrphan<T extends KubeObject>(
  def: ToHost<T>,
  { key, host, vanished }: Seen<T>,
  { incarnation, ...base }: Extract<Action, { do: 'delete' }> & { readonly incarnation: string },
): readonly Action[] {
  const graceSeconds = vanished ? def.vanishedGraceSeconds : undefined;
  const isShorter = (graceSeconds ?? Infinity) < (host?.metadata.deletionGracePeriodSeconds ?? 0);
  if (host !== undefined && isDeleting(host) && !isShorter) return [];
  return [{ ...base, graceSeconds, onlyIfAbsent: { side: 'virtual', kind: def.kind, key, uid: incarnation } }];
}

function deleteVirtual<T extends KubeObject>(
  def: ToHost<T>,
  { key, virtual, hostKey }: Seen<T>,
  { release }: View,
): readonly Action[] {
  if (virtual === undefined) return [];
  return [
    {
      do: 'delete',
      side: 'virtual',
      kind: def.kind,
      key,
      uid: virtual.metadata.uid ?? '',
      graceSeconds: 0,
      onlyIfAbsent: { side: 'host', kind: def.kind, key: hostKey, ownerUid: release.service.uid },
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

function warn<T extends KubeObject>(def: ToHost<T>, virtual: Virtual<T>, message: string): Action {
  return { do: 'warn', kind: def.kind, object: virtual, reason: 'SyncError', message };
}

/** What was left out of an object that was created all the same. */
function cautions<T extends KubeObject>(
  def: ToHost<T>,
  virtual: Virtual<T>,
  warnings: readonly string[],
): readonly Action[] {
  return warnings.map((message) => ({
    do: 'warn',
    kind: def.kind,
    object: virtual,
    reason: 'SyncWarning',
    message,
  }));
}
