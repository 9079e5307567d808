import { describe, expect, test } from 'vitest';
import { podOf } from './fixtures.ts';
import { release } from '../../../test/support/release.ts';
import { refusalOf } from './refusals.ts';
import { affinityToHost, spreadToHost } from './scheduling.ts';

const marker = { 'vcluster.loft.sh/managed-by': 'vc1' };
const scope = { ...marker, 'vcluster.loft.sh/namespace': 'shop' };
const web = { matchLabels: { app: 'web' } };
const topologyKey = 'kubernetes.io/hostname';
const tierKey = 'vcluster.loft.sh/ns-label-vc1-x-';

function required(term: object, kind = 'podAntiAffinity'): unknown {
  const pod = podOf({
    affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, ...term }] } },
  });
  const { [kind]: terms } = affinityToHost(pod, release) ?? {};
  return Object.values(terms ?? {})[0];
}

describe('affinityToHost()', () => {
  test.each([
    [
      'the own namespace when none is named [POD-143]',
      { labelSelector: web },
      { matchLabels: { app: 'web', ...scope } },
    ],
    [
      'named namespaces [POD-141]',
      { labelSelector: web, namespaces: ['a', 'b'] },
      {
        matchLabels: { app: 'web', ...marker },
        matchExpressions: [{ key: 'vcluster.loft.sh/namespace', operator: 'In', values: ['a', 'b'] }],
      },
    ],
    [
      'all namespaces [POD-142]',
      { labelSelector: web, namespaceSelector: {} },
      { matchLabels: { app: 'web', ...marker } },
    ],
    [
      'all namespaces, whatever is named [POD-142, POD-144]',
      { labelSelector: web, namespaceSelector: {}, namespaces: ['a'] },
      { matchLabels: { app: 'web', ...marker } },
    ],
    [
      'translated label keys [POD-140]',
      { labelSelector: { matchExpressions: [{ key: 'release', operator: 'In', values: ['x'] }] } },
      {
        matchLabels: scope,
        matchExpressions: [{ key: 'vcluster.loft.sh/label-vc1-x-a4d451ec23', operator: 'In', values: ['x'] }],
      },
    ],
    ['an empty selector is still confined [POD-140, POD-143]', { labelSelector: {} }, { matchLabels: scope }],
  ])('%s', (_, term, labelSelector) => {
    expect(required(term)).toEqual([{ topologyKey, labelSelector }]);
  });

  test('namespaces selected by label [POD-142, TOP-08]', () => {
    const namespaceSelector = {
      matchLabels: { 'kubernetes.io/metadata.name': 'shop' },
      matchExpressions: [{ key: 'tier', operator: 'Exists' }],
    };
    expect(required({ labelSelector: web, namespaceSelector })).toEqual([
      {
        topologyKey,
        labelSelector: {
          matchLabels: { app: 'web', 'vcluster.loft.sh/ns-label-vc1-x-cf1227b7b2': 'shop', ...marker },
          matchExpressions: [{ key: expect.stringContaining(tierKey) as string, operator: 'Exists' }],
        },
      },
    ]);
  });

  test('no selector matches nothing and stays so [POD-145]', () => {
    expect(required({ namespaces: ['a'], namespaceSelector: {} })).toEqual([{ topologyKey }]);
  });

  test('merged label keys are not merged twice [POD-146]', () => {
    expect(required({ labelSelector: web, matchLabelKeys: ['x'], mismatchLabelKeys: ['y'] })).toEqual([
      { topologyKey, labelSelector: { matchLabels: { app: 'web', ...scope } } },
    ]);
  });

  const union = { labelSelector: web, namespaces: ['a'], namespaceSelector: { matchLabels: { tier: 'x' } } };

  test('named and selected namespaces are two terms for anti-affinity [POD-144]', () => {
    expect(required(union)).toHaveLength(2);
  });

  test('named and selected namespaces are refused for affinity [POD-144]', () => {
    const podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, ...union }] };
    expect(refusalOf(podOf({ affinity: { podAffinity } }).spec, release)).toContain('namespaceSelector');
    expect(refusalOf(podOf({ affinity: { podAntiAffinity: podAffinity } }).spec, release)).toBeUndefined();
  });

  test('preferences keep their weight [POD-140]', () => {
    const preferred = [{ weight: 7, podAffinityTerm: { topologyKey, labelSelector: web } }];
    const pod = podOf({ affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: preferred } } });
    expect(affinityToHost(pod, release)).toEqual({
      podAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          { weight: 7, podAffinityTerm: { topologyKey, labelSelector: { matchLabels: { app: 'web', ...scope } } } },
        ],
      },
    });
  });

  test('node affinity passes, matchFields included [POD-148, POD-12]', () => {
    const nodeAffinity = {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] }],
      },
    };
    expect(affinityToHost(podOf({ affinity: { nodeAffinity } }), release)).toEqual({ nodeAffinity });
  });
});

describe('spreadToHost() [POD-147]', () => {
  const constraint = { maxSkew: 1, topologyKey, whenUnsatisfiable: 'DoNotSchedule' };

  test('counts only the pods of the own namespace', () => {
    const pod = podOf({ topologySpreadConstraints: [{ ...constraint, labelSelector: web }] });
    expect(spreadToHost(pod, release)).toEqual([
      { ...constraint, labelSelector: { matchLabels: { app: 'web', ...scope } } },
    ]);
  });

  test('no selector stays none', () => {
    expect(spreadToHost(podOf({ topologySpreadConstraints: [constraint] }), release)).toEqual([constraint]);
  });

  test('label keys are translated, and dropped where the virtual API server has merged them already', () => {
    const merged = { matchExpressions: [{ key: 'pod-template-hash', operator: 'In', values: ['h1'] }] };
    const metadata = { labels: { 'pod-template-hash': 'h1', release: 'r' } };
    const spread = { ...constraint, labelSelector: merged, matchLabelKeys: ['pod-template-hash', 'release'] };
    const [first] = spreadToHost(podOf({ topologySpreadConstraints: [spread] }, metadata), release) ?? [];
    expect(first?.['matchLabelKeys']).toEqual(['vcluster.loft.sh/label-vc1-x-a4d451ec23']);
  });
});
