import { describe, expect, test } from 'vitest';
import type { PodSpec } from '../../model/kubernetes.ts';
import { podOf, usual, viewOf } from './fixtures.ts';
import { knownToHost } from './host-fields.ts';
import { pods } from './pods.ts';

const containers = [{ name: 'app', restartPolicy: 'Never', restartPolicyRules: [{ action: 'Restart' }] }];

describe('a host that is too old [POD-57, CORE-24]', () => {
  test.each<[string, Partial<PodSpec>, number, string]>([
    ['resources', { resources: { limits: { cpu: '1' } } }, 33, '1.34'],
    ['hostnameOverride', { hostnameOverride: 'other' }, 34, '1.35'],
    ['restartPolicyRules', { containers }, 34, '1.35'],
  ])('%s is left out, and the author is told', (field, extra, hostMinor, version) => {
    const virtual = podOf(extra);
    const translated = pods.toHost(virtual, viewOf({ ...usual, hostMinor }));
    expect(translated).toMatchObject({ is: 'object', warnings: [expect.stringContaining(field)] });
    expect(JSON.stringify(translated)).toContain(version);
    expect(JSON.stringify(translated.is === 'object' && translated.object.spec)).not.toContain(`"${field}"`);
    const newer = pods.toHost(virtual, viewOf({ ...usual, hostMinor: hostMinor + 1 }));
    expect(newer).not.toHaveProperty('warnings');
    expect(JSON.stringify(newer)).toContain(`"${field}"`);
  });

  test.each<[string, Partial<PodSpec>, number]>([
    ['users of its own', { hostUsers: false }, 32],
    ['strict groups', { securityContext: { supplementalGroupsPolicy: 'Strict' } }, 32],
    ['a volume of kind image', { volumes: [{ name: 'model', image: { reference: 'x' } }] }, 30],
  ])('%s must not be missing', (_, extra, hostMinor) => {
    const view = (minor: number): ReturnType<typeof viewOf> => viewOf({ ...usual, hostMinor: minor });
    expect(pods.toHost(podOf(extra), view(hostMinor))).toMatchObject({ is: 'refused' });
    expect(pods.toHost(podOf(extra), view(hostMinor + 1))).toMatchObject({ is: 'object' });
  });

  test('a sidecar keeps its restart policy', () => {
    const initContainers = [{ name: 'proxy', restartPolicy: 'Always', restartPolicyRules: [] }];
    const { spec } = knownToHost({ containers, initContainers }, 30);
    expect(spec).toEqual({
      containers: [{ name: 'app' }],
      initContainers: [{ name: 'proxy', restartPolicy: 'Always' }],
    });
  });

  test('what needs no new host is not touched', () => {
    const spec: PodSpec = { containers: [{ name: 'app' }], hostUsers: true };
    expect(knownToHost(spec, 29)).toEqual({ spec, leftOut: [] });
  });
});
