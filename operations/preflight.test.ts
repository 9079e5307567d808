import { describe, expect, test } from 'vitest';
import { preflight, requestProblems } from './preflight.ts';
import { hostVersionText, occupants, releaseProblems } from './problems.ts';
import type { HostObject } from './types.ts';
import { distinct, missingRightsText, rightsToGrant, rightsToInstall } from './rights.ts';

const statefulSet = (name: string): HostObject => ({ metadata: { name, labels: { app: 'vcluster', release: name } } });
const request = { name: 'team-a', namespace: 'team-a' };

describe('requestProblems()', () => {
  test('finds nothing wrong with a good request', () => {
    expect(requestProblems({ ...request, version: '1.36', values: { logging: { level: 'debug' } } })).toEqual([]);
  });

  test('finds everything wrong at once', () => {
    const values = { controlPlane: { foo: 1 } };
    const problems = requestProblems({ name: 'Team A', namespace: 'not_one', version: '1.36.99', values });
    expect(problems).toEqual([
      expect.stringContaining('The name "Team A" cannot be used'),
      expect.stringContaining('"not_one" cannot be a namespace'),
      expect.stringContaining('Kubernetes 1.36.99 does not exist'),
      expect.stringContaining('controlPlane.foo is not an option'),
    ]);
  });
});

test.each([
  [{ major: '1', minor: '28+', gitVersion: 'v1.28.3-eks' }, 1],
  [{ major: '1', minor: '29', gitVersion: 'v1.29.0' }, 0],
  [{ major: '1', minor: '36+', gitVersion: 'v1.36.3' }, 0],
])('hostVersionText() of %j', (version, count) => {
  expect(hostVersionText(version)).toHaveLength(count);
});

test('occupants() names other virtual clusters, never the one that is upgraded', () => {
  expect(occupants([statefulSet('team-a')], 'team-a')).toEqual([]);
  expect(occupants([statefulSet('team-a'), statefulSet('team-b')], 'team-a')).toEqual(['team-b']);
});

describe('releaseProblems()', () => {
  const release = (version: string, home = ''): Parameters<typeof releaseProblems>[0] => ({
    ...request,
    status: 'deployed',
    revision: 1,
    description: '',
    updated: '',
    chart: { name: 'vcluster', version, appVersion: version, home },
    values: {},
    manifest: '',
  });

  test.each([
    ['0.1.0', 0],
    ['0.0.9', 0],
    ['0.2.0-beta.1', 0],
    ['0.2.0', 0],
    ['0.2.1', 1],
    ['1.0.0', 1],
  ])('a chart 0.2.0 over %s', (version, count) =>
    expect(releaseProblems(release(version), '0.2.0')).toHaveLength(count),
  );

  test('tells a release of another chart of the same name', () => {
    expect(releaseProblems(release('0.1.0', 'https://another.example'), '0.2.0')).toEqual([
      expect.objectContaining({ subject: 'name', summary: 'Name "team-a" is taken' }),
    ]);
  });
});

test('missingRightsText() has one line per resource, and what to do', () => {
  const wanted = rightsToInstall('x');
  const missing = wanted.filter(({ resource }) => ['roles', 'services'].includes(resource));
  const lines = missingRightsText(missing, wanted.length, 'x');
  expect(lines).toHaveLength(3);
  expect(lines).toContain(
    'This account may not get, create, patch, delete roles.rbac.authorization.k8s.io in namespace "x".',
  );
  expect(lines.at(-1)).toContain('Ask an administrator');
  expect(missingRightsText(wanted, wanted.length, 'x')).toEqual([
    expect.stringContaining('has no rights in namespace "x"'),
  ]);
  expect(missingRightsText([], wanted.length, 'x')).toEqual([]);
});

test('rights are asked for once, those that the Role grants included', () => {
  const all = [...rightsToInstall('x'), ...rightsToGrant('x')];
  expect(distinct(all).length).toBeLessThan(all.length);
  expect(all).toContainEqual({ verb: 'create', group: '', resource: 'pods/exec', namespace: 'x' });
});

test('preflight() tells of a missing kubeconfig besides what else is wrong', async () => {
  expect(await preflight({ ...request, name: '1', kubeconfig: '/nonexistent/kubeconfig' })).toEqual([
    expect.stringContaining('The name "1"'),
    'The host cluster cannot be asked: There is no kubeconfig at /nonexistent/kubeconfig. Name one (config_path of the provider, or KUBECONFIG).',
  ]);
});
