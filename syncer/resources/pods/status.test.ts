import { describe, expect, test } from 'vitest';
import type { Action } from '../../model/action.ts';
import type { Pod, PodSpec, PodStatus } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import { equal } from '../../translate/equality.ts';
import { nodeOf, podOf, viewOf } from './fixtures.ts';
import { pull, statusFromHost } from './status.ts';

const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 30 };
const view = viewOf({ virtual: [nodeOf('node-1')] });

function hostOf(spec: Partial<PodSpec> = {}, metadata: Partial<Metadata> = {}, status?: PodStatus): Pod {
  const identity = { name: 'web-0-x-shop-x-vc1', namespace: 'tenant-a', uid: 'host-uid', resourceVersion: '70' };
  return podOf(spec, { ...identity, ...metadata }, status);
}

const onNode = { nodeName: 'node-1' };
const running: PodStatus = { phase: 'Running', startTime: '2026-01-01T00:00:00Z', podIP: '10.244.0.9' };

function grace(seconds: number | undefined): Partial<Metadata> {
  const { deletionTimestamp } = deleting;
  return { deletionTimestamp, ...(seconds !== undefined && { deletionGracePeriodSeconds: seconds }) };
}

function scheduled(lastTransitionTime: string): PodStatus {
  return { conditions: [{ type: 'PodScheduled', status: 'True', lastTransitionTime }] };
}

function summary(actions: readonly Action[]): readonly string[] {
  return actions.map((action) => {
    if (action.do === 'delete') return `delete ${action.side} ${action.uid} ${String(action.graceSeconds)}`;
    if (action.do === 'patch') return `patch ${action.side} ${action.subresource ?? ''}`;
    return action.do === 'post' ? `post ${action.subresource}` : action.do;
  });
}

describe('pull(): binding', () => {
  test('binds to the host node before anything else [POD-40]', () => {
    const actions = pull(hostOf(onNode, {}, running), podOf(), view);
    expect(actions).toEqual([
      {
        do: 'post',
        side: 'virtual',
        kind: expect.objectContaining({ plural: 'pods' }) as unknown,
        key: { namespace: 'shop', name: 'web-0' },
        subresource: 'binding',
        body: {
          apiVersion: 'v1',
          kind: 'Binding',
          metadata: { name: 'web-0', namespace: 'shop', uid: 'web-uid' },
          target: { apiVersion: 'v1', kind: 'Node', name: 'node-1' },
        },
      },
    ]);
  });

  test('waits for the virtual node, watching it [POD-40]', () => {
    const without = viewOf({});
    expect(pull(hostOf(onNode, {}, running), podOf(), without)).toEqual([]);
    expect(without.read).toContain('virtual nodes node-1');
  });

  test.each([
    ['another node [POD-41]', hostOf({ nodeName: 'node-2' }), ['delete virtual web-uid undefined']],
    ['no host node yet [POD-42]', hostOf(), ['delete virtual web-uid 30']],
  ])('a virtual pod bound to %s is beyond repair, if it still is so', (_, host, expected) => {
    const actions = pull(host, podOf(onNode), view);
    expect(summary(actions)).toEqual(expected);
    const { resourceVersion, name } = host.metadata;
    expect(actions).toMatchObject([{ onlyIfStill: { side: 'host', key: { name }, resourceVersion } }]);
    expect(pull(host, podOf(onNode, deleting), view)).toEqual([]);
  });
});

