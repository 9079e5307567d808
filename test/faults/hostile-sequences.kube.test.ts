/**
 * Tenants in a hurry, in great numbers, or at what is not theirs: quick sequences, floods, nodes and statuses. Both sides end alike,
 * and the host hears no more than it must. SEED=<number> repeats a run; FAULTS=long makes the floods larger.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Kind } from '../../syncer/model/kind.ts';
import { isStatus } from '../../syncer/model/errors.ts';
import { configMaps, events, namespaces, nodes, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Pod } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { made } from '../samples/sample.ts';
import { idle } from '../support/census.ts';
import { eventually, until } from '../support/eventually.ts';
import { hostNamespace } from '../support/pair.ts';
import { configMapOf, isLong, podOf, random, secretOf, seed, serviceOf, shop, Stage } from './hostile.ts';

const uidKey = 'vcluster.loft.sh/object-uid';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('hostile-sequences');
});

afterAll(() => stage.close());

function pick<T>(items: readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('Nothing to pick from.');
  return item;
}

/** Events of one kind in the host namespace while something goes on, as `ADDED name`. */
async function seenOnHost(kind: Kind, doing: () => Promise<void>): Promise<readonly string[]> {
  const scope = { namespace: hostNamespace };
  const stop = new AbortController();
  const { resourceVersion } = await stage.pair.host.list(kind, scope, stop.signal);
  const seen: string[] = [];
  const watching = (async (): Promise<void> => {
    for await (const event of stage.pair.host.watch(kind, scope, resourceVersion, stop.signal))
      if (event.type !== 'BOOKMARK') seen.push(`${event.type} ${event.object.metadata.name}`);
  })().catch(() => undefined);
  await doing();
  stop.abort();
  await watching;
  return seen;
}

describe(`quick sequences (SEED=${seed})`, () => {
  const makers: readonly (readonly [Kind, (name: string) => KubeObject, object])[] = [
    [configMaps, (name) => configMapOf({ name }), { data: { a: 'c' } }],
    [secrets, (name) => secretOf({ name }), { data: { key: 'bmV3' } }],
    [services, (name) => serviceOf({ name }), { spec: { ports: [{ port: 81 }] } }],
    [pods, (name) => podOf({ name }), { metadata: { labels: { tier: 'x' } } }],
  ];

  /** What the tenant gets for an answer does not matter here; only refusals may come. */
  async function tolerant(asked: Promise<unknown>): Promise<void> {
    await asked.catch((error: unknown) => {
      if (!isStatus(error, 404, 409, 422)) throw error;
    });
  }

  async function sequence(kind: Kind, object: KubeObject, edit: object): Promise<void> {
    const key = { namespace: shop, name: object.metadata.name };
    for (let step = 0; step < (isLong ? 60 : 12); step++) {
      const present = await stage.pair.virtual.get(kind, key);
      const remove = (grace: number): Promise<void> => stage.remove('virtual', kind, present, grace);
      const steps = [
        () => stage.create(kind, object),
        () => stage.create(kind, object),
        () => stage.pair.virtual.patch(kind, key, edit),
        () => stage.pair.virtual.patch(kind, key, { metadata: { annotations: { step: String(step) } } }),
        () =>
          stage.pair.virtual.patch(kind, key, { immutable: true, spec: { nodeName: 'other', clusterIP: '10.96.0.9' } }),
        () => remove(0),
        () => remove(30),
        () => remove(0).then(() => stage.create(kind, object)),
      ];
      await tolerant(pick(steps)());
    }
  }

  test.each(makers)(
    'made, changed, deleted with and without grace, and made again at once: the host ends with exactly the last one: $plural [F73] [CORE-10, CORE-29, POD-20, ABU-24] [I1] [I4]',
    async (kind, make, edit) => {
      const names = Array.from({ length: 8 }, (_, index) => `quick-${index}`);
      await Promise.all(names.map((name) => sequence(kind, make(name), edit)));
      for (const name of names) await until(`${name} to be alike on both sides`, () => isAlike(kind, name));
      expect(await stage.writtenAtRest()).toEqual([]);
      for (const name of names) expect(await isAlike(kind, name)).toBe(true);
      await stage.clear();
    },
  );

  async function isAlike(kind: Kind, name: string): Promise<boolean> {
    const [host, virtual] = [await stage.host(kind, name), await stage.virtual(kind, name)];
    if (host === undefined || virtual === undefined) return host === virtual;
    const note = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.['step'];
    const settled = virtual.metadata.deletionTimestamp === undefined && host.metadata.deletionTimestamp === undefined;
    // One that waits for the host's scheduler looks alike, too, and will change yet.
    const runs = kind !== pods || (virtual as Pod).status?.phase === 'Running';
    return (
      settled && runs && host.metadata.annotations?.[uidKey] === virtual.metadata.uid && note(host) === note(virtual)
    );
  }

  test('an immutable config map made again with other content: the host gets the new one [F73] [CS-08, CORE-10]', async () => {
    const first = await stage.create(configMaps, {
      ...configMapOf('fixed', { a: '1' }),
      immutable: true,
    } as KubeObject);
    const host = await stage.onHost(configMaps, 'fixed');
    expect(host.immutable).toBe(true);
    await stage.remove('virtual', configMaps, first);
    await stage.create(configMaps, { ...configMapOf('fixed', { a: '2' }), immutable: true } as KubeObject);
    const next = await stage.onHost(configMaps, 'fixed', ({ data }) => data?.['a'] === '2');
    expect(next.metadata.uid).not.toBe(host.metadata.uid);
    await stage.clear();
  });
});

