/**
 * Watches and lists over a transport that fails in every way: a real API server, a chaos proxy, and the syncer's own client and
 * reflector. Whatever happens, the cache ends up with what the API server has, and never shows what was not there.
 */
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { configMaps } from '../../syncer/model/kubernetes.ts';
import { eventually, until } from '../support/eventually.ts';
import type { Fault, LineFault, Rule, WatchLine } from './proxy/rules.ts';
import { clear, clientOf, configMapOf, follow, namespace, startStage } from './transport-stage.ts';
import { asked, corrupted, expired, noList, ofList, ofWatch } from './transport-words.ts';
import type { ConfigMap, Follower, Stage } from './transport-stage.ts';

let stage: Stage;
let follower: Follower;

beforeAll(async () => {
  stage = await startStage('transport-watch');
});
afterAll(() => stage.stop());

beforeEach(async () => {
  await create('first', 'second');
  follower = await follow(stage, { waitMaxMs: 100 });
  stage.proxy.forget();
});
afterEach(async () => {
  stage.proxy.rules.clear();
  await follower.stop();
  await clear(stage);
});

async function create(...names: readonly string[]): Promise<readonly ConfigMap[]> {
  const made: ConfigMap[] = [];
  for (const name of names) made.push(await stage.direct.create(configMaps, configMapOf(name, { says: 'grün 🚢 ж' })));
  return made;
}

async function remove(name: string): Promise<void> {
  const { metadata } = (await stage.direct.get(configMaps, { namespace, name })) ?? {};
  await stage.direct.remove(configMaps, { namespace, name }, { uid: metadata?.uid ?? '' });
}

function toLines(
  to: (line: WatchLine) => LineFault | undefined,
  times?: number,
): ReturnType<typeof stage.proxy.rules.add> {
  return stage.proxy.rules.add({ when: ofWatch, do: { is: 'line', to }, ...(times === undefined ? {} : { times }) });
}

function once(when: Required<Rule>['when'], fault: Fault): ReturnType<typeof stage.proxy.rules.add> {
  return stage.proxy.rules.add({ when, times: 1, do: fault });
}

function versionOf(name: string): string | undefined {
  return follower.cache.get({ namespace, name })?.metadata.resourceVersion;
}

test('a watch asks for bookmarks, and for its own end in five to ten minutes [OPS-12] [benchmarks 3.5]', async () => {
  await Promise.all(stage.proxy.watches.map((watch) => watch.reset()));
  const found = await eventually('the next watch', () =>
    Promise.resolve(stage.proxy.seen.find(({ request }) => ofWatch(request))),
  );
  const seconds = Number(found.request.query.get('timeoutSeconds'));
  expect(found.request.query.get('allowWatchBookmarks')).toBe('true');
  expect(seconds >= 300 && seconds <= 600).toBe(true);
});

/** The watch that is open is told that its version is too old. */
async function expire(): Promise<void> {
  const told = (): number => follower.told.filter((reason) => reason === 'expired').length;
  const before = told();
  await until('the watch to expire', async () => {
    if (told() === before) await stage.proxy.inject(ofWatch, { type: 'ERROR', object: expired });
    return told() > before;
  });
}

describe('a version that is too old', () => {
  test('as an answer: lists from the last version, and what vanished meanwhile is told as gone [F17, F24] [OPS-12]', async () => {
    const seen = versionOf('second');
    const rule = once(ofWatch, { is: 'answer', answer: { status: 410, body: expired } });
    const lost = toLines(
      ({ type, object }) => (type === 'DELETED' && object.metadata.name === 'first' ? { is: 'drop' } : undefined),
      1,
    );
    await remove('first');
    await until('the event to be lost', () => Promise.resolve(lost.struck() === 1));
    expect(follower.names()).toContain('first');
    stage.proxy.reset();
    await follower.caughtUp();
    expect(rule.struck()).toBe(1);
    expect(follower.changes).toContain('DELETED first');
    expect(follower.told).toContain('expired');
    expect(
      Number(
        asked(stage)
          .find((line) => line.startsWith('list'))
          ?.slice(6),
      ),
    ).toBeGreaterThanOrEqual(Number(seen));
  });

  test('inside the stream: the same [F25] [OPS-12]', async () => {
    await expire();
    await create('third');
    await follower.caughtUp();
    expect(follower.told).toEqual(['expired']);
    expect(asked(stage).filter((line) => line.startsWith('list ≥'))).toHaveLength(1);
  });

  test('and too old for the list as well: lists what the store holds [F24] [benchmarks 3.3]', async () => {
    const list = once(({ query, isList }) => isList && query.has('resourceVersion'), {
      is: 'answer',
      answer: { status: 410, body: expired },
    });
    await expire();
    await create('third');
    await follower.caughtUp();
    expect(list.struck()).toBe(1);
    expect(asked(stage)).toContain('list');
  });
});