describe('pull(): deletion', () => {
  test.each<[string, Partial<PodSpec>, string]>([
    ["the pod's own grace period", { terminationGracePeriodSeconds: 5 }, 'delete virtual web-uid 5'],
    ['30 seconds without one', {}, 'delete virtual web-uid 30'],
  ])('a host deletion travels back with %s, after the status [POD-22, POD-100]', (_, spec, expected) => {
    const actions = pull(hostOf(onNode, deleting, running), podOf({ ...onNode, ...spec }), view);
    expect(summary(actions)).toEqual(['patch virtual status', expected]);
  });

  test.each([
    [30, 30, []],
    [1, 30, ['delete virtual web-uid 1']],
    [30, 5, ['delete host host-uid 5']],
    [undefined, 30, []],
    [30, undefined, []],
  ])('grace %s on the host and %s here: the shorter one wins [POD-23, POD-24]', (onHost, here, expected) => {
    expect(summary(pull(hostOf(onNode, grace(onHost)), podOf(onNode, grace(here)), view))).toEqual(expected);
  });

  test('status goes on flowing while both end, unbound ones included [POD-25]', () => {
    const host = hostOf(onNode, deleting, { phase: 'Succeeded' });
    expect(summary(pull(host, podOf(onNode, deleting), view))).toEqual(['patch virtual status']);
    expect(summary(pull(host, podOf({}, deleting), view))).toEqual(['patch virtual status']);
  });
});

describe('pull(): status', () => {
  test('is a conditional patch of what differs [POD-90]', () => {
    const virtual = podOf(onNode, {}, { phase: 'Pending', qosClass: 'Burstable' });
    const [action] = pull(hostOf(onNode, {}, { ...running, qosClass: 'Guaranteed' }), virtual, view);
    expect(action).toMatchObject({
      do: 'patch',
      side: 'virtual',
      subresource: 'status',
      patch: { metadata: { uid: 'web-uid', resourceVersion: '7' }, status: running },
    });
    expect(action).not.toHaveProperty('patch.status.qosClass');
  });

  test('once written there is nothing more to write [POD-90]', () => {
    const conditions = [{ type: 'Ready', status: 'True', observedGeneration: 1 }];
    const host = hostOf(onNode, {}, { ...running, conditions, containerStatuses: [{ name: 'app', ready: true }] });
    const virtual = podOf(onNode, {}, statusFromHost(host, podOf(onNode)));
    expect(pull(host, virtual, view)).toEqual([]);
  });

  test('a gate that the host has closed keeps its place, wherever the host has put it [POD-94, I2]', () => {
    const gated = { ...onNode, readinessGates: [{ conditionType: 'example.com/gate' }] };
    const conditions = ['Ready', 'example.com/gate', 'PodScheduled'].map((type) => ({ type, status: 'True' }));
    const host = hostOf(gated, {}, { ...running, conditions });
    const virtual = podOf(gated, {}, statusFromHost(host, podOf(gated)));
    expect(pull(host, virtual, view)).toEqual([]);
  });
});

