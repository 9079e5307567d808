import { beforeEach, describe, expect, test } from 'vitest';
import { configMaps } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import type { Key } from '../model/side.ts';
import type { Index } from '../model/view.ts';
import { Cache } from './cache.ts';

const byApp: Index = {
  name: 'by app',
  side: 'host',
  kind: configMaps,
  values: ({ metadata }) => (metadata.labels?.['app'] === undefined ? [] : [metadata.labels['app']]),
};
const key: Key = { namespace: 'n', name: 'a' };

let changes: string[] = [];
let cache: Cache;

beforeEach(() => {
  changes = [];
  const told = (object: KubeObject | undefined): string =>
    object === undefined ? '-' : `${object.metadata.uid}@${object.metadata.resourceVersion}`;
  cache = new Cache({
    side: 'host',
    kind: configMaps,
    indexes: [byApp],
    onChange: ({ before, after }) => changes.push(`${told(before)} → ${told(after)}`),
  });
});

function objectOf(version: number, { name = 'a', uid = 'u1', app = 'web' } = {}): KubeObject {
  return { metadata: { name, namespace: 'n', uid, resourceVersion: String(version), labels: { app } } };
}

describe('Cache', () => {
  test('is complete with the first list, not before', () => {
    cache.wrote(objectOf(5));
    expect(cache.complete).toBe(false);
    cache.replaceAll([], '7');
    expect(cache.complete).toBe(true);
  });

  test('a list tells what is new, what changed and what vanished while nobody watched [OPS-12, F17]', () => {
    cache.replaceAll([objectOf(1), objectOf(2, { name: 'b', uid: 'u2' }), objectOf(3, { name: 'c', uid: 'u3' })], '3');
    changes = [];
    cache.replaceAll([objectOf(1), objectOf(5, { name: 'b', uid: 'u2' }), objectOf(6, { name: 'd', uid: 'u4' })], '6');
    expect(changes).toEqual(['u2@2 → u2@5', '- → u4@6', 'u3@3 → -']);
    expect(cache.list('').map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'd']);
  });

  test('a list that is older than an object just written does not take it away', () => {
    cache.replaceAll([], '10');
    cache.wrote(objectOf(12));
    cache.replaceAll([], '11');
    expect(cache.get(key)).toBeDefined();
    cache.replaceAll([], '13');
    expect(cache.get(key)).toBeUndefined();
  });

  test('the answer of a write is visible at once, and older events of the watch do not undo it [CORE-18, CORE-20] [benchmarks 3.10]', () => {
    cache.replaceAll([objectOf(1)], '1');
    cache.wrote(objectOf(9, { app: 'ours' }));
    cache.observe(objectOf(5, { app: 'older' }), false);
    expect(cache.get(key)?.metadata.labels).toEqual({ app: 'ours' });
    cache.observe(objectOf(9, { app: 'ours' }), false);
    expect(changes).toEqual(['- → u1@1', 'u1@1 → u1@9']);
  });

  test('a late answer does not bring back what the watch has seen deleted', () => {
    cache.replaceAll([objectOf(1)], '1');
    cache.observe(objectOf(9), true);
    cache.wrote(objectOf(8));
    expect(cache.get(key)).toBeUndefined();
    cache.bookmark('20');
    cache.wrote(objectOf(19, { name: 'b' }));
    expect(cache.size).toBe(0);
  });

  test('a late answer about what a list never showed tells that it is gone: nobody else would [F17] [F21]', () => {
    cache.replaceAll([], '9');
    cache.wrote(objectOf(5));
    expect([cache.size, changes]).toEqual([0, ['u1@5 → -']]);
  });

  test('a deletion carries the last known object, and one seen late spares the next incarnation [CORE-05]', () => {
    cache.replaceAll([objectOf(1)], '1');
    cache.wrote(objectOf(6, { uid: 'u2' }));
    cache.observe(objectOf(5), true);
    expect(cache.get(key)?.metadata.uid).toBe('u2');
    cache.observe(objectOf(7, { uid: 'u2' }), true);
    expect(changes).toEqual(['- → u1@1', 'u1@1 → u2@6', 'u2@6 → -']);
  });

  test('late events of a former incarnation do not bring it back, nor an older state of this one [F14] [F21]', () => {
    cache.replaceAll([], '1');
    cache.wrote(objectOf(9, { uid: 'u2' }));
    cache.observe(objectOf(5), false);
    cache.observe(objectOf(6), true);
    cache.observe(objectOf(7, { uid: 'u2' }), false);
    expect(changes).toEqual(['- → u2@9']);
    expect(cache.get(key)?.metadata.resourceVersion).toBe('9');
  });

  test('removed() hides an incarnation at once, tells it once, and the watch has nothing to add', () => {
    cache.replaceAll([objectOf(1)], '1');
    cache.removed(key, 'other');
    expect(cache.get(key)).toBeDefined();
    cache.removed(key, 'u1');
    cache.removed(key, 'u1');
    expect([cache.get(key), cache.list('n'), cache.list(''), cache.indexed(byApp, 'web')]).toEqual([
      undefined,
      [],
      [],
      [],
    ]);
    cache.observe(objectOf(4), false);
    expect(cache.get(key)).toBeUndefined();
    cache.observe(objectOf(5), true);
    expect(changes).toEqual(['- → u1@1', 'u1@1 → -']);
  });

  test('after removed(), a new incarnation is visible whichever event comes first', () => {
    cache.replaceAll([objectOf(1)], '1');
    cache.removed(key, 'u1');
    cache.wrote(objectOf(6, { uid: 'u2' }));
    expect(cache.get(key)?.metadata.uid).toBe('u2');
    cache.observe(objectOf(5), true);
    expect(cache.get(key)?.metadata.uid).toBe('u2');
  });

  test('restart() takes a list of a store that was set back for the whole truth [F19]', () => {
    cache.replaceAll([objectOf(3), objectOf(9, { name: 'b', uid: 'u2' }), objectOf(8, { name: 'c', uid: 'u3' })], '9');
    cache.wrote(objectOf(20, { name: 'd', uid: 'u4' }));
    changes = [];
    cache.restart([objectOf(3), objectOf(5, { name: 'b', uid: 'u2', app: 'older' })], '7');
    expect(changes).toEqual(['u2@9 → -', 'u3@8 → -', 'u4@20 → -', '- → u2@5']);
    expect(cache.indexed(byApp, 'older')).toHaveLength(1);
    cache.observe(objectOf(8, { name: 'b', uid: 'u2' }), false);
    expect(cache.get({ namespace: 'n', name: 'b' })?.metadata.resourceVersion).toBe('8');
  });

  test('an item that cannot be taken in is handed over, and the others are taken in [OPS-14]', () => {
    const broken: unknown[] = [];
    cache.replaceAll([objectOf(1), {} as KubeObject, objectOf(2, { name: 'b', uid: 'u2' })], '2', (item) =>
      broken.push(item),
    );
    expect(broken).toEqual([{}]);
    expect(cache.list('').map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
    expect(cache.complete).toBe(true);
  });

  test('indexes follow their objects', () => {
    cache.replaceAll([objectOf(1), objectOf(2, { name: 'b', uid: 'u2' })], '2');
    expect(cache.indexed(byApp, 'web')).toHaveLength(2);
    cache.observe(objectOf(3, { app: 'db' }), false);
    expect(cache.indexed(byApp, 'web').map(({ metadata }) => metadata.name)).toEqual(['b']);
    expect(cache.indexed(byApp, 'db').map(({ metadata }) => metadata.name)).toEqual(['a']);
    cache.observe(objectOf(4, { app: 'db' }), true);
    expect(cache.indexed(byApp, 'db')).toEqual([]);
  });

  test('keeps only what a source wants kept', () => {
    const lean = new Cache({
      side: 'host',
      kind: configMaps,
      indexes: [],
      keep: ({ metadata }) => ({ metadata }),
      onChange: () => {},
    });
    lean.replaceAll([{ ...objectOf(1), data: { secret: 'x' } } as KubeObject], '1');
    expect(lean.get(key)).toEqual(objectOf(1));
  });
});
