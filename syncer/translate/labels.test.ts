import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { labelsToHost, matchLabelsToHost, namespaceLabelKey, podScope, selectorToHost } from './labels.ts';

const vc1 = { name: 'vc1' };
const hashedRelease = 'vcluster.loft.sh/label-vc1-x-a4d451ec23';

describe('labelsToHost()', () => {
  test('[VEC-05] release is translated, other labels pass [LAB-01, LAB-11]', () => {
    expect(labelsToHost({ app: 'vcluster', release: 'vc1' }, vc1)).toEqual({ app: 'vcluster', [hashedRelease]: 'vc1' });
  });

  test.each(['managed-by', 'namespace', 'controlled-by', 'token-secret'])(
    'a tenant cannot set vcluster.loft.sh/%s [LAB-01, ABU-06, F60]',
    (name) => {
      const [[key] = []] = Object.entries(labelsToHost({ [`vcluster.loft.sh/${name}`]: 'vc2' }, vc1));
      expect(key).toMatch(/^vcluster\.loft\.sh\/label-vc1-x-[0-9a-f]{10}$/u);
    },
  );

  test('what looks translated already is dropped [LAB-06, F60]', () => {
    expect(
      labelsToHost({ [hashedRelease]: 'x', 'vcluster.loft.sh/ns-label-vc1-x-cf1227b7b2': 'x', a: 'b' }, vc1),
    ).toEqual({
      a: 'b',
    });
  });

  test('different keys stay different', () => {
    const key = fc.stringMatching(/^([a-z]{1,9}\.io\/)?[a-zA-Z0-9]{1,20}$/u);
    const keys = fc.uniqueArray(
      fc.oneof(
        key,
        key.map((name) => `vcluster.loft.sh/${name.replace('/', '.')}`),
      ),
    );
    fc.assert(
      fc.property(keys, (all) => {
        const labels = Object.fromEntries(all.map((each) => [each, each]));
        const values = Object.values(labelsToHost(labels, vc1));
        expect(values.toSorted()).toEqual(all.toSorted());
      }),
    );
  });
});

describe('namespaceLabelKey()', () => {
  test.each([
    ['vc1', 'vcluster.loft.sh/ns-label-vc1-x-cf1227b7b2'],
    ['a-rather-long-virtual-cluster-name-here', 'vcluster.loft.sh/ns-label-a-rather-long-virtual-clus-eba4e4477f'],
  ])('[VEC-06] kubernetes.io/metadata.name for %s', (name, expected) => {
    expect(namespaceLabelKey('kubernetes.io/metadata.name', { name })).toBe(expected);
  });
});

describe('selectors', () => {
  test('keys are translated as in labels, operators and values are not [LAB-12]', () => {
    const selector = {
      matchLabels: { release: 'a', app: 'b' },
      matchExpressions: [
        { key: 'release', operator: 'NotIn', values: ['c'] },
        { key: 'app', operator: 'Exists' },
      ],
    };
    expect(selectorToHost(selector, vc1)).toEqual({
      matchLabels: { [hashedRelease]: 'a', app: 'b' },
      matchExpressions: [
        { key: hashedRelease, operator: 'NotIn', values: ['c'] },
        { key: 'app', operator: 'Exists' },
      ],
    });
  });

  test('an absent selector stays absent and an empty one empty [LAB-12]', () => {
    expect(selectorToHost(undefined, vc1)).toBeUndefined();
    expect(selectorToHost({}, vc1)).toEqual({});
  });

  test('a selector of a map never loses a key, which would make it match more', () => {
    const map = { 'vcluster.loft.sh/ns-label-vc1-x-cf1227b7b2': 'x', release: 'y' };
    expect(Object.keys(matchLabelsToHost(map, vc1))).toHaveLength(2);
  });

  test('podScope() keeps a selector inside one namespace of one virtual cluster', () => {
    expect(podScope(vc1, 'shop')).toEqual({
      'vcluster.loft.sh/managed-by': 'vc1',
      'vcluster.loft.sh/namespace': 'shop',
    });
  });
});