describe('statusFromHost()', () => {
  test('keeps the virtual QoS class [POD-91, VEC-25]', () => {
    expect(
      statusFromHost(hostOf({}, {}, { qosClass: 'Burstable' }), podOf({}, {}, { qosClass: 'BestEffort' })),
    ).toMatchObject({
      qosClass: 'BestEffort',
    });
  });

  test('statuses of injected containers stay on the host [POD-92, VEC-25]', () => {
    const status = {
      containerStatuses: [{ name: 'app' }, { name: 'sidecar' }],
      initContainerStatuses: [{ name: 'injected' }, { name: 'init' }],
    };
    const virtual = podOf({ initContainers: [{ name: 'init' }] });
    expect(statusFromHost(hostOf({}, {}, status), virtual)).toMatchObject({
      containerStatuses: [{ name: 'app' }],
      initContainerStatuses: [{ name: 'init' }],
    });
  });

  const ready = { type: 'Ready', status: 'True' };
  const gate = { type: 'example.com/gate', status: 'True' };
  const gated = { readinessGates: [{ conditionType: gate.type }] };
  const evicted = { type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI' };

  test.each<[string, Pod, PodStatus['conditions'], PodStatus['conditions']]>([
    [
      'standard ones come from the host',
      podOf({}, {}, { conditions: [{ ...ready, status: 'False' }] }),
      [ready],
      [ready],
    ],
    [
      'disruption and resize are standard, too',
      podOf(),
      [{ type: 'DisruptionTarget', status: 'True' }],
      [{ type: 'DisruptionTarget', status: 'True' }],
    ],
    [
      'why the virtual API server ends the pod stays, as long as the host says nothing of that',
      podOf({}, {}, { conditions: [evicted] }),
      [ready],
      [ready, evicted],
    ],
    [
      "the host's own reason counts as soon as there is one",
      podOf({}, {}, { conditions: [evicted] }),
      [{ ...evicted, reason: 'PreemptionByScheduler' }],
      [{ ...evicted, reason: 'PreemptionByScheduler' }],
    ],
    ["the host's own custom ones stay there", podOf(), [ready, gate], [ready]],
    ['unless the pod waits for them', podOf(gated), [ready, gate], [ready, gate]],
    ['custom ones from here stay', podOf({}, {}, { conditions: [gate] }), [ready], [ready, gate]],
    ['also while the host has none yet', podOf({}, {}, { conditions: [gate] }), undefined, [gate]],
  ])('conditions: %s [POD-30, POD-94]', (_, virtual, conditions, expected) => {
    const host = hostOf({}, {}, conditions === undefined ? {} : { conditions });
    expect(statusFromHost(host, virtual).conditions).toEqual(expected);
  });

  test('generations are those of the virtual pod [POD-96]', () => {
    const conditions = [{ ...ready, observedGeneration: 3 }];
    const host = hostOf({}, { generation: 3 }, { observedGeneration: 3, conditions });
    expect(statusFromHost(host, podOf({}, { generation: 8 }))).toMatchObject({
      observedGeneration: 8,
      conditions: [{ observedGeneration: 8 }],
    });
    const behind = hostOf({}, { generation: 4 }, { observedGeneration: 3, conditions });
    const before = { observedGeneration: 7, conditions: [{ ...ready, observedGeneration: 6 }] };
    expect(statusFromHost(behind, podOf({}, { generation: 8 }, before))).toMatchObject(before);
  });

  test('a virtual API server without generations of pods is not sent any [POD-96]', () => {
    const { generation: _, ...metadata } = podOf().metadata;
    const virtual: Pod = { ...podOf(), metadata };
    const host = hostOf(
      {},
      { generation: 3 },
      { observedGeneration: 3, conditions: [{ ...ready, observedGeneration: 3 }] },
    );
    expect(equal(statusFromHost(host, virtual), { conditions: [ready] })).toBe(true);
  });

  test('the moment of binding is not worth a write', () => {
    const virtual = podOf(onNode, {}, scheduled('2026-01-01T00:00:01Z'));
    expect(pull(hostOf(onNode, {}, scheduled('2026-01-01T00:00:00Z')), virtual, view)).toEqual([]);
  });
});

describe('pull(): readiness gates', () => {
  const spec = { ...onNode, readinessGates: [{ conditionType: 'example.com/gate' }] };
  const gate = { type: 'example.com/gate', status: 'True', observedGeneration: 4 };
  const conditions = [{ type: 'Ready', status: 'False' }];

  test('set here are told to the host, and nothing else is [POD-94, TOP-11, ABU-25]', () => {
    const other = { type: 'example.com/other', status: 'True' };
    const virtual = podOf(spec, {}, { conditions: [...conditions, gate, other] });
    const actions = pull(hostOf(onNode, {}, { conditions }), virtual, view);
    expect(actions).toEqual([
      {
        do: 'patch',
        side: 'host',
        kind: expect.objectContaining({ plural: 'pods' }) as unknown,
        key: { namespace: 'tenant-a', name: 'web-0-x-shop-x-vc1' },
        subresource: 'status',
        patch: {
          metadata: { uid: 'host-uid', resourceVersion: '70' },
          status: { conditions: [...conditions, { type: 'example.com/gate', status: 'True' }] },
        },
        ifForbidden: expect.objectContaining({ object: virtual }) as unknown, // POD-98
      },
    ]);
  });

  test('known to the host need no write', () => {
    const host = hostOf(onNode, {}, { conditions: [...conditions, { type: 'example.com/gate', status: 'True' }] });
    expect(pull(host, podOf(spec, {}, { conditions: [...conditions, gate] }), view)).toEqual([]);
  });
});