describe('floods', () => {
  const many = isLong ? 10_000 : 600;
  const flooded = 'flood';

  async function inParallel(count: number, doing: (index: number) => Promise<unknown>): Promise<void> {
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < count; index = next++) await doing(index);
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  }

  /** Milliseconds until the host has what another namespace of the tenant makes. */
  async function latencyMs(name: string): Promise<number> {
    const startedMs = performance.now();
    await stage.create(configMaps, configMapOf(name));
    await stage.onHost(configMaps, name);
    return performance.now() - startedMs;
  }

  test('of config maps that nobody uses, of events, and of namespaces that come and go: not one write on the host, and others go on [F70] [CS-01] [ABU-20]', async () => {
    await stage.namespace(flooded);
    const before: number[] = [];
    for (let index = 0; index < 5; index++) before.push(await latencyMs(`calm-${index}`));
    const during: number[] = [];
    const seen = await seenOnHost(configMaps, async () => {
      const flood = Promise.all([
        inParallel(many, (index) =>
          stage.create(
            configMaps,
            made(configMaps, { name: `unused-${index}`, namespace: flooded }, { data: { a: 'x' } }),
          ),
        ),
        inParallel(many / 4, (index) => stage.create(events, noise(index))),
        inParallel(many / 50, async (index) => {
          const space = await stage.pair.virtual.create(namespaces, { metadata: { name: `brief-${index}` } });
          await stage.remove('virtual', namespaces, space);
        }),
      ]);
      for (let index = 0; index < 5; index++) during.push(await latencyMs(`busy-${index}`));
      await flood;
      await idle(stage.pair.syncer);
    });
    expect(seen.filter((event) => /unused|brief/u.test(event))).toEqual([]);
    const median = (all: readonly number[]): string => `${all.toSorted((a, b) => a - b)[2]?.toFixed(0)} ms`;
    console.log(`A neighbour waits ${median(before)} before the flood and ${median(during)} in it (median of 5).`);
    await noBriefNamespaces();
    await stage.clear();
  }, 120_000);

  /** Until they have gone, controllers of the virtual cluster write to them: that is nothing for the next test to find. */
  async function noBriefNamespaces(): Promise<void> {
    const isBrief = ({ metadata }: KubeObject): boolean => metadata.name.startsWith('brief-');
    const left = async (): Promise<boolean> => (await stage.list<KubeObject>('virtual', namespaces)).some(isBrief);
    await until('the brief namespaces to go', async () => !(await left()), 90_000);
  }

  function noise(index: number): KubeObject {
    const involvedObject = { apiVersion: 'v1', kind: 'Pod', name: 'x', namespace: flooded, uid: 'x' };
    return made(
      events,
      { name: `noise-${index}`, namespace: flooded },
      { involvedObject, reason: 'Noise', message: 'x', type: 'Normal' },
    );
  }

  test('of changes to one label: the host follows no faster than it is asked, others go on, and the last word counts [F70] [CORE-01]', async () => {
    await stage.run('flapping');
    const flaps = isLong ? 3_000 : 300;
    const seen = await seenOnHost(pods, async () => {
      const key = { namespace: shop, name: 'flapping' };
      for (let index = 0; index < flaps; index++)
        await stage.pair.virtual.patch(pods, key, { metadata: { labels: { flap: String(index) } } });
      await stage.alive('beside-the-flapping');
      await stage.onHost(pods, 'flapping', ({ metadata }) => metadata.labels?.['flap'] === String(flaps - 1));
      await idle(stage.pair.syncer);
    });
    expect(seen.filter((event) => event.includes('flapping')).length).toBeLessThanOrEqual(flaps);
    await stage.clear();
  });
});

