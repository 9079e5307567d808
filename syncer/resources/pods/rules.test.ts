import { describe, expect, test } from 'vitest';
import type { Pod, PodSpec } from '../../model/kubernetes.ts';
import type { PodRules } from '../../model/pod-rules.ts';
import { podOf, usual, viewOf } from './fixtures.ts';
import { merge } from './merge.ts';
import { pods } from './pods.ts';
import { pull } from './status.ts';

type Translated = ReturnType<typeof pods.toHost>;

function translate(spec: Partial<PodSpec>, rules: Partial<PodRules>): Translated {
  return pods.toHost(podOf(spec), viewOf({ ...usual, rules }));
}

function specOf(spec: Partial<PodSpec>, rules: Partial<PodRules>): PodSpec {
  const translated = translate(spec, rules);
  if (translated.is !== 'object') throw new Error(translated.why);
  return translated.object.spec;
}

function warningsOf(spec: Partial<PodSpec>, rules: Partial<PodRules>): readonly string[] {
  const translated = translate(spec, rules);
  return translated.is === 'object' ? (translated.warnings ?? []) : [translated.why];
}

describe('node selector [POD-10]', () => {
  const nodeSelector = { pool: 'tenants' };

  test('the enforced one is added, and wins over the pod’s', () => {
    expect(specOf({}, { nodeSelector }).nodeSelector).toEqual(nodeSelector);
    expect(specOf({ nodeSelector: { pool: 'control-plane', disk: 'ssd' } }, { nodeSelector }).nodeSelector).toEqual({
      pool: 'tenants',
      disk: 'ssd',
    });
  });

  test('holds beside terms of node affinity, which are alternatives to each other only [POD-150]', () => {
    const terms = [
      { matchExpressions: [{ key: 'pool', operator: 'In', values: ['control-plane'] }] },
      { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['node-1'] }] },
    ];
    const affinity = { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } };
    expect(specOf({ affinity }, { nodeSelector })).toMatchObject({ affinity, nodeSelector });
  });
});

describe('tolerations [POD-60, F64, ABU-04]', () => {
  const own = { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 };
  const wildcards = [
    { operator: 'Exists' },
    { operator: 'Exists', effect: 'NoExecute' },
    { key: '', operator: 'Exists' },
  ];

  test('enforced ones are added once', () => {
    const enforced = { key: 'team', operator: 'Equal', value: 'a', effect: 'NoSchedule' };
    expect(specOf({ tolerations: [own] }, { tolerations: [enforced] }).tolerations).toEqual([own, enforced]);
    expect(specOf({ tolerations: [enforced] }, { tolerations: [enforced] }).tolerations).toEqual([enforced]);
    expect(specOf({}, { tolerations: [enforced] }).tolerations).toEqual([enforced]);
  });

  test.each(wildcards)('%j tolerates every taint: left out, and told', (wildcard) => {
    const rules = { deniedTolerations: ['*'] };
    expect(specOf({ tolerations: [wildcard, own] }, rules).tolerations).toEqual([own]);
    expect(warningsOf({ tolerations: [wildcard, own] }, rules)).toEqual([expect.stringContaining('every taint')]);
  });

  test('a denied taint is left out by its key, whatever the operator', () => {
    const rules = { deniedTolerations: ['node-role.kubernetes.io/control-plane'] };
    const denied = [
      { key: 'node-role.kubernetes.io/control-plane', operator: 'Exists' },
      { key: 'node-role.kubernetes.io/control-plane', operator: 'Equal', value: '' },
    ];
    expect(specOf({ tolerations: [...denied, own] }, rules).tolerations).toEqual([own]);
    expect(warningsOf({ tolerations: denied }, rules)).toHaveLength(1);
    expect(warningsOf({ tolerations: [own, ...wildcards] }, rules)).toEqual([]);
  });

  test('one that is added to a running pod is left out, too [POD-82]', () => {
    const rules = { deniedTolerations: ['*'] };
    const created = translate({ tolerations: [own] }, rules);
    if (created.is !== 'object') throw new Error(created.why);
    const host = created.object;
    const virtual = podOf({ tolerations: [own, { operator: 'Exists' }], nodeName: 'node-1' });
    const again = pods.toHost(virtual, viewOf({ ...usual, host: [...usual.host, host], rules }));
    if (again.is !== 'object') throw new Error(again.why);
    expect(merge(host, again.object).spec.tolerations).toEqual([own]);
  });
});

