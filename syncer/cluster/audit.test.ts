/** A cache whose watch has missed something, beside an API server in memory. */
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeCluster } from '../../test/support/fake-cluster.ts';
import { object, widgets } from '../../test/support/world.ts';
import type { KubeObject } from '../model/object.ts';
import { repair, takeCensus } from './audit.ts';
import { Cache } from './cache.ts';

const scope = { namespace: '' };
const { signal } = new AbortController();

let cluster: FakeCluster;
let cache: Cache;
let told: string[];

function nameOf(seen: KubeObject | undefined): string {
  return seen?.metadata.name ?? 'nothing';
}

async function listed(): Promise<void> {
  const { items, resourceVersion } = await cluster.list(widgets, scope);
  cache.replaceAll(items, resourceVersion);
  told = [];
}

function changed(name: string, rest: object = {}): void {
  cluster.set(widgets, object(widgets, { namespace: 'shop', name }, rest));
}

async function audit(meanwhile: () => void = () => {}): Promise<number> {
  const census = await takeCensus(cluster, widgets, scope, signal);
  meanwhile();
  return repair({ cluster, kind: widgets, cache }, census);
}

/** The watch has come so far, whatever it has shown. */
async function passed(): Promise<void> {
  cache.bookmark((await cluster.list(widgets, scope)).resourceVersion);
}

beforeEach(async () => {
  cluster = new FakeCluster('host');
  told = [];
  cache = new Cache({
    side: 'host',
    kind: widgets,
    indexes: [],
    onChange: ({ before, after }) => told.push(`${nameOf(before)} -> ${nameOf(after)}`),
  });
  for (const name of ['a', 'b']) changed(name);
  await listed();
});

describe('audit of a cache [CORE-38]', () => {
  test('finds nothing where nothing is missing', async () => {
    expect(await audit()).toBe(0);
    expect(told).toEqual([]);
  });

  test('finds what the watch came past without showing it, and tells', async () => {
    changed('a', { size: 2 });
    changed('new');
    cluster.vanish(widgets, { namespace: 'shop', name: 'b' });
    await passed();
    expect(await audit()).toBe(3);
    expect(told).toEqual(['a -> a', 'nothing -> new', 'b -> nothing']);
    expect(await audit()).toBe(0);
  });

  test('a watch that is only behind has missed nothing', async () => {
    changed('a', { size: 2 });
    changed('new');
    cluster.vanish(widgets, { namespace: 'shop', name: 'b' });
    expect(await audit()).toBe(0);
    expect(told).toEqual([]);
  });

  test('what goes on during an audit is left to the watch', async () => {
    const meanwhile = (): void => {
      changed('a', { size: 3 });
      changed('later');
      cluster.vanish(widgets, { namespace: 'shop', name: 'b' });
    };
    expect(await audit(meanwhile)).toBe(0);
    expect(told).toEqual([]);
  });

  test('made again under its name during an audit, an object is not taken for the former one', async () => {
    cluster.vanish(widgets, { namespace: 'shop', name: 'b' });
    await passed();
    expect(await audit(() => changed('b'))).toBe(1);
    expect(told).toEqual(['b -> nothing']);
  });
});
