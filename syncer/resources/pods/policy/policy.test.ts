import { describe, expect, test } from 'vitest';
import type { Container, Pod, PodSpec } from '../../../model/kubernetes.ts';
import type { SecurityLevel } from '../../../model/pod-rules.ts';
import { podOf, usual, viewOf } from '../fixtures.ts';
import { pods } from '../pods.ts';
import { pull } from '../status.ts';
import { policyCases } from './cases.ts';
import { policyRefusal } from './policy.ts';

const stricter = { privileged: 'baseline', baseline: 'restricted' } as const;

describe('policyRefusal(): the Pod Security Standards [POD-160, ABU-01]', () => {
  test.each(policyCases)('$about: $meets', ({ spec, meets, check }) => {
    expect(policyRefusal(meets, 'web-0', podOf(spec))).toBeUndefined();
    const next = meets === 'restricted' ? undefined : policyRefusal(stricter[meets], 'web-0', podOf(spec));
    expect(next ?? '').toContain(check);
    expect(next === undefined).toBe(meets === 'restricted');
  });

  test('names what is wrong, once, with the container', () => {
    const spec = { containers: [{ name: 'app', securityContext: { privileged: true } }] };
    expect(policyRefusal('baseline', 'web-0', podOf(spec))).toBe(
      'Pod web-0 is forbidden: it violates the Pod Security Standard "baseline" of this virtual cluster: ' +
        'privileged (container "app" must not set securityContext.privileged=true).',
    );
  });

  test('AppArmor annotations count where they reach the host', () => {
    const key = 'container.apparmor.security.beta.kubernetes.io/app';
    const annotated = (value: string): Pod => podOf({}, { annotations: { [key]: value } });
    expect(policyRefusal('baseline', 'web-0', annotated('unconfined'))).toContain('appArmorProfile');
    expect(policyRefusal('baseline', 'web-0', annotated('localhost/x'))).toBeUndefined();
    expect(policyRefusal('baseline', 'web-0', annotated('evil\nlocalhost/x'))).toContain('appArmorProfile');
  });

  test.each<[string, object]>([
    [
      'text for a list',
      { containers: [{ name: 'app', ports: 'x', securityContext: { capabilities: { add: 'ALL' } } }] },
    ],
    ['null for an object', { securityContext: null, containers: [{ name: 'app', securityContext: null }] }],
    ['an inherited key', { containers: [{ name: 'app', securityContext: { ['__proto__']: { privileged: true } } }] }],
  ])('never fails on %s', (_, spec) => {
    expect(() => policyRefusal('restricted', 'web-0', podOf(spec as PodSpec))).not.toThrow();
  });
});

describe('a pod that the policy denies', () => {
  const denied: Partial<PodSpec> = { hostPID: true };
  const at = (security: SecurityLevel): ReturnType<typeof viewOf> => viewOf({ ...usual, rules: { security } });

  test('is refused with the reason, and not created [POD-05, POD-160]', () => {
    expect(pods.toHost(podOf(denied), at('baseline'))).toMatchObject({
      is: 'refused',
      why: expect.stringContaining('hostPID=true') as string,
    });
    expect(pods.toHost(podOf(denied), at('privileged'))).toMatchObject({ is: 'object' });
  });

  test('as one with a path of the node is, unless the operator trusts the tenant with its nodes [POD-107]', () => {
    const volumes = [{ name: 'logs', hostPath: { path: '/var/log' } }];
    expect(pods.toHost(podOf({ volumes }), at('baseline'))).toMatchObject({ is: 'refused' });
    expect(pods.toHost(podOf({ volumes }), at('privileged'))).toMatchObject({ object: { spec: { volumes } } });
  });

  test('labels of its namespace change nothing [POD-162]', () => {
    const [namespace] = usual.virtual;
    const labels = { 'pod-security.kubernetes.io/enforce': 'privileged' };
    const virtual = [{ ...namespace, metadata: { name: 'shop', labels } }];
    expect(pods.toHost(podOf(denied), viewOf({ ...usual, virtual, rules: { security: 'baseline' } }))).toMatchObject({
      is: 'refused',
    });
  });

  test('runs on when it ran before the policy became stricter', () => {
    const created = pods.toHost(podOf(denied), at('privileged'));
    if (created.is !== 'object') throw new Error(created.why);
    const view = viewOf({ ...usual, host: [...usual.host, created.object], rules: { security: 'baseline' } });
    expect(pods.toHost(podOf(denied), view)).toMatchObject({ is: 'object' });
  });
});

describe('a container that comes later [POD-161, ABU-23]', () => {
  const virtual = podOf({ nodeName: 'node-1' }, {}, { conditions: [] });
  const host = podOf({ nodeName: 'node-1' }, { name: 'web-0-x-shop-x-vc1', namespace: 'tenant-a', uid: 'h' }, {});
  const debug = (securityContext: object): Container => ({ name: 'debug', image: 'busybox', securityContext });

  function added(container: Container, security: SecurityLevel): ReturnType<typeof pull> {
    const debugged = { ...virtual, spec: { ...virtual.spec, ephemeralContainers: [container] } };
    return pull(host, debugged, viewOf({ ...usual, rules: { security } }));
  }

  test('is judged like one that came with the pod', () => {
    expect(added(debug({ privileged: true }), 'baseline')).toEqual([
      expect.objectContaining({ do: 'warn', message: expect.stringContaining('privileged') as string }),
    ]);
    expect(added(debug({ privileged: true }), 'privileged')).toMatchObject([{ subresource: 'ephemeralcontainers' }]);
    expect(added(debug({}), 'baseline')).toMatchObject([{ subresource: 'ephemeralcontainers' }]);
  });

  test('one that is denied does not keep another from coming', () => {
    const both = [debug({ privileged: true }), { name: 'fine', image: 'busybox' }];
    const debugged = { ...virtual, spec: { ...virtual.spec, ephemeralContainers: both } };
    const actions = pull(host, debugged, viewOf({ ...usual, rules: { security: 'baseline' } }));
    expect(actions).toMatchObject([{ do: 'warn' }, { patch: { spec: { ephemeralContainers: [{ name: 'fine' }] } } }]);
  });
});
