/**
 * Requests over a transport that fails in every way: a real API server, a chaos proxy, and the syncer's own client. What the server
 * has not begun to act on is sent again, what may have been carried out is not, and nobody waits for somebody else's trouble.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '../../syncer/cluster/client.ts';
import type { RequestReport } from '../../syncer/cluster/telemetry.ts';
import { ConnectionError } from '../../syncer/model/errors.ts';
import { configMaps, endpointSlices, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { KubeObject } from '../../syncer/model/object.ts';
import { until } from '../support/eventually.ts';
import type { ProxiedRequest, RequestFault } from './proxy/rules.ts';
import { clear, clientOf, configMapOf, follow, namespace, startStage } from './transport-stage.ts';
import type { Follower, Stage } from './transport-stage.ts';
import { asked, ofWatch } from './transport-words.ts';

let stage: Stage;
let client: Client;
let follower: Follower | undefined;
const reports: RequestReport[] = [];
const signal = new AbortController().signal;

beforeAll(async () => {
  stage = await startStage('transport-requests');
  client = clientOf(stage, { telemetry: { requested: (report) => reports.push(report) } });
});
afterAll(() => stage.stop());

afterEach(async () => {
  stage.proxy.rules.clear();
  stage.proxy.configure({ maxConcurrentStreams: 250, initialWindowSize: 65_535 });
  await follower?.stop();
  follower = undefined;
  await clear(stage);
  await clear(stage, secrets);
  stage.proxy.forget();
});

const ofWrite = ({ isWrite }: ProxiedRequest): boolean => isWrite;
const named =
  (wanted: string) =>
  ({ name }: ProxiedRequest): boolean =>
    name === wanted;

function createMany(count: number, prefix: string): Promise<readonly KubeObject[]> {
  return Promise.all(
    Array.from({ length: count }, (_, at) => client.create(configMaps, configMapOf(`${prefix}-${at}`))),
  );
}

/** What the real API server has carried out. */
function carriedOut(): number {
  return stage.proxy.seen.filter(({ request, status = 0 }) => request.isWrite && status < 300 && status >= 200).length;
}

