import { beforeEach, describe, expect, test } from 'vitest';
import type { Cluster, ListScope, WatchEvent } from '../model/cluster.ts';
import { ApiError, ConnectionError } from '../model/errors.ts';
import { configMaps } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import { silentLogger } from '../service/logger.ts';
import { Cache } from './cache.ts';
import { Reflector } from './reflector.ts';

type Answer = Error | { readonly items: readonly KubeObject[]; readonly resourceVersion: string };
/** What a watch shows before it ends, or the error that it ends with. */
type Stream = readonly (WatchEvent | Error)[];

const expired = new ApiError('too old resource version', { status: 410, reason: 'Expired' });
const tooLarge = new ApiError('Too large resource version', { status: 504, reason: 'ResourceVersionTooLarge' });
const lost = new ConnectionError('the stream was reset');

let log: string[] = [];
let cache: Cache;
let nowMs: number;

beforeEach(() => {
  log = [];
  nowMs = 0;
  cache = new Cache({ side: 'virtual', kind: configMaps, indexes: [], onChange: () => {} });
});

function objectOf(name: string, version: number): KubeObject {
  return { metadata: { name, namespace: 'n', uid: name, resourceVersion: String(version) } };
}

function shown(type: 'ADDED' | 'MODIFIED' | 'DELETED', name: string, version: number): WatchEvent {
  return { type, object: objectOf(name, version) };
}

function bookmark(version: number): WatchEvent {
  return { type: 'BOOKMARK', resourceVersion: String(version) };
}

/** What an API server does, in order; a probe beyond the script finds the store where it was. */
interface Script {
  readonly lists: readonly Answer[];
  readonly streams?: readonly Stream[];
  /** Versions that the store is at when somebody asks for that alone. */
  readonly probes?: readonly number[];
  /** Called before every wait. */
  readonly onWait?: (reflector: Reflector) => void;
}

/** Runs a reflector against an API server that follows a script, until the script is at its end. */
async function run({ lists, streams = [], probes = [], onWait = () => {} }: Script): Promise<Reflector> {
  const stop = new AbortController();
  const script = { lists: [...lists], streams: [...streams], probes: [...probes] };
  const cluster = {
    side: 'virtual',
    list: async (_kind: unknown, { notOlderThan, versionOnly }: ListScope) => {
      log.push(versionOnly === true ? 'probe' : `list${notOlderThan === undefined ? '' : ` ≥${notOlderThan}`}`);
      await Promise.resolve();
      if (versionOnly === true) return { items: [], resourceVersion: String(script.probes.shift() ?? 1_000) };
      const answer = script.lists.shift();
      if (answer instanceof Error) throw answer;
      if (answer !== undefined) return answer;
      stop.abort();
      throw lost;
    },
    watch: async function* (_kind: unknown, _scope: unknown, version: string) {
      log.push(`watch ${version}`);
      const stream = await Promise.resolve(script.streams.shift());
      if (stream === undefined) stop.abort();
      for (const step of stream ?? []) {
        if (step instanceof Error) throw step;
        yield step;
      }
    },
  } as unknown as Cluster;
  const wait = async (ms: number): Promise<void> => {
    if (ms > 0) log.push(`wait ${ms}`);
    nowMs += ms;
    onWait(reflector);
    await Promise.resolve();
  };
  const reflector: Reflector = new Reflector({
    cluster,
    kind: configMaps,
    scope: { namespace: '' },
    cache,
    log: silentLogger,
    random: () => 1,
    wait,
    now: () => nowMs,
    onOutlook: ({ outlook, seen, offered }) => log.push(`${outlook}: ${seen} seen, ${offered} offered`),
  });
  await reflector.run(stop.signal);
  return reflector;
}

function names(): readonly string[] {
  return cache.list('').map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
}

function listOf(version: number, ...items: readonly KubeObject[]): Answer {
  return { items, resourceVersion: String(version) };
}

