/** What somebody on the host does to the marks of a host object. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostKey, ToyLoop } from '../../test/support/toy-loop.ts';
import { widgets } from '../../test/support/world.ts';

let loop: ToyLoop;

beforeEach(async () => {
  loop = await ToyLoop.started();
  await loop.make();
});

afterEach(() => loop.end());

describe('Engine', () => {
  test.each([
    ['labels', 'vcluster.loft.sh/managed-by'],
    ['labels', 'vcluster.loft.sh/namespace'],
    ['annotations', 'vcluster.loft.sh/object-name'],
    ['annotations', 'vcluster.loft.sh/object-namespace'],
    ['annotations', 'vcluster.loft.sh/object-uid'],
  ] as const)('a host object without one of its marks is put right: %s %s [F69, F75, NAM-30]', async (field, mark) => {
    const before = loop.host.peek(widgets, hostKey);
    if (before === undefined) throw new Error('No host object.');
    const { [mark]: _lost, ...others } = before.metadata[field] ?? {};
    loop.host.set(widgets, { ...before, metadata: { ...before.metadata, [field]: others } });
    await loop.atRest();
    expect(loop.host.peek(widgets, hostKey)?.metadata[field]).toEqual(before.metadata[field]);
  });

  test('one that names another incarnation is not ours to put right: it is replaced [F69] [CORE-10]', async () => {
    const before = loop.host.peek(widgets, hostKey);
    if (before === undefined) throw new Error('No host object.');
    const annotations = { ...before.metadata.annotations, 'vcluster.loft.sh/object-uid': 'another' };
    loop.host.set(widgets, { ...before, metadata: { ...before.metadata, annotations } });
    await loop.atRest();
    const { metadata } = loop.host.peek(widgets, hostKey) ?? {};
    expect(loop.host.writes).toContain('delete widgets tenant-a/web-x-shop-x-vc1');
    expect(metadata?.annotations ?? before.metadata.annotations).toEqual(before.metadata.annotations);
  });
});
