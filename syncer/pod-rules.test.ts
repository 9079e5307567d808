import { describe, expect, test } from 'vitest';
import { ConfigurationError } from './model/errors.ts';
import { parsePodRules } from './pod-rules.ts';

const own = { image: 'registry.example/syncer:1', pullPolicy: 'Always', pullSecrets: ['host-registry'] };
const ofPods = (pods: object): string => JSON.stringify({ sync: { toHost: { pods } } });

describe('parsePodRules()', () => {
  test('of nothing: the declared defaults', () => {
    expect(parsePodRules('{}', own)).toMatchObject({
      security: 'baseline',
      hostsWriter: {
        image: own.image,
        pullPolicy: 'Always',
        pullSecrets: ['host-registry'],
        resources: { limits: { memory: '64Mi' } },
      },
      schedulerNames: ['default-scheduler'],
      inlineCsiDrivers: [],
      nodeSelector: {},
    });
  });

  test('enforced tolerations, in both forms [POD-60]', () => {
    const { tolerations } = parsePodRules(ofPods({ enforceTolerations: ['team=a:NoSchedule', 'gpu:NoExecute'] }), own);
    expect(tolerations).toEqual([
      { key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' },
      { key: 'gpu', operator: 'Exists', effect: 'NoExecute' },
    ]);
  });

  test('the hosts file is nobody’s when it is turned off, or when there is no image [POD-130]', () => {
    expect(parsePodRules(ofPods({ rewriteHosts: { enabled: false } }), own).hostsWriter).toBeUndefined();
    expect(parsePodRules('{}', { ...own, image: '' }).hostsWriter).toBeUndefined();
  });

  test.each(['no JSON', '{"sync":{"toHost":{"pod":{}}}}', '{"policies":{"podSecurityStandard":"none"}}', '[]'])(
    'refuses %s',
    (json) => {
      expect(() => parsePodRules(json, own)).toThrow(ConfigurationError);
    },
  );
});