describe('a connection that asks to be left, and a server that takes no more', () => {
  test('GOAWAY in the middle of writes: every one is carried out once, and none fails [F40]', async () => {
    const rule = stage.proxy.rules.add({ when: ({ ordinal }) => ordinal % 7 === 3, do: { is: 'goaway' } });
    await createMany(60, 'goaway');
    expect(rule.struck()).toBeGreaterThan(5);
    expect(carriedOut()).toBe(60);
  });

  test('a stream that the server has not begun with is opened again, for every verb [F40]', async () => {
    const refused: RequestFault = { is: 'resetStream' };
    stage.proxy.rules.add({ when: ofWrite, chance: 0.5, do: refused });
    await createMany(30, 'refused').catch(() => undefined);
    stage.proxy.rules.clear();
    stage.proxy.rules.add({ when: named('twice'), times: 2, do: refused });
    const { metadata } = await client.create(configMaps, configMapOf('twice'));
    stage.proxy.rules.add({ when: named('twice'), times: 1, do: refused });
    await client.patch(configMaps, { namespace, name: 'twice' }, { data: { a: 'b' } });
    stage.proxy.rules.add({ when: named('twice'), times: 1, do: refused });
    await client.remove(configMaps, { namespace, name: 'twice' }, { uid: metadata.uid ?? '' });
    expect(stage.proxy.seen.filter(({ request: { name } }) => name === 'twice').map(({ status }) => status)).toEqual([
      undefined,
      undefined,
      201,
      undefined,
      200,
      undefined,
      200,
    ]);
  });

  test.each<[string, RequestFault]>([
    ['whose answer was lost with the connection', { is: 'lose' }],
    ['whose stream was reset after it', { is: 'resetStream', forwarded: true, code: 8 }],
    ['whose answer was cut', { is: 'cut', afterBytes: 20 }],
    ['answered by a page of HTML [F36]', { is: 'rewrite', with: () => ({ status: 201, body: '<p>Sign in' }) }],
  ])('a write %s is not repeated: its caller learns that nobody knows; a read is [F32]', async (_how, fault) => {
    await client.create(configMaps, configMapOf('read'));
    stage.proxy.forget();
    stage.proxy.rules.add({ when: named('unknown'), times: 1, do: fault });
    await expect(client.create(configMaps, configMapOf('unknown'))).rejects.toThrow(ConnectionError);
    expect(stage.proxy.seen.map(({ status }) => status)).toEqual([201]);
    stage.proxy.rules.add({ when: named('read'), times: 1, do: fault.is === 'rewrite' ? { is: 'lose' } : fault });
    expect(await client.get(configMaps, { namespace, name: 'read' })).toBeDefined();
  });

  test('one stream at a time: everything gets its turn, watches included [F40]', async () => {
    stage.proxy.configure({ maxConcurrentStreams: 1 });
    stage.proxy.reset();
    const narrow = clientOf(stage);
    const followers = [];
    for (const kind of [configMaps, secrets, services, endpointSlices]) {
      followers.push(await follow(stage, { client: narrow, kind }));
    }
    await Promise.all(Array.from({ length: 40 }, (_, at) => narrow.create(configMaps, configMapOf(`narrow-${at}`))));
    await followers[0]?.caughtUp();
    expect(followers[0]?.names().filter((name) => name.startsWith('narrow'))).toHaveLength(40);
    // One for each watch; for the rest as many as may be.
    expect(stage.proxy.connections.length).toBeLessThanOrEqual(4 + 8);
    for (const each of followers) await each.stop();
  });

  test('a closed window holds bodies back and nothing else, until it opens [F40]', async () => {
    stage.proxy.configure({ initialWindowSize: 0 });
    await client.get(configMaps, { namespace, name: 'none' });
    const creating = client.create(configMaps, configMapOf('held'));
    await client.list(configMaps, { namespace }, signal);
    expect(stage.proxy.seen.some(({ request }) => request.isWrite)).toBe(false);
    stage.proxy.configure({ initialWindowSize: 65_535 });
    expect((await creating).metadata.name).toBe('held');
  });
});

test('a connection that has gone silent is left, for watches, reads and writes [F39]', async () => {
  follower = await follow(stage);
  await client.create(configMaps, configMapOf('a'));
  await follower.caughtUp();
  stage.proxy.freeze();
  const [read, write] = await Promise.allSettled([
    client.get(configMaps, { namespace, name: 'a' }),
    client.create(configMaps, configMapOf('b')),
    stage.direct.create(configMaps, configMapOf('c')),
  ]);
  expect(read).toMatchObject({ status: 'fulfilled', value: { metadata: { name: 'a' } } });
  expect(write).toMatchObject({ status: 'rejected', reason: { name: 'ConnectionError' } });
  await client.create(configMaps, configMapOf('b'));
  await follower.caughtUp(40_000);
  expect(follower.told).toEqual(['broken']);
});

