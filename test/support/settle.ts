/**
 * Carries out the plans for one object, one after the other, on two sides that are no more than two variables: what an API server
 * does with a write, without any defaults. Preconditions are checked, so a plan that acts on an old state fails the test.
 */
import type { Action } from '../../syncer/model/action.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import { keyOf } from '../../syncer/model/object.ts';
import type { Resource } from '../../syncer/model/resource.ts';
import type { Side } from '../../syncer/model/side.ts';
import { keyText } from '../../syncer/model/side.ts';
import { merged } from './merged.ts';
import { viewOf } from './world.ts';
import type { World } from './world.ts';

export type Both = Readonly<Record<Side, KubeObject | undefined>>;

export interface Settled extends Both {
  /** Everything that was done, warnings included. */
  readonly actions: readonly Action[];
}

const roundsMax = 10;
let version = 1_000_000;

/** @throws when there is still something to write after ten plans, or when a plan's preconditions do not hold */
export function settle(resource: Resource, before: Both, around: World): Settled {
  const key = keyText(keyOf(before.virtual ?? before.host ?? { metadata: { name: '' } }));
  const done: Action[] = [];
  let both = before;
  let had: string | undefined;
  for (let round = 0; round < roundsMax; round++) {
    const plan = resource.decide(key, viewOf(worldOf(both, around)), had);
    had = plan.remembers;
    done.push(...plan.actions);
    if (!plan.actions.some(isWrite)) return { ...both, actions: done };
    for (const action of plan.actions) both = carriedOut(both, action);
  }
  throw new Error(`Never at rest: ${JSON.stringify(done.slice(-2))}`);
}

/** What a syncer that knows nothing of before would do. */
export function secondLook(resource: Resource, both: Both, around: World): readonly Action[] {
  const key = keyText(keyOf(both.virtual ?? both.host ?? { metadata: { name: '' } }));
  return resource.decide(key, viewOf(worldOf(both, around)), undefined).actions.filter(isWrite);
}

export function isWrite(action: Action): boolean {
  return action.do !== 'warn';
}

function worldOf({ virtual, host }: Both, around: World): World {
  return {
    ...around,
    virtual: [...(around.virtual ?? []), ...(virtual === undefined ? [] : [virtual])],
    host: [...(around.host ?? []), ...(host === undefined ? [] : [host])],
  };
}

function carriedOut(both: Both, action: Action): Both {
  switch (action.do) {
    case 'create':
      return { ...both, [action.side]: stored(action.object, { uid: `${action.side}-uid`, generation: 1 }) };
    case 'patch':
      return { ...both, [action.side]: patched(both[action.side], action.patch) };
    case 'replace':
      return { ...both, [action.side]: stored(action.object) };
    case 'delete':
      return { ...both, [action.side]: undefined };
    case 'post':
      return { ...both, [action.side]: patched(both[action.side], bindingOf(action.body)) };
    case 'issueTokens':
    case 'warn':
      return both;
    default:
      return action satisfies never;
  }
}

/** As an API server sends it: through JSON. */
function stored(object: KubeObject, more: Partial<Metadata> = {}): KubeObject {
  return { ...object, metadata: { ...object.metadata, ...more, resourceVersion: String(++version) } };
}

function patched(object: KubeObject | undefined, patch: object): KubeObject | undefined {
  if (object === undefined) return undefined;
  const { uid, resourceVersion } = (patch as { metadata?: Partial<Metadata> }).metadata ?? {};
  const holds =
    (uid ?? object.metadata.uid) === object.metadata.uid &&
    (resourceVersion ?? object.metadata.resourceVersion) === object.metadata.resourceVersion;
  // The first of two writes has used the version up; a real server would refuse the second, and the plan be made again.
  return holds ? stored(merged(object, patch) as KubeObject) : object;
}

function bindingOf(body: object): object {
  const { target } = body as { readonly target?: { readonly name: string } };
  return target === undefined ? {} : { spec: { nodeName: target.name } };
}
