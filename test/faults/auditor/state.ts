/** What must hold of the present state of both sides: I1 (they agree), I3 (nothing on the host without an owner), I7 (no host names). */
import { differences } from './compare.ts';
import type { Problem } from './problem.ts';
import { isApiServer, wantedOnHost, wantsToken } from './wanted.ts';
import { at, copied, hostNameOf, isCopy, marks, originUid, textOf } from './words.ts';
import type { Plural, Thing } from './words.ts';
import type { World } from './world.ts';

export function problemsNow(world: World): readonly Problem[] {
  return [
    ...copied.flatMap((plural) => [...pairs(world, plural), ...strays(world, plural)]),
    ...tokens(world),
    ...nodes(world),
    ...apiService(world),
    ...leaks(world),
  ];
}

/** Exactly one host object for each virtual one that should have one, and both agree. */
function pairs(world: World, plural: Plural): readonly Problem[] {
  const { release } = world;
  const copies = Map.groupBy(
    world.now('host', plural).filter((thing) => isCopy(thing, release)),
    originUid,
  );
  return wantedOnHost(world, plural).flatMap((virtual) => {
    const found = copies.get(virtual.metadata.uid) ?? [];
    const about = `virtual ${plural} ${textOf(virtual)}`;
    const [host] = found;
    if (host === undefined) return [problem('I1', about, 'has no host object')];
    if (found.length > 1) return [problem('I4', about, `has ${found.length} host objects`)];
    const { name, namespace = '' } = virtual.metadata;
    const named =
      host.metadata.name === hostNameOf(name, namespace, release) ? [] : [`its copy is named ${textOf(host)}`];
    const leaving = host.metadata.deletionTimestamp === undefined ? [] : ['its copy is being deleted'];
    return [...named, ...leaving, ...differences(plural, { virtual, host, release })].map((says) =>
      problem('I1', about, says),
    );
  });
}

/** Nothing on the host says it is ours and is not, or is outside of our namespace. */
function strays(world: World, plural: Plural): readonly Problem[] {
  const { release } = world;
  const live = new Map(world.now('virtual', plural).map((thing) => [thing.metadata.uid, thing]));
  const wanted = new Set(wantedOnHost(world, plural).map(({ metadata }) => metadata.uid));
  return world
    .now('host', plural)
    .filter((thing) => isCopy(thing, release))
    .flatMap((host) => {
      const owner = live.get(originUid(host));
      const outside = host.metadata.namespace !== release.namespace;
      const why = outside ? 'is outside of the host namespace' : strayBecause(plural, host, owner, wanted);
      return why === undefined ? [] : [problem('I3', `host ${plural} ${textOf(host)}`, why)];
    });
}

function strayBecause(
  plural: Plural,
  host: Thing,
  owner: Thing | undefined,
  wanted: ReadonlySet<string>,
): string | undefined {
  if (owner === undefined) return `is the copy of ${originUid(host)}, which does not exist`;
  const endsWithItsPod = plural === 'pods' && !wanted.has(owner.metadata.uid);
  // A pod that has ended, or is ending, keeps its host pod until both go.
  if (endsWithItsPod) return undefined;
  return wanted.has(owner.metadata.uid) || owner.metadata.deletionTimestamp !== undefined
    ? undefined
    : 'is the copy of something that nobody uses';
}

/** Helper objects carry our label, no origin, and belong to a living host pod: one Secret for each pod with a token (D12). */
function tokens(world: World): readonly Problem[] {
  const { release } = world;
  const hostPods = world.now('host', 'pods').filter((pod) => isCopy(pod, release));
  const helpers = world
    .now('host', 'secrets')
    .filter((thing) => thing.metadata.labels?.[marks.managedBy] === release.name && !isCopy(thing, release));
  const byOwner = Map.groupBy(
    helpers,
    ({ metadata }) => metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? '',
  );
  const alive = new Set(hostPods.map(({ metadata }) => metadata.uid));
  const virtual = new Map(world.now('virtual', 'pods').map((pod) => [pod.metadata.uid, pod]));
  return [
    ...helpers
      .filter(({ metadata }) => !(metadata.ownerReferences ?? []).some(({ uid }) => alive.has(uid)))
      .map((secret) => problem('I3', `host secrets ${textOf(secret)}`, 'belongs to no living host pod')),
    ...hostPods
      .filter((pod) => {
        const origin = virtual.get(originUid(pod));
        const expected = origin !== undefined && wantsToken(origin) ? 1 : 0;
        return (
          pod.metadata.deletionTimestamp === undefined && (byOwner.get(pod.metadata.uid)?.length ?? 0) !== expected
        );
      })
      .map((pod) => problem('I1', `host pods ${textOf(pod)}`, 'has not exactly the token Secret that it needs')),
  ];
}

/** A node for every pod that says where it runs, and none of ours that nobody runs on (NODE-02). */
function nodes(world: World): readonly Problem[] {
  const used = new Set(
    world
      .now('virtual', 'pods')
      .map((pod) => at(pod, 'spec', 'nodeName'))
      .filter(Boolean),
  );
  const known = world.now('virtual', 'nodes');
  const names = new Set<unknown>(known.map(({ metadata }) => metadata.name));
  const missing = [...used].filter((name) => !names.has(name));
  const idle = known.filter(
    ({ metadata }) => metadata.labels?.[marks.managedBy] === world.release.name && !used.has(metadata.name),
  );
  return [
    ...missing.map((name) => problem('I1', `virtual nodes ${String(name)}`, 'does not exist, and pods run on it')),
    ...idle.map((node) => problem('I1', `virtual nodes ${node.metadata.name}`, 'is shown although no pod runs on it')),
  ];
}

/** Pods reach their API server where the release's Service is (D4). */
function apiService(world: World): readonly Problem[] {
  const inside = world.now('virtual', 'services').find(isApiServer);
  const { name, namespace } = world.release;
  const outside = world
    .now('host', 'services')
    .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const [is, should] = [at(inside, 'spec', 'clusterIP'), at(outside, 'spec', 'clusterIP')];
  return is === should
    ? []
    : [problem('I1', 'virtual services default/kubernetes', `is at ${String(is)}, not ${String(should)}`)];
}

/** What a tenant reads of a pod names nothing of the host. */
function leaks(world: World): readonly Problem[] {
  const { name, namespace } = world.release;
  return world.now('virtual', 'pods').flatMap((pod) => {
    const status = JSON.stringify(pod['status'] ?? {});
    const word = [`-x-${pod.metadata.namespace ?? ''}-x-${name}`, `${namespace}/`].find((each) =>
      status.includes(each),
    );
    return word === undefined ? [] : [problem('I7', `virtual pods ${textOf(pod)}`, `its status says "${word}"`)];
  });
}

function problem(invariant: Problem['invariant'], about: string, says: string): Problem {
  return { invariant, about, says };
}