describe('a server that has too much to do', () => {
  const tooMany = (seconds: number): RequestFault => ({
    is: 'answer',
    answer: { status: 429, headers: { 'retry-after': String(seconds) }, body: { kind: 'Status', code: 429 } },
  });

  test('says when to come back, to writes and lists [F29]', async () => {
    stage.proxy.rules.add({ times: 2, do: tooMany(10) });
    await expect(client.create(configMaps, configMapOf('a'))).rejects.toMatchObject({
      status: 429,
      retryAfterMs: 10_000,
    });
    const list = client.list(configMaps, { namespace }, signal);
    await expect(list).rejects.toMatchObject({ status: 429, retryAfterMs: 10_000 });
    expect(reports.slice(-2)).toEqual([
      { side: 'virtual', verb: 'create', kind: 'configmaps', status: 429, seconds: expect.any(Number) },
      { side: 'virtual', verb: 'list', kind: 'configmaps', status: 429, seconds: expect.any(Number) },
    ]);
  });

  test('and a watch waits for so long, no less [F29] [OPS-13]', async () => {
    follower = await follow(stage);
    const rule = stage.proxy.rules.add({ when: ofWatch, times: 1, do: tooMany(3) });
    stage.proxy.forget();
    await Promise.all(stage.proxy.watches.map((watch) => watch.reset()));
    await stage.direct.create(configMaps, configMapOf('a'));
    await follower.caughtUp();
    expect(rule.struck()).toBe(1);
    const [refused, next] = stage.proxy.seen.filter(({ request }) => request.isWatch).map(({ atMs }) => atMs);
    expect((next ?? 0) - (refused ?? 0)).toBeGreaterThanOrEqual(2_990);
  });

  test('or fails with 5xx: a kind asks less and less often [F30] [OPS-13]', async () => {
    follower = await follow(stage);
    const failing = stage.proxy.rules.add({ do: { is: 'answer', answer: { status: 503, body: {} } } });
    stage.proxy.forget();
    await Promise.all(stage.proxy.watches.map((watch) => watch.reset()));
    await stage.direct.create(configMaps, configMapOf('a'));
    await until('the third failure', () => Promise.resolve(failing.struck() === 3), 30_000);
    const times = stage.proxy.seen.map(({ atMs }) => atMs);
    const gaps = times.slice(1).map((atMs, index) => atMs - (times[index] ?? 0));
    expect(gaps.map((gap, index) => gap >= 2 ** index * 790)).toEqual([true, true]);
    stage.proxy.rules.clear();
    await follower.caughtUp(40_000);
    expect(asked(stage).filter((line) => line.startsWith('watch'))).toHaveLength(1);
  });
});

test('a list of more than a page is whole, and of one moment [OPS-12] [benchmarks 3.2]', async () => {
  await createMany(510, 'page');
  stage.proxy.forget();
  const { items, resourceVersion } = await client.list(configMaps, { namespace }, signal);
  expect(items.filter(({ metadata }) => metadata.name.startsWith('page-'))).toHaveLength(510);
  expect(stage.proxy.seen).toHaveLength(2);
  expect(items.every(({ metadata }) => Number(metadata.resourceVersion) <= Number(resourceVersion))).toBe(true);
});

// Eighty megabytes through etcd are not for every day.
test.runIf(process.env['LONG'] !== undefined)(
  'a page that is too long is asked for in smaller ones [F37, F71]',
  async () => {
    const big = 'x'.repeat(1_000_000);
    for (let round = 0; round < 80; round++)
      await stage.direct.create(configMaps, configMapOf(`big-${round}`, { big }));
    const { items } = await client.list(configMaps, { namespace }, signal);
    expect(items.filter(({ metadata }) => metadata.name.startsWith('big-'))).toHaveLength(80);
  },
);

describe('a kind whose requests hang', () => {
  test('slows no other, and what is small never waits behind bulk [F48]', async () => {
    const { promise: release, resolve } = Promise.withResolvers<void>();
    stage.proxy.rules.add({
      when: ({ plural, isWrite }) => plural === 'secrets' && isWrite,
      do: { is: 'before', call: () => release },
    });
    const hanging = Promise.all(
      Array.from({ length: 200 }, (_, at) => client.create(secrets, { metadata: { name: `hangs-${at}`, namespace } })),
    );
    const service = await stage.direct.create(services, {
      metadata: { name: 'one', namespace },
      spec: { ports: [{ port: 80 }] },
    } as KubeObject);
    await createMany(50, 'flows');
    await client.patch(
      services,
      { namespace, name: service.metadata.name },
      { metadata: { labels: { f48: 'x' } } },
      'status',
    );
    expect(stage.proxy.seen.filter(({ status }) => status === 201)).toHaveLength(50);
    expect(stage.proxy.seen.filter(({ request }) => request.plural === 'secrets').length).toBeLessThan(64);
    resolve();
    expect(await hanging).toHaveLength(200);
  });
});