describe('scheduler name [POD-44, ABU-05]', () => {
  const rules = { schedulerNames: ['default-scheduler', 'batch'] };
  test('an allowed one passes, another becomes the default one, and the author is told', () => {
    expect(specOf({ schedulerName: 'batch' }, rules)['schedulerName']).toBe('batch');
    expect(warningsOf({ schedulerName: 'batch' }, rules)).toEqual([]);
    expect(specOf({ schedulerName: 'mine' }, rules)['schedulerName']).toBe('default-scheduler');
    expect(warningsOf({ schedulerName: 'mine' }, rules)).toEqual([expect.stringContaining('mine')]);
    expect(warningsOf({ schedulerName: 'default-scheduler' }, { schedulerNames: [] })).toEqual([]);
  });
});

describe('priority class [POD-52, POD-54]', () => {
  const classed: Partial<PodSpec> = { priorityClassName: 'batch', priority: 5, preemptionPolicy: 'Never' };

  test('stays inside of the virtual cluster when none may be named', () => {
    expect(specOf(classed, {})).not.toHaveProperty('priorityClassName');
  });

  test('an allowed one is named on the host, which computes what it is worth', () => {
    const spec = specOf(classed, { priorityClasses: ['batch'] });
    expect(spec['priorityClassName']).toBe('batch');
    expect(spec).not.toHaveProperty('priority');
    expect(spec).not.toHaveProperty('preemptionPolicy');
  });

  test('another one is refused; classes of Kubernetes itself are no reason to, and stay inside [POD-02, ABU-05]', () => {
    const rules = { priorityClasses: ['low'] };
    expect(translate(classed, rules)).toMatchObject({ is: 'refused', why: expect.stringContaining('batch') as string });
    expect(specOf({ priorityClassName: 'system-node-critical' }, rules)).not.toHaveProperty('priorityClassName');
    expect(specOf({ priorityClassName: 'system-node-critical' }, { priorityClasses: ['*'] })).not.toHaveProperty(
      'priorityClassName',
    );
    expect(specOf(classed, { priorityClasses: ['*'] })['priorityClassName']).toBe('batch');
  });

  test('a pod that keeps none gets the default one [POD-53]', () => {
    const rules = { defaultPriorityClass: 'tenants' };
    expect(specOf(classed, rules)['priorityClassName']).toBe('tenants');
    expect(specOf({}, rules)['priorityClassName']).toBe('tenants');
    expect(specOf(classed, { ...rules, priorityClasses: ['batch'] })['priorityClassName']).toBe('batch');
  });
});

describe('runtime class [POD-56]', () => {
  test('the operator’s replaces the pod’s', () => {
    expect(specOf({ runtimeClassName: 'runc' }, { runtimeClass: 'gvisor' })['runtimeClassName']).toBe('gvisor');
    expect(specOf({}, { runtimeClass: 'gvisor', runtimeClasses: [] })['runtimeClassName']).toBe('gvisor');
  });

  test('one that is not allowed is refused [POD-02, ABU-05]', () => {
    expect(translate({ runtimeClassName: 'runc' }, { runtimeClasses: ['kata'] })).toMatchObject({ is: 'refused' });
    expect(specOf({ runtimeClassName: 'kata' }, { runtimeClasses: ['kata'] })['runtimeClassName']).toBe('kata');
  });
});

