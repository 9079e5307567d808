import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeChart } from '../../operations/chart-files.ts';
import { defaultReleases } from '../../config/kubernetes-versions.ts';
import type { ConfiguredProvider } from '../configured.ts';
import type { Private } from '../framework/call.ts';
import { ProviderError } from '../framework/diagnostics.ts';
import { plannedObject } from '../framework/plan.ts';
import { UNKNOWN } from '../framework/values.ts';
import type { Value, ValueRecord } from '../framework/values.ts';
import { asCluster, clusterAttributes, ownNames } from './attributes.ts';
import { planCluster, protection } from './plan.ts';
import type { ClusterPlanCall } from './host-check.ts';
import { optionAttributes } from '../options.ts';

const chartVersion = (await describeChart()).version;
const nothing = { private: { protected: false } };
const silent = (): void => undefined;
/** A provider whose host is made in the same apply: nothing can be asked of it. */
const provider: ConfiguredProvider = {
  helmPath: undefined,
  host: () => Promise.reject(new ProviderError('Unknown', 'Not yet.')),
  close: async () => undefined,
};

function complete(values: ValueRecord): ValueRecord {
  const empty = Object.fromEntries(Object.keys(clusterAttributes).map((name) => [name, null]));
  return { ...empty, ...values };
}

/** A state as an apply of the configuration leaves it. */
function stored(config: ValueRecord): ValueRecord {
  return complete({
    pause: false,
    deletion_protection: false,
    namespace: config['name'] ?? null,
    namespace_lifecycle: 'create',
    id: 'a/a',
    endpoint: 'https://10.0.0.1',
    cluster_ca_certificate: 'CA',
    kubeconfig_secret: { name: 'vc-a', namespace: 'a' },
    kubernetes_version_running: '1.36.3',
    chart_version: chartVersion,
    syncer_version: '0.1.0',
    phase: 'Running',
    conditions: [],
    synced_objects: { pods: 1 },
    drift: [],
    ...config,
  });
}

async function plan(given: ValueRecord, prior?: ValueRecord, kept: Private = {}): ReturnType<typeof planCluster> {
  const config = complete(given);
  const call: ClusterPlanCall = {
    config,
    prior,
    planned: plannedObject(clusterAttributes, config, prior),
    private: kept,
    provider,
    signal: new AbortController().signal,
    log: { trace: silent, debug: silent, info: silent, warn: silent, error: silent },
    hide: silent,
    remainingMs: () => Infinity,
  };
  return planCluster(call);
}

/** Names of what becomes unknown, sorted. */
function unknown({ values = {} }: Awaited<ReturnType<typeof plan>>): readonly string[] {
  return Object.entries(values as ValueRecord)
    .filter(([, value]) => value === UNKNOWN)
    .map(([name]) => name)
    .toSorted();
}

function summaries({ diagnostics = [] }: Awaited<ReturnType<typeof plan>>): readonly string[] {
  return diagnostics.map(({ severity, summary }) => `${severity}: ${summary}`);
}

const volume = (claim: ValueRecord): Value => ({ stateful_set: { persistence: { volume_claim: claim } } });

test('no option has the name of an attribute of the resource', () => {
  expect(Object.keys(optionAttributes()).filter((name) => ownNames.includes(name))).toEqual([]);
});

describe('the plan of a creation', () => {
  test('knows namespace and lifecycle, and leaves the id unknown', async () => {
    const planned = await plan({ name: 'a' });
    expect(planned.values).toEqual({ namespace: 'a', namespace_lifecycle: 'create', drift: [] });
    expect((await plan({ name: UNKNOWN })).values).toMatchObject({ namespace: UNKNOWN });
    expect((await plan({ name: 'a', namespace: 'b' })).values).toMatchObject({ namespace: 'b' });
  });

  test('that replaces a protected one is refused, whatever made Terraform replace it', async () => {
    const { private: kept } = await plan({ name: 'a' }, stored({ name: 'a', deletion_protection: true }), {
      ready: true,
    });
    expect(summaries(await plan({ name: 'a' }, undefined, kept))).toEqual(['error: Virtual cluster a/a is protected']);
    const { private: free } = await plan({ name: 'a' }, stored({ name: 'a' }), kept);
    expect(summaries(await plan({ name: 'a' }, undefined, free))).toEqual([]);
  });
});

