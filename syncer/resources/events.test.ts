import { describe, expect, test } from 'vitest';
import { object, viewOf } from '../../test/support/world.ts';
import type { Plan } from '../model/action.ts';
import { events as kind, namespaces, pods } from '../model/kubernetes.ts';
import type { Event, Pod } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import { onHost } from '../translate/metadata.ts';
import { eventsAbout } from './events.ts';

const events = eventsAbout([pods]);

const hostName = 'web-x-shop-x-vc1';
const virtualPod: Pod = object(
  pods,
  { namespace: 'shop', uid: 'v1', resourceVersion: '5' },
  { spec: { containers: [] } },
);
const copy = onHost<Pod>(virtualPod, pods, viewOf({}), { spec: virtualPod.spec });
const hostPod: Pod = { ...copy, metadata: { ...copy.metadata, uid: 'h1' } };
const shop = object(namespaces, { name: 'shop' });
const world = { virtual: [virtualPod, shop], host: [hostPod] };

function eventOf(rest: object = {}, name = `${hostName}.17`): Event {
  return object(
    kind,
    { namespace: 'tenant-a', name, uid: 'e1', resourceVersion: '9' },
    {
      involvedObject: { kind: 'Pod', name: hostName, namespace: 'tenant-a', uid: 'h1', resourceVersion: '77' },
      reason: 'Scheduled',
      message: `Successfully assigned tenant-a/${hostName} to n1`,
      count: 1,
      ...rest,
    },
  );
}

function planOf(
  event: Event,
  {
    virtual = world.virtual,
    host = world.host,
    had,
  }: { virtual?: readonly KubeObject[]; host?: readonly KubeObject[]; had?: string } = {},
): Plan {
  return events.decide(`tenant-a/${event.metadata.name}`, viewOf({ virtual, host: [...host, event] }), had);
}

function shown(event: Event): Event | undefined {
  const [action] = planOf(event).actions;
  return action?.do === 'create' ? (action.object as Event) : undefined;
}

describe('events', () => {
  test("are shown under the tenant's names, about the tenant's object [EV-03] [EV-04]", () => {
    expect(shown(eventOf())).toMatchObject({
      metadata: { name: 'web.17', namespace: 'shop' },
      involvedObject: { kind: 'Pod', name: 'web', namespace: 'shop', uid: 'v1', resourceVersion: '5' },
      message: 'Successfully assigned shop/web to n1',
    });
  });

  test('say nothing of the host: neither names nor what is related there [EV-07] [I7]', () => {
    const related = { kind: 'Node', name: 'secret-node' };
    const messages = [
      `Error for ${hostName}_tenant-a(h1)`,
      `pod ${hostName} failed`,
      `Started container in tenant-a/${hostName}`,
    ];
    for (const message of messages)
      expect(JSON.stringify(shown(eventOf({ message, related })))).not.toMatch(/-x-|tenant-a|secret-node/);
  });

  test.each([
    ['another incarnation on the host', { involvedObject: { kind: 'Pod', name: hostName, uid: 'h0' } }],
    ['an object that is not ours', { involvedObject: { kind: 'Pod', name: 'theirs', uid: 'x' } }],
    ['a kind that is not synced', { involvedObject: { kind: 'Node', name: 'n1' } }],
  ])('about %s are not shown [EV-06]', (_what, rest) => {
    expect(planOf(eventOf(rest)).actions).toEqual([]);
  });

  test('in a namespace that is on its way out are not shown [CORE-35]', () => {
    const going = object(namespaces, { name: 'shop', deletionTimestamp: 'now' });
    expect(planOf(eventOf(), { virtual: [virtualPod, going] }).actions).toEqual([]);
  });

  test('are shown once: not again after a restart, nor when the tenant has deleted them', () => {
    const { remembers, remembersWhenDone: had = '' } = planOf(eventOf());
    expect(remembers).toBeUndefined();
    expect(planOf(eventOf(), { had }).actions).toEqual([]);
    const present = { ...shown(eventOf()), apiVersion: 'v1', kind: 'Event' } as Event;
    expect(planOf(eventOf(), { virtual: [...world.virtual, present] }).actions).toEqual([]);
  });

  test('that repeat are counted on the one that is there', () => {
    const present = { ...shown(eventOf()), apiVersion: 'v1', kind: 'Event' } as Event;
    const plan = planOf(eventOf({ count: 4 }), { virtual: [...world.virtual, present] });
    expect(plan.actions).toMatchObject([
      { do: 'patch', key: { namespace: 'shop', name: 'web.17' }, patch: { count: 4 } },
    ]);
  });

  test("of the tenant's own only what is counted is kept in memory", () => {
    const keep = events.sources.find(({ side, kind: of }) => side === 'virtual' && of === kind)?.keep;
    expect(JSON.stringify(keep?.(eventOf({ message: 'private' })))).not.toContain('private');
  });
});
