/**
 * Events about synced objects, from the host to the tenant (spec EV-01…EV-08): under the tenant's names, never with another
 * object's. Keys are those of the host events. What was shown once is not shown again after a restart.
 */
import type { Action, Plan } from '../model/action.ts';
import { nothingToDo } from '../model/action.ts';
import { events as EventKind, namespaces } from '../model/kubernetes.ts';
import type { Event } from '../model/kubernetes.ts';
import type { Kind } from '../model/kind.ts';
import { isDeleting, keyOf } from '../model/object.ts';
import type { KubeObject } from '../model/object.ts';
import type { Change, Resource } from '../model/resource.ts';
import { keyText, parseKey } from '../model/side.ts';
import type { Host, Virtual } from '../model/side.ts';
import type { Release, View } from '../model/view.ts';
import { omit } from '../translate/fields.ts';
import { incarnationOf, originOf } from '../translate/metadata.ts';

/** Events about objects of these kinds, which have a copy on the host each. */
export function eventsAbout(followed: readonly Kind[]): Resource {
  const bySide = followed.flatMap((kind) => [
    { side: 'host' as const, kind },
    { side: 'virtual' as const, kind },
  ]);
  return {
    name: 'events',
    kind: EventKind,
    sources: [
      { side: 'host', kind: EventKind },
      { side: 'virtual', kind: EventKind, keep: onlyCounts },
      { side: 'virtual', kind: namespaces },
      ...bySide,
    ],
    indexes: [],
    hostRules: [{ apiGroups: [''], resources: ['events'], verbs: ['list', 'watch'] }],
    keysOf: ({ side, kind, object }: Change) =>
      side === 'host' && kind.plural === EventKind.plural ? [keyText(keyOf(object))] : [],
    decide: (key, view, had) => decide(key, { view, followed }, had),
  };
}

interface Sight {
  readonly view: View;
  readonly followed: readonly Kind[];
}

/** A tenant's own events are never read: of all of them only what tells a repetition from news is kept. */
function onlyCounts(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion } = object.metadata;
  const { count, series, involvedObject } = object as Event;
  const kept = {
    metadata: { name, namespace, uid, resourceVersion },
    involvedObject: { uid: involvedObject?.uid },
    count,
    series,
  };
  return JSON.parse(JSON.stringify(kept)) as KubeObject;
}

function decide(key: string, { view, followed }: Sight, had: string | undefined): Plan {
  const host = view.host.peek(EventKind, parseKey<'host'>(key));
  if (host === undefined) return nothingToDo;
  const state = `${host.metadata.uid} ${repetitions(host)}`;
  // Told: whatever becomes of its subject, and should it expire or be deleted by the tenant, it is not told again.
  if (had === state) return { actions: [], remembers: state };
  const subject = subjectOf(host, { view, followed });
  if (subject === undefined) return { actions: [], remembers: had };
  const wanted = translated(host, subject, view.release);
  const present = view.virtual.peek(EventKind, keyOf(wanted as Virtual<Event>));
  if (present !== undefined && repetitions(present) >= repetitions(host)) return { actions: [], remembers: state };
  const telling: Action =
    present === undefined ? { do: 'create', side: 'virtual', kind: EventKind, object: wanted } : recount(present, host);
  return { actions: [telling], remembers: had, remembersWhenDone: state };
}

interface Subject {
  readonly host: Host<KubeObject>;
  readonly virtual: Virtual<KubeObject>;
}

/** The synced object that an event is about, on both sides and of the same incarnation (EV-03, EV-06). */
function subjectOf(event: Host<Event>, { view, followed }: Sight): Subject | undefined {
  const kind = followed.find((candidate) => candidate.kind === event.involvedObject.kind);
  const host = kind === undefined ? undefined : hostObjectOf(event, kind, view);
  if (kind === undefined || host === undefined) return undefined;
  const origin = originOf(host, kind, view.release);
  const virtual = origin === undefined ? undefined : view.virtual.get(kind, origin);
  if (virtual === undefined || virtual.metadata.uid !== incarnationOf(host)) return undefined;
  const namespace = view.virtual.get(namespaces, { namespace: '', name: virtual.metadata.namespace ?? '' });
  return namespace === undefined || isDeleting(namespace) ? undefined : { host, virtual };
}

function hostObjectOf({ involvedObject }: Host<Event>, kind: Kind, view: View): Host<KubeObject> | undefined {
  const { name, uid } = involvedObject;
  const host = name === undefined ? undefined : view.host.get(kind, { namespace: view.release.namespace, name });
  return uid === undefined || host?.metadata.uid === uid ? host : undefined;
}

function translated(event: Host<Event>, { host, virtual }: Subject, release: Release): Event {
  const { name, namespace = '', uid, resourceVersion } = virtual.metadata;
  const suffix = event.metadata.name.startsWith(host.metadata.name)
    ? event.metadata.name.slice(host.metadata.name.length)
    : `.${event.metadata.uid ?? ''}`;
  const { related: _related, ...rest } = omit(event, ['apiVersion', 'kind', 'metadata']) as Omit<Event, 'metadata'>;
  return {
    ...rest,
    metadata: { name: `${name}${suffix}`.slice(-253), namespace },
    involvedObject: { ...event.involvedObject, name, namespace, ...definedOnly({ uid, resourceVersion }) },
    message: inVirtualWords(event.message ?? '', { host, virtual }, release),
  };
}

/**
 * Host names in messages become the tenant's (EV-04), those of other objects of its namespace too, such as a Secret that cannot
 * be mounted; the host namespace is nobody's business (EV-07).
 */
function inVirtualWords(message: string, { host, virtual }: Subject, release: Release): string {
  const { name, namespace = '' } = virtual.metadata;
  const { name: hostName, namespace: hostNamespace = '' } = host.metadata;
  return message
    .replaceAll(`${hostNamespace}/${hostName}`, `${namespace}/${name}`)
    .replaceAll(`${hostName}_${hostNamespace}`, `${name}_${namespace}`)
    .replaceAll(hostName, name)
    .replaceAll(`-x-${namespace}-x-${release.name}`, '')
    .replaceAll(`${hostNamespace}/`, `${namespace}/`)
    .replaceAll(`"${hostNamespace}"`, `"${namespace}"`);
}

function definedOnly(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function repetitions({ count: single, series }: Event): number {
  return series?.count ?? single ?? 1;
}

function recount(present: Virtual<Event>, { count: single, series, lastTimestamp }: Host<Event>): Action {
  const patch = JSON.parse(JSON.stringify({ count: single, series, lastTimestamp })) as object;
  return { do: 'patch', side: 'virtual', kind: EventKind, key: keyOf(present), patch };
}