describe('the plan of an update', () => {
  test('changes nothing when nothing has changed', async () => {
    const config = { name: 'a', kubernetes_version: '1.36', values: ['logging: {level: info}'] };
    expect(await plan(config, stored(config))).toEqual({ ...nothing, diagnostics: [] });
  });

  test('does not touch the release for what is no matter of the release', async () => {
    const config = { name: 'a', values: ['logging: {level: debug}'] };
    const other = { name: 'a', logging: { level: 'debug' }, deletion_protection: true, timeouts: { create: '1m' } };
    expect(await plan(other, stored(config))).toEqual({ ...nothing, diagnostics: [] });
  });

  test('makes unknown what may change, and nothing that others depend on', async () => {
    const planned = await plan({ name: 'a', logging: { level: 'debug' } }, stored({ name: 'a' }));
    expect(unknown(planned)).toEqual(['conditions', 'phase', 'synced_objects', 'syncer_version']);
    expect(planned.replace).toBeUndefined();
  });

  test('makes the running version unknown when another one is asked for', async () => {
    const planned = await plan(
      { name: 'a', kubernetes_version: '1.36.2' },
      stored({ name: 'a', kubernetes_version: '1.36' }),
    );
    expect(unknown(planned)).toContain('kubernetes_version_running');
    expect(planned.replace).toBeUndefined();
  });

  test('repairs drift', async () => {
    const planned = await plan({ name: 'a' }, stored({ name: 'a', drift: ['release a is missing'], endpoint: null }));
    expect(planned.values).toMatchObject({ drift: [], endpoint: UNKNOWN, phase: UNKNOWN });
    expect(planned.values).not.toHaveProperty('id');
  });

  test('installs a newer chart, and refuses an older one', async () => {
    const newer = await plan({ name: 'a' }, stored({ name: 'a', chart_version: '0.0.1' }));
    expect(newer.values).toMatchObject({ chart_version: chartVersion });
    const older = await plan({ name: 'a' }, stored({ name: 'a', chart_version: '99.0.0' }));
    expect(summaries(older)).toEqual(['error: This provider is older than the virtual cluster']);
  });

  test('warns before it is put to sleep, and says nothing when it wakes', async () => {
    const asleep = stored({ name: 'a', pause: true, phase: 'Paused' });
    expect(summaries(await plan({ name: 'a', pause: true }, stored({ name: 'a' })))).toEqual([
      'warning: The virtual cluster will be put to sleep',
    ]);
    const waking = await plan({ name: 'a' }, asleep);
    expect(summaries(waking)).toEqual([]);
    expect(unknown(waking)).toEqual(['conditions', 'phase', 'synced_objects']);
  });

  test('warns when objects may be lost because there is no volume', async () => {
    const control_plane = volume({ enabled: false });
    const planned = await plan(
      { name: 'a', control_plane, logging: { level: 'debug' } },
      stored({ name: 'a', control_plane }),
    );
    expect(summaries(planned)).toEqual(['warning: The virtual cluster may lose its objects']);
  });

  test('warns when minor versions are skipped', async () => {
    const minors = Object.keys(defaultReleases());
    const [from = '', to = ''] = [minors.at(-3), minors.at(-1)];
    const running = { kubernetes_version: from, kubernetes_version_running: defaultReleases()[from] ?? '' };
    const planned = await plan({ name: 'a', kubernetes_version: to }, stored({ name: 'a', ...running }));
    expect(summaries(planned)).toEqual(['warning: Minor versions of Kubernetes are skipped']);
  });

  test('never replaces for what may stand in a text that is not known yet, only for what an attribute says', async () => {
    const size = (text: string): ValueRecord => ({ stateful_set: { persistence: { volume_claim: { size: text } } } });
    const text = '{"controlPlane":{"statefulSet":{"persistence":{"volumeClaim":{"size":"20Gi"}}}}}';
    const prior = stored({
      name: 'a',
      values: [text],
      kubernetes_version: '1.35',
      kubernetes_version_running: '1.35.8',
    });
    for (const values of [UNKNOWN, [UNKNOWN], [text.replace('20', '5'), UNKNOWN]]) {
      const planned = await plan({ name: 'a', values }, prior);
      expect(planned).not.toHaveProperty('replace');
      expect(unknown(planned)).toContain('kubernetes_version_running');
    }
    const planned = await plan({ name: 'a', values: [UNKNOWN], control_plane: size('5Gi') }, prior);
    expect(planned.replace).toHaveLength(1);
  });

  test('is none for texts in another form that mean the same, and keeps the applied ones', async () => {
    const prior = stored({ name: 'a', values: ['{"logging":{"level":"info"}}'] });
    const planned = await plan({ name: 'a', values: ['# quieter\nlogging:\n  level: info\n', null] }, prior);
    expect(planned).toEqual({ ...nothing, diagnostics: [], values: { values: prior['values'] } });
    const other = await plan({ name: 'a', values: ['logging: {level: warn}'] }, prior);
    expect(other.values).not.toHaveProperty('values');
    expect((await plan({ name: 'a', values: [UNKNOWN] }, prior)).values).not.toHaveProperty('values');
  });

  test('puts another chart over the release also when it has the same version', async () => {
    const chart_path = join(import.meta.dirname, '../../chart');
    const planned = await plan({ name: 'a', chart_path }, stored({ name: 'a' }));
    expect(unknown(planned)).toContain('phase');
    expect(await plan({ name: 'a', chart_path }, stored({ name: 'a', chart_path }))).toEqual({
      ...nothing,
      diagnostics: [],
    });
  });

  test('takes a label that is null for one that is not there', async () => {
    const config = { name: 'a', labels: { a: 'b', none: null }, namespace_labels: { none: null } };
    expect(await plan(config, stored({ name: 'a', labels: { a: 'b' } }))).toEqual({ ...nothing, diagnostics: [] });
  });

  test('goes on where values are not known yet', async () => {
    const planned = await plan({ name: 'a', values: [UNKNOWN], labels: { a: UNKNOWN } }, stored({ name: 'a' }));
    expect(unknown(planned)).toContain('phase');
    expect(planned.replace).toBeUndefined();
  });
});