describe('what belongs to the host', () => {
  const key = { namespace: '', name: 'kwok-1' };
  const nodeOf = async (): Promise<KubeObject | undefined> => stage.pair.virtual.get(nodes, key);

  async function isReady(): Promise<boolean> {
    const node = (await nodeOf()) as
      | { status?: { conditions?: readonly { type: string; status: string }[] } }
      | undefined;
    return node?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false;
  }

  test('a node that the tenant edits or deletes: put back once, what he adds stays, and no war comes of it [F74] [NODE-02, ABU-18] [I2]', async () => {
    await stage.run('occupant');
    const before = await eventually('the node', nodeOf);
    const labels = { 'kubernetes.io/os': 'windows', 'vcluster.loft.sh/managed-by': null, mine: 'x' };
    await stage.pair.virtual.patch(nodes, key, { metadata: { labels } });
    await until('the labels', async () => (await nodeOf())?.metadata.labels?.['kubernetes.io/os'] === 'linux');
    expect((await nodeOf())?.metadata.labels).toEqual({ ...before.metadata.labels, mine: 'x' });
    const status = {
      addresses: [{ type: 'InternalIP', address: '169.254.169.254' }],
      conditions: [{ type: 'Ready', status: 'False' }],
    };
    await stage.pair.virtual.patch(nodes, key, { status }, 'status');
    await until('the state', isReady);
    await until('the address', async () => !JSON.stringify(await nodeOf()).includes('169.254.169.254'));
    await stage.remove('virtual', nodes, await nodeOf());
    await until('a new one', async () => (await nodeOf())?.metadata.uid !== before.metadata.uid && (await isReady()));
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.clear();
  });

  test("a pod's status that the tenant writes: the truth comes back, on the host nothing changes [F74] [POD-179, ABU-25] [I2]", async () => {
    await stage.run('liar');
    const host = await stage.onHost(pods, 'liar');
    const status = {
      phase: 'Failed',
      podIP: '10.96.0.1',
      podIPs: [{ ip: '10.96.0.1' }],
      conditions: [{ type: 'Ready', status: 'False' }],
    };
    await stage.pair.virtual.patch(pods, { namespace: shop, name: 'liar' }, { status }, 'status');
    await until('the truth', async () => {
      const pod = await stage.virtual(pods, 'liar');
      return pod?.status?.phase === 'Running' && pod.status.podIP === host.status?.podIP;
    });
    expect((await stage.host(pods, 'liar'))?.metadata.resourceVersion).toBe(host.metadata.resourceVersion);
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.clear();
  });
});