describe('Reflector', () => {
  test('resumes from the last version that it has applied, bookmarks included, once it knows that the store is still there [OPS-13, F27]', async () => {
    await run({
      lists: [listOf(5, objectOf('a', 3))],
      streams: [[shown('MODIFIED', 'a', 7), bookmark(9)], [lost]],
    });
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'probe', 'watch 9', 'wait 1600', 'probe', 'watch 9']);
    expect(names()).toEqual(['a@7']);
  });

  test.each([
    ['as the status of the watch', [expired]],
    ['inside the stream', [shown('ADDED', 'b', 6), expired]],
  ])(
    '410 %s: lists again from the last version, and what vanished meanwhile is gone [OPS-12, F17, F24, F25] [benchmarks 3.3]',
    async (_where, stream) => {
      await run({ lists: [listOf(5, objectOf('a', 3)), listOf(8, objectOf('c', 8))], streams: [stream] });
      const seen = stream.length === 1 ? 5 : 6;
      expect(log).toEqual(['list', 'watch 5', 'wait 800', `list ≥${seen}`, 'watch 8']);
      expect(names()).toEqual(['c@8']);
    },
  );

  test.each([
    ['is gone as well', expired],
    ['is more than the server knows', tooLarge],
    ['is nothing that the server lists by', new ApiError('invalid', { status: 400, reason: 'BadRequest' })],
  ])('a last version that %s: lists what the store holds [F24, F26] [benchmarks 3.2, 3.3]', async (_why, error) => {
    await run({ lists: [listOf(5, objectOf('a', 3)), error, listOf(8, objectOf('c', 8))], streams: [[expired]] });
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'list ≥5', 'list', 'watch 8']);
    expect(names()).toEqual(['c@8']);
  });

  test('versions that are no numbers are taken as they come', async () => {
    const lists = ['', 'a', 'b'].map((resourceVersion) => ({ items: [objectOf('a', 3)], resourceVersion }));
    await run({ lists, streams: [[expired], [expired]] });
    expect(log).toEqual(['list', 'watch ', 'wait 800', 'list', 'watch a', 'wait 1600', 'list ≥a', 'watch b']);
  });

  test('a server that is behind is asked until it has caught up; nothing older is taken in [F18] [benchmarks 3.9]', async () => {
    const reflector = await run({
      lists: [listOf(5, objectOf('a', 3)), tooLarge, listOf(4), listOf(90, objectOf('a', 60))],
      streams: [[bookmark(50), expired]],
      probes: [40, 90],
    });
    expect(log).toEqual([
      'list',
      'watch 5',
      'wait 800',
      'list ≥50',
      'list',
      'lagging: 50 seen, 4 offered',
      'wait 1600',
      'probe',
      'wait 3200',
      'probe',
      'list ≥50',
      'current: 50 seen, 90 offered',
      'watch 90',
    ]);
    expect(names()).toEqual(['a@60']);
    expect(reflector.outlook).toBe('current');
  });

  test('a store that stays behind is told of as restored, and nothing is lost for it [F19] [OPS-08]', async () => {
    const reflector = await run({
      lists: [listOf(50, objectOf('a', 33))],
      streams: [[lost]],
      probes: [7, 7, 7, 7, 8],
      onWait: () => {
        if (log.filter((line) => line === 'probe').length === 5) throw new Error('enough');
      },
    }).catch(() => undefined);
    expect(log.filter((line) => !line.startsWith('wait'))).toEqual([
      'list',
      'watch 50',
      'probe',
      'lagging: 50 seen, 7 offered',
      'probe',
      'probe',
      'probe',
      'restored: 50 seen, 7 offered',
      'probe',
    ]);
    expect(reflector).toBeUndefined();
    expect(names()).toEqual(['a@33']);
  });

  test('acceptOlder() takes the older state in, and with it that what it lacks is gone [F19]', async () => {
    const reflector = await run({
      lists: [
        listOf(50, objectOf('a', 33), objectOf('b', 40), objectOf('c', 3)),
        listOf(7, objectOf('b', 5), objectOf('c', 3)),
      ],
      streams: [[lost]],
      probes: [7, 7],
      onWait: (each) => {
        if (each.outlook === 'lagging') each.acceptOlder();
      },
    });
    expect(log.slice(-3)).toEqual(['list', 'current: 50 seen, 7 offered', 'watch 7']);
    expect(names().toSorted()).toEqual(['b@5', 'c@3']);
    expect(reflector.outlook).toBe('current');
  });

  test('a watch that shows an older version than before is left, and the collection is listed again [F18, F20]', async () => {
    await run({
      lists: [listOf(5, objectOf('a', 3)), listOf(8, objectOf('a', 7))],
      streams: [[shown('MODIFIED', 'a', 7), shown('ADDED', 'a', 3), shown('MODIFIED', 'a', 9)]],
    });
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'list ≥7', 'watch 8']);
    expect(names()).toEqual(['a@7']);
  });

  test('an object that cannot be taken in does not keep the others away [OPS-14]', async () => {
    const broken = { metadata: null } as unknown as KubeObject;
    await run({
      lists: [listOf(5, objectOf('a', 3), broken, objectOf('b', 4))],
      streams: [[shown('MODIFIED', 'a', 7), shown('ADDED', 'c', 8)]],
    });
    expect(names()).toEqual(['a@7', 'b@4', 'c@8']);
  });

  test('a watch that breaks again and again at the same place is given up for a list [benchmarks 3.8]', async () => {
    const streams = Array.from({ length: 4 }, () => [lost]);
    await run({ lists: [listOf(5), listOf(9)], streams });
    expect(log.filter((line) => !line.startsWith('wait'))).toEqual([
      'list',
      ...Array.from({ length: 3 }, () => ['watch 5', 'probe']).flat(),
      'watch 5',
      'list ≥5',
      'watch 9',
    ]);
  });

  test('no error ever empties the cache or ends the reflector [OPS-09]', async () => {
    const refusals = [401, 403, 404, 500, 503].map((status) => new ApiError('no', { status, reason: '' }));
    await run({ lists: [listOf(5, objectOf('a', 3)), ...refusals], streams: [[expired]] });
    expect(log.filter((line) => line.startsWith('list'))).toHaveLength(7);
    expect(names()).toEqual(['a@3']);
    expect(cache.complete).toBe(true);
  });

  test('waits as long as the server asks for [OPS-13, F29]', async () => {
    const busy = new ApiError('too many', { status: 429, reason: 'TooManyRequests', retryAfterMs: 7_000 });
    await run({ lists: [busy, listOf(5)], streams: [[busy]] });
    expect(log).toEqual(['list', 'wait 7700', 'list', 'watch 5', 'wait 7700', 'watch 5']);
  });

  test('a server that ends every watch at once is not asked in a tight loop [F30]', async () => {
    await run({ lists: [listOf(5)], streams: [[], [], []] });
    expect(log.filter((line) => line !== 'probe')).toEqual([
      'list',
      'watch 5',
      'wait 800',
      'watch 5',
      'wait 1600',
      'watch 5',
      'wait 3200',
      'watch 5',
    ]);
  });

  test('neither is one that calls every version too old [F24, F30]', async () => {
    await run({ lists: [listOf(5), listOf(6), listOf(7)], streams: [[expired], [expired]] });
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'list ≥5', 'watch 6', 'wait 1600', 'list ≥6', 'watch 7']);
  });
});