describe('inline CSI volumes [POD-106]', () => {
  const volumes = [{ name: 'v', csi: { driver: 'csi.example', volumeAttributes: { issuer: 'of the host' } } }];
  test('only of drivers that the operator allows: attributes may name host objects', () => {
    expect(translate({ volumes }, { inlineCsiDrivers: [] })).toMatchObject({ is: 'refused' });
    expect(translate({ volumes }, { inlineCsiDrivers: ['other'] })).toMatchObject({ is: 'refused' });
    expect(specOf({ volumes }, { inlineCsiDrivers: ['csi.example'] }).volumes).toEqual(volumes);
  });
});

describe('images [POD-59]', () => {
  const images = { 'nginx:1': 'mirror.example/nginx:1' };
  const spec: Partial<PodSpec> = {
    initContainers: [{ name: 'init', image: 'nginx:1' }],
    containers: [
      { name: 'app', image: 'nginx:1' },
      { name: 'other', image: 'nginx:12' },
    ],
  };

  test('of init containers and containers, by exact reference', () => {
    const host = specOf(spec, { images });
    expect(host.initContainers?.map(({ image }) => image)).toEqual(['mirror.example/nginx:1']);
    expect(host.containers.map(({ image }) => image)).toEqual(['mirror.example/nginx:1', 'nginx:12']);
  });

  test('a new image of a running pod [POD-80]', () => {
    const created = translate({}, { images });
    if (created.is !== 'object') throw new Error(created.why);
    const view = viewOf({ ...usual, host: [...usual.host, created.object], rules: { images } });
    const again = pods.toHost(podOf({ containers: [{ name: 'app', image: 'nginx:1' }] }), view);
    if (again.is !== 'object') throw new Error(again.why);
    expect(merge(created.object, again.object).spec.containers[0]?.image).toBe('mirror.example/nginx:1');
  });

  test('of ephemeral containers [POD-83]', () => {
    const [virtual, host, view] = running({ images });
    const debugged = {
      ...virtual,
      spec: { ...virtual.spec, ephemeralContainers: [{ name: 'debug', image: 'nginx:1' }] },
    };
    expect(pull(host, debugged, view)).toContainEqual(
      expect.objectContaining({
        subresource: 'ephemeralcontainers',
        patch: expect.objectContaining({
          spec: { ephemeralContainers: [expect.objectContaining({ image: 'mirror.example/nginx:1' })] },
        }) as unknown,
      }),
    );
  });

  test.each([
    ['mirror.example/nginx:1', 'nginx:1'],
    ['docker.io/library/nginx:12', 'docker.io/library/nginx:12'],
    ['mirror.example/nginx:0', 'mirror.example/nginx:0'],
  ])('the status shows %s as %s [POD-93]', (shown, expected) => {
    const [virtual, host, view] = running({ images });
    const statuses = [{ name: 'app', image: shown, imageID: 'mirror.example/nginx@sha256:0' }];
    const actions = pull({ ...host, status: { containerStatuses: statuses } }, virtual, view);
    expect(actions).toMatchObject([
      { subresource: 'status', patch: { status: { containerStatuses: [{ image: expected }] } } },
    ]);
  });

  function running(rules: Partial<PodRules>): [Pod, Pod, ReturnType<typeof viewOf>] {
    const virtual = podOf(
      { nodeName: 'node-1', containers: [{ name: 'app', image: 'nginx:1' }] },
      {},
      { conditions: [] },
    );
    const containers = [{ name: 'app', image: 'mirror.example/nginx:1' }];
    const host = podOf(
      { nodeName: 'node-1', containers },
      { name: 'web-0-x-shop-x-vc1', namespace: 'tenant-a', uid: 'h' },
      {},
    );
    return [virtual, host, viewOf({ ...usual, rules })];
  }
});

test('setHostnameAsFQDN of a pod with a domain is told to have no effect [POD-132]', () => {
  expect(warningsOf({ setHostnameAsFQDN: true, subdomain: 'web' }, {})).toEqual([
    expect.stringContaining('setHostnameAsFQDN'),
  ]);
  expect(warningsOf({ setHostnameAsFQDN: true }, {})).toEqual([]);
});
