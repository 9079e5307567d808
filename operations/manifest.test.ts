import { assert, dictionary, jsonValue, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differences, durationMs, objectsOf, quantity } from './manifest.ts';
import { listPatch } from './repair.ts';
import { valuesDiff } from './values-diff.ts';

const paths = (wanted: unknown, live: unknown): readonly string[] => differences(wanted, live).map(({ path }) => path);

describe('differences()', () => {
  test('is none for what the host adds: defaults, labels, entries of others', () => {
    const wanted = {
      metadata: { labels: { app: 'x' } },
      spec: { containers: [{ name: 'a', image: 'i' }], nodeSelector: {} },
    };
    const live = {
      metadata: { labels: { app: 'x', more: 'y' }, uid: '1' },
      spec: {
        containers: [
          { name: 'mesh', image: 'm' },
          { name: 'a', image: 'i', terminationMessagePath: '/dev' },
        ],
      },
    };
    expect(differences(wanted, live)).toEqual([]);
  });

  test.each([
    ['quantities', { cpu: '0.5', memory: '1Gi', disk: 5 }, { cpu: '500m', memory: '1024Mi', disk: '5' }],
    ['durations', { interval: '60s', timeout: '1m30s' }, { interval: '1m', timeout: '90s' }],
    ['numbers written as words', { port: 80, other: '443' }, { port: '80', other: 443 }],
    ['left out defaults', { optional: false, list: [], map: {}, text: '', none: null }, {}],
    [
      'lists without keys in another order',
      { t: [{ operator: 'Exists' }, { value: 'a' }] },
      { t: [{ value: 'a', x: 1 }, { operator: 'Exists' }] },
    ],
  ])('knows that %s can be the same', (_, wanted, live) => expect(differences(wanted, live)).toEqual([]));

  test('names the place, by the key of an entry where it has one', () => {
    expect(
      paths(
        { spec: { c: [{ name: 'etcd', image: 'a', args: ['x', 'y'] }] } },
        { spec: { c: [{ name: 'etcd', image: 'b', args: ['y', 'x'] }] } },
      ),
    ).toEqual(['spec.c[etcd].image', 'spec.c[etcd].args[0]', 'spec.c[etcd].args[1]']);
    expect(paths({ ports: [{ port: 1 }, { port: 2, x: 'a' }] }, { ports: [{ port: 2, x: 'b' }] })).toEqual([
      'ports[0]',
      'ports[1].x',
    ]);
    expect(paths({ labels: { 'a/b': 'x' } }, { labels: {} })).toEqual(['labels["a/b"]']);
    expect(paths({ args: ['a'] }, { args: ['a', 'b'] })).toEqual(['args']);
    expect(paths({ spec: { a: 1 } }, { spec: undefined })).toEqual(['spec']);
  });

  test('of anything with itself, and with more beside it, is none', () => {
    const objects = dictionary(string(), jsonValue());
    const none = (wanted: unknown, live: unknown): void => {
      expect(differences(wanted, live)).toEqual([]);
    };
    assert(property(jsonValue(), (value) => none(value, structuredClone(value))));
    assert(property(objects, objects, (wanted, more) => none(wanted, { ...more, ...wanted })));
  });
});

test('quantity() and durationMs()', () => {
  expect(['1', '1k', '1Ki', '500m', '1e3', '2E', '-1', '.5'].map(quantity)).toEqual([
    1, 1000, 1024, 0.5, 1000, 2e18, -1, 0.5,
  ]);
  expect(['', 'x', '1x', '1.2.3', 'Mi'].map(quantity)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(['1m30s', '500ms', '1h', '1', 'm'].map(durationMs)).toEqual([90_000, 500, 3_600_000, undefined, undefined]);
});

test('objectsOf() leaves out what is empty', () => {
  expect(objectsOf('---\n# nothing\n---\nkind: A\napiVersion: v1\n---\n').map(({ kind }) => kind)).toEqual(['A']);
});

describe('listPatch()', () => {
  const service = (ports: readonly object[]): Parameters<typeof listPatch>[0] => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', resourceVersion: '7' },
    spec: { ports },
  });

  test('puts a whole list back when an entry has another key, and leaves the rest to Helm', () => {
    const wanted = service([{ name: 'https', port: 443 }]);
    expect(listPatch(wanted, service([{ name: 'https', port: 444 }]))).toEqual({
      metadata: { resourceVersion: '7' },
      spec: { ports: [{ name: 'https', port: 443 }] },
    });
    expect(
      listPatch(
        wanted,
        service([
          { name: 'https', port: 443, nodePort: 1 },
          { name: 'x', port: 1 },
        ]),
      ),
    ).toBeUndefined();
    const other = service([{ name: 'https', port: 443, targetPort: 1 }]);
    expect(listPatch(other, service([{ name: 'https', port: 443, targetPort: 2 }]))).toBeUndefined();
  });
});

test('valuesDiff() has a line for each value, and none for what is the same', () => {
  const was = { a: { b: 1, c: ['x'] }, gone: true, empty: {}, same: { y: 1, x: 2 } };
  const is = { a: { b: 2, c: ['x'] }, same: { x: 2, y: 1 }, fresh: { deep: 'v' } };
  expect(valuesDiff(was, is)).toEqual(['a.b: 1 → 2', 'fresh.deep: none → "v"', 'gone: true → none']);
  expect(valuesDiff({ a: {} }, {})).toEqual([]);
});
