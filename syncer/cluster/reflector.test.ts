import { beforeEach, describe, expect, test } from 'vitest';
import type { Cluster, WatchEvent } from '../model/cluster.ts';
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
const lost = new ConnectionError('the stream was reset');

let log: string[] = [];
let cache: Cache;

beforeEach(() => {
  log = [];
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

/** Runs a reflector against an API server that follows a script, until the script is at its end. */
async function run(lists: readonly Answer[], streams: readonly Stream[]): Promise<void> {
  const stop = new AbortController();
  const script = { lists: [...lists], streams: [...streams] };
  const cluster = {
    side: 'virtual',
    list: async () => {
      const answer = await Promise.resolve(script.lists.shift());
      log.push('list');
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
    await Promise.resolve();
  };
  const options = {
    cluster,
    kind: configMaps,
    scope: { namespace: '' },
    cache,
    log: silentLogger,
    random: () => 1,
    wait,
  };
  await new Reflector(options).run(stop.signal);
}

function names(): readonly string[] {
  return cache.list('').map(({ metadata }) => `${metadata.name}@${metadata.resourceVersion}`);
}

describe('Reflector', () => {
  test('resumes from the last version that it has applied, bookmarks included [OPS-13, F27]', async () => {
    await run(
      [{ items: [objectOf('a', 3)], resourceVersion: '5' }],
      [[shown('MODIFIED', 'a', 7), bookmark(9)], [lost]],
    );
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'watch 9', 'wait 1600', 'watch 9']);
    expect(names()).toEqual(['a@7']);
  });

  test.each([
    ['as the status of the watch', [expired]],
    ['inside the stream', [shown('ADDED', 'b', 6), expired]],
  ])('410 %s: lists again, and what vanished meanwhile is gone [OPS-12, F17, F24, F25]', async (_where, stream) => {
    await run(
      [
        { items: [objectOf('a', 3)], resourceVersion: '5' },
        { items: [objectOf('c', 8)], resourceVersion: '8' },
      ],
      [stream],
    );
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'list', 'watch 8']);
    expect(names()).toEqual(['c@8']);
  });

  test('a list that is older than what was seen is not taken in [F18] [F19]', async () => {
    await run(
      [
        { items: [objectOf('a', 3)], resourceVersion: '5' },
        { items: [], resourceVersion: '4' },
        { items: [objectOf('a', 3)], resourceVersion: '90' },
      ],
      [[bookmark(50), expired]],
    );
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'list', 'wait 1600', 'list', 'watch 90']);
    expect(names()).toEqual(['a@3']);
  });

  test('no error ever empties the cache or ends the reflector [OPS-09]', async () => {
    const refusals = [401, 403, 404, 500, 503].map((status) => new ApiError('no', { status, reason: '' }));
    await run([{ items: [objectOf('a', 3)], resourceVersion: '5' }, ...refusals], [[expired]]);
    expect(log.filter((line) => line === 'list')).toHaveLength(7);
    expect(names()).toEqual(['a@3']);
    expect(cache.complete).toBe(true);
  });

  test('waits as long as the server asks for [OPS-13, F29]', async () => {
    const busy = new ApiError('too many', { status: 429, reason: 'TooManyRequests', retryAfterMs: 7_000 });
    await run([busy, { items: [], resourceVersion: '5' }], []);
    expect(log).toEqual(['list', 'wait 7000', 'list', 'watch 5']);
  });

  test('a server that ends every watch at once is not asked in a tight loop', async () => {
    await run([{ items: [], resourceVersion: '5' }], [[], [], []]);
    expect(log).toEqual(['list', 'watch 5', 'wait 800', 'watch 5', 'wait 1600', 'watch 5', 'wait 3200', 'watch 5']);
  });
});
