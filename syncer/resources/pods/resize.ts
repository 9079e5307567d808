/**
 * In-place resize: what a tenant changes in the resources of a running container is changed on the host, and nothing else.
 *
 * A change is the difference to what was last applied, which an annotation of the host pod keeps. Never the difference to the
 * host pod itself: limit ranges and autoscalers of the host have their own say there, and would be fought for ever (POD-85).
 * The annotation is written after the resize, so that a crash in between repeats the resize and never forgets it.
 */
import type { Action } from '../../model/action.ts';
import { pods } from '../../model/kubernetes.ts';
import type { Container, Pod, PodSpec } from '../../model/kubernetes.ts';
import { isDeleting, keyOf } from '../../model/object.ts';
import type { StringMap } from '../../model/object.ts';
import type { Host, Virtual } from '../../model/side.ts';
import { equal, equalQuantity } from '../../translate/equality.ts';
import { isJson } from './rewriting.ts';
import type { Json } from './rewriting.ts';

/**
 * JSON: requests and limits of the virtual pod's containers, by name, as they were last applied. Absent: none had any. Only a
 * resize may renew it.
 */
export const appliedResources = 'vcluster.loft.sh/applied-resources';

const resizable = ['requests', 'limits'] as const;

/** What a new host pod notes of the resources that it is created with. */
export function resourceAnnotations(spec: PodSpec): StringMap {
  const text = appliedText(spec);
  return text === undefined ? {} : { [appliedResources]: text };
}

/** Brings changed resources to the host pod (POD-84) and notes them there. */
export function pushResize(host: Host<Pod>, virtual: Virtual<Pod>): readonly Action[] {
  if (isDeleting(host) || isDeleting(virtual)) return [];
  const before = appliedTo(host);
  const after = resourcesOf(virtual.spec);
  if (equal(before, after)) return [];
  const resized = (container: Container): Container =>
    withChanges(container, jsonAt(before, container.name), jsonAt(after, container.name));
  const { containers, initContainers } = host.spec;
  const next = {
    containers: containers.map(resized),
    ...(initContainers && { initContainers: initContainers.map(resized) }),
  };
  const isThere = equal(containers, next.containers) && equal(initContainers, next.initContainers);
  return [...(isThere ? [] : [resize(host, next)]), note(host, virtual)];
}

/** A merge patch replaces whole lists, so it must be of exactly the pod that was read. */
function resize(host: Host<Pod>, spec: Partial<PodSpec>): Action {
  const { uid, resourceVersion } = host.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec };
  return { do: 'patch', side: 'host', kind: pods, key: keyOf(host), patch, subresource: 'resize' };
}

/** Without the version, which the resize has just changed; nobody else writes this annotation. */
function note(host: Host<Pod>, virtual: Virtual<Pod>): Action {
  const annotations = { [appliedResources]: appliedText(virtual.spec) ?? null };
  const patch = { metadata: { uid: host.metadata.uid, annotations } };
  return { do: 'patch', side: 'host', kind: pods, key: keyOf(host), patch };
}

/** Resources with the tenant's changes made; whatever else the host has in them stays. */
function withChanges(container: Container, before: Json, after: Json): Container {
  if (equal(before, after)) return container;
  const resources = jsonAt(container, 'resources');
  const changes = resizable.map((field) => [
    field,
    withChangedValues(jsonAt(resources, field), jsonAt(before, field), jsonAt(after, field)),
  ]);
  return { ...container, resources: { ...resources, ...(Object.fromEntries(changes) as Json) } };
}

function withChangedValues(host: Json, before: Json, after: Json): Json {
  const removed = new Set(Object.keys(before).filter((name) => !Object.hasOwn(after, name)));
  const changed = Object.entries(after).filter(
    ([name, value]) => !sameQuantity(before[name], value) && !sameQuantity(host[name], value),
  );
  const kept = Object.entries(host).filter(([name]) => !removed.has(name));
  return Object.fromEntries([...kept, ...changed]);
}

function appliedText(spec: PodSpec): string | undefined {
  const resources = resourcesOf(spec);
  return Object.keys(resources).length === 0 ? undefined : JSON.stringify(resources);
}

function resourcesOf({ containers, initContainers = [] }: PodSpec): Json {
  return Object.fromEntries(
    [...initContainers, ...containers].flatMap((container) => {
      const { requests, limits } = jsonAt(container, 'resources');
      return equal(requests, undefined) && equal(limits, undefined) ? [] : [[container.name, { requests, limits }]];
    }),
  );
}

/** Somebody's broken note counts as none: everything is compared once, and noted again. */
function appliedTo(host: Host<Pod>): Json {
  try {
    const parsed: unknown = JSON.parse(host.metadata.annotations?.[appliedResources] ?? '{}');
    return isJson(parsed) ? parsed : {};
  } catch {
    return {};
  }
}

function jsonAt(object: Json, field: string): Json {
  const inner = object[field];
  return isJson(inner) ? inner : {};
}

function sameQuantity(a: unknown, b: unknown): boolean {
  return isQuantity(a) && isQuantity(b) ? equalQuantity(a, b) : a === b;
}

function isQuantity(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