test('a version that the API server has not come to is refused by name, and the store is asked [F26] [benchmarks 3.2]', async () => {
  const list = clientOf(stage).list(configMaps, { namespace, notOlderThan: '999999999' }, AbortSignal.timeout(20_000));
  await expect(list).rejects.toMatchObject({ status: 504, reason: 'ResourceVersionTooLarge' });
  const status = {
    details: { causes: [{ reason: 'ResourceVersionTooLarge' }] },
    message: 'Too large resource version',
    code: 504,
  };
  once(({ query, isList }) => isList && query.has('resourceVersion'), {
    is: 'answer',
    answer: { status: 504, body: status },
  });
  await expire();
  await create('third');
  await follower.caughtUp();
  expect(asked(stage)).toContain('list');
  expect(follower.reflector.outlook).toBe('current');
});

test('bookmarks alone move the version from which a watch goes on [F27] [benchmarks 3.4]', async () => {
  const [elsewhere] = await create('elsewhere');
  await follower.caughtUp();
  const version = String(Number(elsewhere?.metadata.resourceVersion) + 1);
  await stage.direct.patch(
    configMaps,
    { namespace: 'kube-system', name: 'kube-root-ca.crt' },
    { metadata: { labels: { f27: 'x' } } },
  );
  const bookmark = {
    type: 'BOOKMARK',
    object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: version } },
  };
  await stage.proxy.inject(ofWatch, bookmark);
  const before = follower.changes.length;
  await Promise.all(stage.proxy.watches.map((watch) => watch.reset()));
  await until('the watch to go on', () => Promise.resolve(asked(stage).some((line) => line === `watch ${version}`)));
  expect(follower.changes).toHaveLength(before);
});

describe('a stream that breaks', () => {
  test.each<[string, (line: WatchLine) => LineFault]>([
    ['in the middle of a line by a reset [F33]', ({ text }) => ({ is: 'truncate', bytes: text.length / 2 })],
    ['after half a line, in good order [F33]', () => ({ is: 'truncate', bytes: 20, end: 'orderly' })],
    ['at a line that does not parse', ({ text }) => ({ is: 'replace', lines: [text.slice(0, -1)] })],
    ['at a line that is not UTF-8 [F35]', ({ text }) => ({ is: 'replace', lines: [corrupted(text)] })],
    ['at a page of HTML [F36]', () => ({ is: 'replace', lines: ['<!doctype html><p>Sign in'] })],
    ['after it asked to be left [F40]', () => ({ is: 'goaway' })],
  ])(
    '%s goes on behind the last version that was applied; nothing is lost [OPS-13, OPS-14] [benchmarks 3.8]',
    async (_how, to) => {
      await create('a');
      await until('a', () => Promise.resolve(follower.names().includes('a')));
      const applied = versionOf('a');
      const rule = toLines(
        ({ object, ...line }) => (object.metadata.name === 'b' ? to({ object, ...line }) : undefined),
        1,
      );
      await create('b', 'c');
      await remove('a');
      await follower.caughtUp();
      expect(rule.struck()).toBe(1);
      expect(follower.names()).toEqual(expect.arrayContaining(['b', 'c', 'first', 'second']));
      expect(follower.dataOf('b')).toEqual({ says: 'grün 🚢 ж' });
      expect(follower.changes.filter((change) => change === 'DELETED a')).toHaveLength(1);
      const resumed = asked(stage).filter((line) => line.startsWith('watch'));
      expect(resumed.every((line) => Number(line.slice(6)) >= Number(applied))).toBe(true);
    },
  );

  test('again and again at one object is left for a list [benchmarks 3.8]', async () => {
    toLines(({ object }) => (object.metadata.name === 'poison' ? { is: 'truncate', bytes: 9 } : undefined));
    await create('poison', 'after');
    await follower.caughtUp();
    expect(follower.names()).toContain('poison');
  });
});

