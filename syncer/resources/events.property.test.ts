/** Events as the tenant sees them: under its own names, whole, and without anything of the host that can be told apart. */
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { events as kind, namespaces, pods } from '../model/kubernetes.ts';
import type { Event, Pod } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import { onHost } from '../translate/metadata.ts';
import { jsonValues, namespaceNames, runs, subdomains, texts, unknownFields } from '../../test/support/arbitraries.ts';
import { release } from '../../test/support/release.ts';
import { object, viewOf } from '../../test/support/world.ts';
import { eventsAbout } from './events.ts';

const events = eventsAbout([pods]);
const often = runs(100);
vi.setConfig({ testTimeout: 60_000 });

interface About {
  readonly name: string;
  readonly namespace: string;
}

const subjects: fc.Arbitrary<About> = fc.record({ name: subdomains, namespace: namespaceNames });
/** Where a message may name something of the host; the rest of it is anybody's. */
const words = fc.array(
  fc.oneof(
    texts,
    fc.constantFrom(
      'HOST',
      'tenant-a/HOST',
      'HOST_tenant-a(u1)',
      'in the namespace "tenant-a"',
      'secret "SECRET" not found',
    ),
  ),
  { maxLength: 5 },
);

/** What is shown of an event about a pod; `message` may hold HOST and SECRET for names on the host. */
function shown({ name, namespace }: About, message: string, more: object): Event | undefined {
  const virtual: Pod = object(pods, { name, namespace, uid: 'v1', resourceVersion: '5' }, { spec: { containers: [] } });
  const host = { ...onHost<Pod>(virtual, pods, viewOf({}), { spec: virtual.spec }), metadata: hostMetadata(virtual) };
  const secret = `login-x-${namespace}-x-${release.name}`;
  const event = object(
    kind,
    { namespace: 'tenant-a', name: `${host.metadata.name}.17`, uid: 'e1', resourceVersion: '9' },
    {
      ...more,
      involvedObject: { kind: 'Pod', name: host.metadata.name, namespace: 'tenant-a', uid: 'h1' },
      related: { kind: 'Node', name: 'node-1' },
      message: message.replaceAll('HOST', () => host.metadata.name).replaceAll('SECRET', () => secret),
      count: 1,
    },
  );
  const world = { virtual: [virtual, object(namespaces, { name: namespace })], host: [host, event] };
  const [action] = events.decide(`tenant-a/${event.metadata.name}`, viewOf(world), undefined).actions;
  return action?.do === 'create' ? (action.object as Event) : undefined;
}

function hostMetadata(virtual: Pod): KubeObject['metadata'] {
  return { ...onHost<Pod>(virtual, pods, viewOf({}), { spec: virtual.spec }).metadata, uid: 'h1' };
}

test("an event is told under the tenant's names, and nothing in it is the host's [EV-04, EV-07, I7]", () => {
  const confined = (about: About, parts: readonly string[]): void => {
    const event = shown(about, parts.join(' '), {});
    const { name, namespace } = about;
    expect(event?.involvedObject).toMatchObject({ kind: 'Pod', name, namespace, uid: 'v1' });
    expect(event?.metadata).toMatchObject({ namespace, name: `${name}.17`.slice(-253) });
    const text = JSON.stringify(event);
    for (const strange of ['"tenant-a', 'tenant-a/', '_tenant-a', `-x-${release.name}`, 'node-1'])
      expect(text.replaceAll('\\"', '"')).not.toContain(strange);
  };
  fc.assert(fc.property(subjects, words, confined), often);
});

test('what this program does not know of an event arrives byte for byte [CORE-24, F71]', () => {
  const faithful = (about: About, unknown: object, reason: unknown): void => {
    const event = shown(about, '', { ...unknown, reason });
    expect(event).toBeDefined();
    const kept = Object.fromEntries(Object.keys(unknown).map((key) => [key, Reflect.get(Object(event), key)]));
    expect(JSON.stringify(kept)).toBe(JSON.stringify(unknown));
    expect(JSON.stringify(event?.reason)).toBe(JSON.stringify(reason));
  };
  fc.assert(fc.property(subjects, unknownFields, jsonValues, faithful), often);
});