describe('a replacement', () => {
  const size = ['control_plane', 'stateful_set', 'persistence', 'volume_claim', 'size'];

  test.each<[string, ValueRecord, ValueRecord, readonly (string | number)[]]>([
    ['a size', { control_plane: volume({ size: '5Gi' }) }, { control_plane: volume({ size: '6Gi' }) }, size],
    ['a size that was not said', {}, { control_plane: volume({ size: '6Gi' }) }, ['control_plane']],
    [
      'a size in values',
      {},
      { values: ['controlPlane: {statefulSet: {persistence: {volumeClaim: {size: 6Gi}}}}'] },
      ['values'],
    ],
    ['no volume', {}, { control_plane: volume({ enabled: false }) }, ['control_plane']],
    ['a domain', {}, { networking: { advanced: { cluster_domain: 'x.local' } } }, ['networking']],
    ['an older minor', { kubernetes_version: '1.36' }, { kubernetes_version: '1.35' }, ['kubernetes_version']],
    ['the default minor', {}, { kubernetes_version: '1.35' }, ['kubernetes_version']],
  ])('is planned for %s, with its reason', async (_, before, after, path) => {
    const planned = await plan({ name: 'a', ...after }, stored({ name: 'a', ...before }));
    expect(planned.replace?.[0]).toEqual({ path, why: expect.stringMatching(/^[^.]{20,}$/) as string });
    expect(summaries(planned)).toEqual(['warning: Everything in virtual cluster a/a will be lost']);
  });

  test.each<[string, ValueRecord, ValueRecord]>([
    ['the default is written down', {}, { control_plane: volume({ size: '5Gi', enabled: true }) }],
    [
      'the value moves to the texts',
      { control_plane: volume({ size: '6Gi' }) },
      { values: ['controlPlane: {statefulSet: {persistence: {volumeClaim: {size: 6Gi}}}}'] },
    ],
    [
      'there is no volume whose size would matter',
      { control_plane: volume({ enabled: false }) },
      { control_plane: volume({ enabled: false, size: '9Gi' }) },
    ],
    ['it is not known yet', {}, { control_plane: volume({ size: UNKNOWN }) }],
    [
      'Kubernetes becomes newer',
      { kubernetes_version: '1.35', kubernetes_version_running: '1.35.1' },
      { kubernetes_version: '1.36' },
    ],
  ])('is not planned when %s', async (_, before, after) => {
    expect((await plan({ name: 'a', ...after }, stored({ name: 'a', ...before }))).replace ?? []).toEqual([]);
  });

  test('is planned for what a removal has left, which comes before all else', async () => {
    const prior = stored({ name: 'a', phase: 'Terminating', drift: ['x'] });
    const planned = await plan({ name: 'a' }, prior, { leaving: true });
    expect(planned.replace).toEqual([{ path: ['phase'], why: 'its removal has not come to its end' }]);
    // Somebody else removes it: what can be done in place is done in place.
    expect((await plan({ name: 'a' }, prior)).replace).toBeUndefined();
    expect((await plan({ name: 'a' }, stored({ name: 'a' }), { leaving: true })).replace).toBeUndefined();
  });

  test('is refused when it is protected and was ready', async () => {
    const prior = stored({ name: 'a', deletion_protection: true });
    const renamed = { name: 'b', deletion_protection: true };
    expect(summaries(await plan(renamed, prior, { ready: true }))[0]).toBe('error: Virtual cluster a/a is protected');
    expect(summaries(await plan(renamed, prior))[0]).toBe('error: Virtual cluster a/a is protected');
    const unready = { ...prior, phase: 'Pending' };
    expect(summaries(await plan(renamed, unready))).toEqual([
      'warning: Everything in virtual cluster a/a will be lost',
    ]);
  });
});

test('protection() ends with the protection, and holds nothing back that was never ready', () => {
  const prior = asCluster(stored({ name: 'a', deletion_protection: true, phase: 'Pending' }));
  expect(protection(prior, { private: { ready: true } })[0]?.path).toEqual(['deletion_protection']);
  expect(protection(prior, { private: {} })).toEqual([]);
  // A tainted object: Terraform has forgotten what was remembered of it.
  expect(protection(asCluster({ ...prior, phase: 'Degraded' }), { private: {} })).toHaveLength(1);
  expect(protection(asCluster({ ...prior, deletion_protection: false }), { private: { ready: true } })).toEqual([]);
});
