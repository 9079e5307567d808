/**
 * Ephemeral containers (`kubectl debug`): they come after the pod, by a verb of their own, and can never be changed or taken
 * away (POD-83). What the host has stays, whoever put it there; what the virtual pod has more, by name, is added.
 */
import type { Action } from '../../model/action.ts';
import { pods } from '../../model/kubernetes.ts';
import type { Container, Pod } from '../../model/kubernetes.ts';
import { isDeleting, keyOf } from '../../model/object.ts';
import type { Host, Virtual } from '../../model/side.ts';
import type { View } from '../../model/view.ts';
import { containerToHost, withVariables } from './containers.ts';
import { translatedImage } from './images.ts';
import { ephemeralRefusal } from './policy/policy.ts';
import { environmentRefusal } from './refusals.ts';
import { rewritingOf, serviceVariables } from './spec.ts';

/** Adds what the host pod does not have yet; warns of what it can never have. */
export function pushEphemeral(host: Host<Pod>, virtual: Virtual<Pod>, view: View): readonly Action[] {
  if (isDeleting(host) || isDeleting(virtual)) return [];
  const have = host.spec.ephemeralContainers ?? [];
  const names = new Set(have.map(({ name }) => name));
  const missing = (virtual.spec.ephemeralContainers ?? []).filter(({ name }) => !names.has(name));
  if (missing.length === 0) return [];
  const judged = missing.map((container) => ({ container, why: refusalOf(container, { host, virtual }, view) }));
  const added = judged.flatMap(({ container, why }) => (why === undefined ? [container] : []));
  const refused = judged.flatMap(({ why }) => why ?? []);
  return [
    ...refused.map((message): Action => ({ do: 'warn', kind: pods, object: virtual, reason: 'SyncError', message })),
    ...(added.length === 0 ? [] : [addition(host, [...have, ...translated(added, virtual, view)])]),
  ];
}

interface Sides {
  readonly host: Host<Pod>;
  readonly virtual: Virtual<Pod>;
}

/** A container that comes later meets the same policy as one that came with the pod (POD-161, ABU-23). */
function refusalOf(container: Container, { host, virtual }: Sides, { release }: View): string | undefined {
  return (
    environmentRefusal([container]) ??
    ephemeralRefusal(release.podRules.security, virtual.metadata.name, { host, container })
  );
}

function translated(added: readonly Container[], virtual: Virtual<Pod>, view: View): readonly Container[] {
  const rewriting = rewritingOf(virtual, view.release);
  const variables = serviceVariables(virtual, view);
  return added.map((container) =>
    translatedImage(withVariables(containerToHost(container, rewriting), variables), view.release.podRules.images),
  );
}

/** A merge patch replaces the whole list, so it must be of exactly the pod that was read. */
function addition(host: Host<Pod>, ephemeralContainers: readonly Container[]): Action {
  const { uid, resourceVersion } = host.metadata;
  const patch = { metadata: { uid, resourceVersion }, spec: { ephemeralContainers } };
  return { do: 'patch', side: 'host', kind: pods, key: keyOf(host), patch, subresource: 'ephemeralcontainers' };
}