describe('a stream that comes in pieces', () => {
  test('cut in the middle of a character it says the same [F38] [OPS-14]', async () => {
    const rule = toLines(() => ({ is: 'split' }));
    await create('a');
    await follower.caughtUp();
    expect(rule.struck()).toBeGreaterThan(0);
    expect(follower.dataOf('a')).toEqual({ says: 'grün 🚢 ж' });
    expect(follower.told).toEqual([]);
  });

  test('byte by byte, lists and watches say the same [F38] [OPS-14]', async () => {
    await follower.stop();
    stage.proxy.rules.add({ when: (request) => ofWatch(request) || ofList(request), do: { is: 'dribble', bytes: 1 } });
    follower = await follow(stage);
    await create('a');
    await follower.caughtUp();
    expect(follower.dataOf('a')).toEqual({ says: 'grün 🚢 ж' });
    expect(follower.told).toEqual([]);
  });

  test('an object of a megabyte comes whole, by list and by watch [F37]', async () => {
    const big = 'x'.repeat(1_000_000);
    await stage.direct.create(configMaps, configMapOf('big', { big }));
    await follower.caughtUp();
    expect(follower.dataOf('big')?.['big']).toHaveLength(big.length);
    await expire();
    await create('after');
    await follower.caughtUp();
    expect(follower.dataOf('big')?.['big']).toHaveLength(big.length);
  });
});

describe('an answer that is not what was asked for is never an empty list', () => {
  test.each<[string, Fault]>([
    [
      'HTML with status 200 [F36]',
      { is: 'answer', answer: { status: 200, headers: { 'content-type': 'text/html' }, body: '<p>Sign in' } },
    ],
    [
      'HTML that claims to be JSON [F36]',
      { is: 'answer', answer: { status: 200, headers: { 'content-type': 'application/json' }, body: '<p>' } },
    ],
    ['JSON that is no list [F36]', { is: 'answer', answer: { status: 200, body: noList } }],
    [
      'half of a gzip stream [F34]',
      {
        is: 'rewrite',
        with: ({ body }) => ({
          status: 200,
          headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
          body: gzipSync(body).subarray(0, 40),
        }),
      },
    ],
    [
      'bytes that are not UTF-8 [F35]',
      { is: 'rewrite', with: ({ headers, body }) => ({ status: 200, headers, body: corrupted(body.toString()) }) },
    ],
    ['half a list [F33]', { is: 'cut', afterBytes: 100 }],
    [
      'another number of bytes than announced [F33]',
      {
        is: 'rewrite',
        with: ({ headers, body }) => ({
          status: 200,
          headers: { ...headers, 'content-length': String(body.length + 1) },
          body,
        }),
      },
    ],
    ['500 [F30]', { is: 'answer', answer: { status: 500, body: {} } }],
    ['403', { is: 'answer', answer: { status: 403, body: {} } }],
    ['404', { is: 'answer', answer: { status: 404, body: {} } }],
  ])('%s [OPS-09]', async (_what, fault) => {
    // The first of two: the list from the last version and, after a 410, the one from the store.
    stage.proxy.rules.add({ when: ofList, times: 2, do: fault });
    await expire();
    await create('third');
    await follower.caughtUp();
    expect(follower.changes.filter((change) => change.startsWith('DELETED'))).toEqual([]);
  });
});

test('an object that is none is passed over and told of; those after it are taken in [OPS-14]', async () => {
  toLines(({ text, object }) =>
    object.metadata.name === 'a'
      ? { is: 'replace', lines: ['{"type":"ADDED","object":null}', '{"type":"SYNC","object":{}}', text] }
      : undefined,
  );
  await create('a', 'b');
  await follower.caughtUp();
  expect(follower.told).toEqual(['unreadable', 'unreadable']);
  expect(asked(stage)).toEqual([]);
});

test('doubled, replayed and reordered events change nothing in the end [F14, F15, F20]', async () => {
  const kept: string[] = [];
  toLines(({ text, number }) => {
    kept.push(text);
    const all: readonly LineFault[] = [
      { is: 'twice' },
      { is: 'swap' },
      { is: 'drop' },
      { is: 'replace', lines: [text, ...kept.slice(0, 2)] },
    ];
    return all[number % all.length];
  }, 40);
  for (let round = 0; round < 8; round++) {
    await create(`a${round}`, `b${round}`);
    await remove(`a${round}`);
  }
  // What was dropped without a trace comes with the next list only.
  stage.proxy.rules.clear();
  await expire();
  await follower.caughtUp();
  const counts = new Map<string, number>();
  for (const change of follower.changes) counts.set(change, (counts.get(change) ?? 0) + 1);
  for (let round = 0; round < 8; round++) expect(counts.get(`DELETED a${round}`) ?? 0).toBeLessThanOrEqual(1);
});

test('nothing from a watch for too long: the collection is listed, not only watched again [F39]', async () => {
  await follower.stop();
  follower = await follow(stage, { watchIdleMaxMs: 500 });
  await eventually('the watchdog', () => Promise.resolve(follower.told.includes('idle') ? true : undefined));
  await create('a');
  await follower.caughtUp();
  expect(asked(stage).filter((line) => line.startsWith('list ≥')).length).toBeGreaterThan(0);
});
