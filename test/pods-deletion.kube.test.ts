/**
 * How pods end, between two real API servers, from either side: grace periods, evictions, lost nodes. The test is the kubelet of
 * the nodes `hand` and `lost`, so that a pod is on its way out for as long as is looked at it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isStatus } from '../syncer/model/errors.ts';
import type { Kind } from '../syncer/model/kind.ts';
import { namespaces, nodes, pods } from '../syncer/model/kubernetes.ts';
import type { Pod } from '../syncer/model/kubernetes.ts';
import { made, namespace } from './samples/sample.ts';
import { until } from './support/eventually.ts';
import { hostNamespace } from './support/pair.ts';
import { conditionOf, ended, kindOf, onNode, PodStage, running } from './support/pod-stage.ts';

const budgets = kindOf('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget');
const priorityClasses: Kind = {
  ...kindOf('scheduling.k8s.io', 'v1', 'priorityclasses', 'PriorityClass'),
  namespaced: false,
};

const virtualUid = 'vcluster.loft.sh/object-uid';

let stage: PodStage;

beforeAll(async () => {
  stage = await PodStage.open('pods-deletion');
  await stage.node('hand');
  await stage.node('small', { cpu: '1', memory: '1Gi', pods: '10' });
});

afterAll(() => stage.close());

const grace = ({ metadata }: Pod): number | undefined => metadata.deletionGracePeriodSeconds;
const isLeaving = ({ metadata }: Pod): boolean => metadata.deletionTimestamp !== undefined;
const isGoing = (pod: unknown): boolean => pod !== undefined && isLeaving(pod as Pod);

const nodeOf = (pod: unknown): string | undefined => (pod as Pod | undefined)?.spec.nodeName;

describe('deleted by the tenant [TOP-02]', () => {
  test('the host pod gets its grace period; its status is shown until it is gone, and only then does the virtual one go [POD-20, POD-21, POD-25]', async () => {
    const { virtual } = await stage.runByHand('slow', 'hand', { terminationGracePeriodSeconds: 40 });
    await stage.remove('virtual', virtual, 17);
    const host = await stage.hostWhen('slow', isLeaving);
    expect(grace(host)).toBe(17);
    await stage.report('slow', ended(137));
    await stage.virtualWhen('slow', ({ status }) => status?.phase === 'Failed');
    await stage.idle();
    expect(await stage.virtual('slow')).toMatchObject({
      metadata: { uid: virtual.metadata.uid, deletionGracePeriodSeconds: 17 },
      status: { containerStatuses: [{ state: { terminated: { exitCode: 137 } } }] },
    });
    await stage.end('slow');
    await stage.gone('virtual', 'slow', virtual.metadata.uid);
  });

  test('a shorter second wish reaches the host pod [POD-24]', async () => {
    const { virtual } = await stage.runByHand('hurried', 'hand', { terminationGracePeriodSeconds: 40 });
    await stage.remove('virtual', virtual);
    const first = await stage.hostWhen('hurried', (pod) => grace(pod) === 40);
    await stage.remove('virtual', virtual, 5);
    const second = await stage.hostWhen('hurried', (pod) => grace(pod) === 5);
    expect(second.metadata.uid).toBe(first.metadata.uid);
    await stage.end('hurried');
    await stage.gone('virtual', 'hurried', virtual.metadata.uid);
  });

  test.each([
    ['at once', false],
    ['at last, after a deletion that nobody carries out', true],
  ])('by force, %s: the host pod goes at once, and its name is free for the next one [POD-24]', async (_, before) => {
    const { virtual, host } = await stage.runByHand('stuck', 'hand', { terminationGracePeriodSeconds: 40 });
    if (before) {
      await stage.remove('virtual', virtual);
      await stage.hostWhen('stuck', (pod) => grace(pod) === 40);
    }
    await stage.remove('virtual', virtual, 0);
    const next = await stage.create('stuck', onNode('hand'));
    const again = await stage.hostWhen('stuck', ({ metadata }) => metadata.uid !== host.metadata.uid);
    expect(again.metadata.annotations?.[virtualUid]).toBe(next.metadata.uid);
    await stage.remove('virtual', next, 0);
    await stage.gone('host', 'stuck', again.metadata.uid);
  });

  test('its namespace with all pods: they go as if each had been deleted, and then the namespace goes [POD-29]', async () => {
    await stage.namespace('doomed');
    const { virtual } = stage.pair;
    const spec = { containers: [{ name: 'app', image: 'app:1' }], terminationGracePeriodSeconds: 1 };
    const hostOf = (name: string): Promise<unknown> =>
      stage.pair.host.get(pods, { namespace: hostNamespace, name: `${name}-x-doomed-x-team-a` });
    for (const [name, where] of [
      ['quick', {}],
      ['slow', onNode('hand')],
    ] as const)
      await virtual.create(pods, made(pods, { name, namespace: 'doomed' }, { spec: { ...spec, ...where } }));
    await until('both to have their nodes', async () => {
      const { items } = await virtual.list(pods, { namespace: 'doomed' }, AbortSignal.timeout(10_000));
      return items.every((pod) => nodeOf(pod) !== undefined);
    });
    const key = { namespace: '', name: 'doomed' };
    const { uid = '' } = (await virtual.get(namespaces, key))?.metadata ?? {};
    await virtual.remove(namespaces, key, { uid });
    await until(
      'the host pods to be told',
      async () => (await hostOf('quick')) === undefined && isGoing(await hostOf('slow')),
    );
    expect(await virtual.get(namespaces, key)).toMatchObject({ metadata: { uid }, status: { phase: 'Terminating' } });
    await stage.remove('host', (await hostOf('slow')) as Pod, 0);
    await until('the namespace to go', async () => (await virtual.get(namespaces, key)) === undefined);
  });

  test('a negative grace period is one second, and changing it to that is not news for the host [POD-87]', async () => {
    const { virtual, host } = await stage.runByHand('negative', 'hand', { terminationGracePeriodSeconds: -5 });
    await stage.pair.virtual.patch(
      pods,
      { namespace, name: 'negative' },
      { spec: { terminationGracePeriodSeconds: 1 } },
    );
    await stage.idle();
    expect((await stage.host('negative'))?.metadata.resourceVersion).toBe(host.metadata.resourceVersion);
    await stage.remove('virtual', virtual);
    await stage.hostWhen('negative', (pod) => grace(pod) === 1);
    await stage.end('negative');
    await stage.gone('virtual', 'negative', virtual.metadata.uid);
  });
});

describe('deleted on the host [TOP-02]', () => {
  test('the virtual pod is on its way out with its own grace period, until the host pod is gone [POD-22]', async () => {
    const { virtual, host } = await stage.runByHand('drained', 'hand', { terminationGracePeriodSeconds: 40 });
    await stage.remove('host', host, 20);
    // Its own 40 s first, and then the shorter ones of the host (POD-23).
    await stage.virtualWhen('drained', (pod) => grace(pod) === 20);
    await stage.remove('host', host, 3);
    await stage.virtualWhen('drained', (pod) => grace(pod) === 3);
    await stage.idle();
    expect((await stage.virtual('drained'))?.metadata.uid).toBe(virtual.metadata.uid);
    await stage.end('drained');
    await stage.gone('virtual', 'drained', virtual.metadata.uid);
  });

  test('by force: the virtual pod is gone with it, and is not made again [POD-03, POD-04, POD-23, TOP-01]', async () => {
    const { virtual, host } = await stage.runByHand('killed', 'hand');
    await stage.remove('host', host, 0);
    await stage.gone('virtual', 'killed', virtual.metadata.uid);
    await stage.idle();
    expect(await stage.host('killed')).toBeUndefined();
  });

  const nowhere = { nodeSelector: { slot: 'none' } };

  /** The host pod has run and is gone, all while the syncer was away: the virtual pod knows nothing of that. */
  async function runUnseen(name: string): Promise<void> {
    const host = await stage.hostWhen(name);
    await stage.away(async () => {
      await stage.bind('host', host, 'hand');
      await stage.report(name, running);
      await stage.remove('host', host, 0);
    });
  }

  test('while the syncer was away, of a pod that had found no node until then: it goes, too, and never runs twice [POD-03, POD-34, TOP-01]', async () => {
    const { metadata } = await stage.create('waited', nowhere);
    await stage.virtualWhen('waited', (pod) => conditionOf(pod, 'PodScheduled') === 'Unschedulable');
    await runUnseen('waited');
    await stage.gone('virtual', 'waited', metadata.uid);
    await stage.idle();
    expect(await stage.host('waited')).toBeUndefined();
  });

  // Nothing on either side tells it from a pod that has never been on the host: only a write more for every pod could.
  test('while the syncer was away, of a pod of which the tenant had never heard anything: it is made again, once, and never are there two [POD-03] [I4]', async () => {
    const { hostPlane } = stage.pair;
    await hostPlane.stop('kube-scheduler');
    const { metadata } = await stage.create('unknown', nowhere);
    const first = await stage.hostWhen('unknown');
    try {
      await runUnseen('unknown');
      await stage.idle();
    } finally {
      await hostPlane.start('kube-scheduler');
    }
    const again = await stage.hostWhen('unknown', (pod) => pod.metadata.uid !== first.metadata.uid);
    expect(again.metadata.annotations?.[virtualUid]).toBe(metadata.uid);
    await stage.virtualWhen('unknown', (pod) => conditionOf(pod, 'PodScheduled') === 'Unschedulable');
    // From now on the tenant has heard of it.
    await runUnseen('unknown');
    await stage.gone('virtual', 'unknown', metadata.uid);
    await stage.idle();
    expect(await stage.host('unknown')).toBeUndefined();
  });

  test('while the syncer was away: the virtual pod that had started goes, and is not made again [POD-03, TOP-01]', async () => {
    const { virtual, host } = await stage.runByHand('missed', 'hand');
    await stage.away(() => stage.remove('host', host, 0));
    await stage.gone('virtual', 'missed', virtual.metadata.uid);
    await stage.idle();
    expect(await stage.host('missed')).toBeUndefined();
  });
});

describe('evictions [POD-30]', () => {
  const spec = { minAvailable: 1, selector: { matchLabels: { app: 'guarded' } } };

  async function refused(side: 'host' | 'virtual', pod: Pod): Promise<void> {
    await until('the budget to hold', () =>
      stage.evict(side, pod).then(
        () => false,
        (error: unknown) => isStatus(error, 429),
      ),
    );
  }

  test('by the tenant are weighed against the budgets of the virtual cluster, then reach the host, with why', async () => {
    await stage.create('guarded', onNode('hand'), { labels: { app: 'guarded' } });
    await stage.report('guarded', running);
    const { virtual } = await stage.running('guarded');
    const budget = await stage.pair.virtual.create(budgets, made(budgets, { name: 'one' }, { spec }));
    await settledBudget('virtual', namespace);
    await refused('virtual', virtual);
    expect(isLeaving(await stage.hostWhen('guarded'))).toBe(false);
    await stage.remove('virtual', budget, undefined, budgets);
    await evictedAtLast('virtual', virtual);
    await stage.hostWhen('guarded', isLeaving);
    await stage.report('guarded', ended(143));
    const last = await stage.virtualWhen('guarded', ({ status }) => status?.phase === 'Failed');
    expect(conditionOf(last, 'DisruptionTarget')).toBe('EvictionByEvictionAPI');
    await stage.end('guarded');
    await stage.gone('virtual', 'guarded', virtual.metadata.uid);
  });

  test('on the host are weighed against its budgets, then reach the tenant, with why', async () => {
    await stage.create('guarded', onNode('hand'), { labels: { app: 'guarded' } });
    await stage.report('guarded', running);
    const { host, virtual } = await stage.running('guarded');
    const budget = made(budgets, { name: 'one', namespace: hostNamespace }, { spec });
    const { metadata } = await stage.pair.host.create(budgets, budget);
    await settledBudget('host', hostNamespace);
    await refused('host', host);
    expect(isLeaving(await stage.virtualWhen('guarded', () => true))).toBe(false);
    await stage.remove('host', { metadata }, undefined, budgets);
    await evictedAtLast('host', host);
    const last = await stage.virtualWhen('guarded', isLeaving);
    expect(conditionOf(last, 'DisruptionTarget')).toBe('EvictionByEvictionAPI');
    await stage.end('guarded');
    await stage.gone('virtual', 'guarded', virtual.metadata.uid);
  });

  /** Before that, an API server refuses because it does not know yet, not because of the budget. */
  async function settledBudget(side: 'host' | 'virtual', of: string): Promise<void> {
    await until('the budget to be counted', async () => {
      const budget = (await stage.pair[side].get(budgets, { namespace: of, name: 'one' })) as
        | { status?: { currentHealthy?: number } }
        | undefined;
      return budget?.status?.currentHealthy === 1;
    });
  }

  /** An API server knows a moment later that a budget is gone. */
  async function evictedAtLast(side: 'host' | 'virtual', pod: Pod): Promise<void> {
    await until('the eviction', () =>
      stage.evict(side, pod).then(
        () => true,
        (error: unknown) => !isStatus(error, 429),
      ),
    );
  }
});

describe('the host needs the room', () => {
  test('a kubelet under pressure evicts: the tenant sees a failed pod and why, and the pod is not deleted [POD-31]', async () => {
    const { virtual } = await stage.runByHand('evicted', 'hand');
    const disruption = { type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' };
    const message = 'The node was low on resource: memory.';
    await stage.report('evicted', { ...ended(137), reason: 'Evicted', message, conditions: [disruption] });
    const failed = await stage.virtualWhen('evicted', ({ status }) => status?.phase === 'Failed');
    expect(failed).toMatchObject({ metadata: { uid: virtual.metadata.uid }, status: { reason: 'Evicted', message } });
    expect(conditionOf(failed, 'DisruptionTarget')).toBe('TerminationByKubelet');
    await stage.idle();
    expect(isLeaving(await stage.virtualWhen('evicted', () => true))).toBe(false);
  });

  test('a pod that waits for another one to go is shown with the node it will get, the other one with why [POD-14, POD-31, POD-45]', async () => {
    const cpu = { resources: { requests: { cpu: '1' } } };
    const spec = { ...onNode('small'), containers: [{ name: 'app', image: 'app:1', ...cpu }] };
    const { host } = stage.pair;
    for (const [name, value] of [
      ['low', -10],
      ['high', 10],
    ] as const)
      await host.create(priorityClasses, { ...made(priorityClasses, { name, namespace: '' }), value } as never);
    const filler = made(
      pods,
      { name: 'filler', namespace: 'default' },
      { spec: { ...spec, priorityClassName: 'low' } },
    );
    await eventuallyCreated(filler);
    await until(
      'it to be placed',
      async () => nodeOf(await host.get(pods, { namespace: 'default', name: 'filler' })) === 'small',
    );

    await stage.create('waiting', spec);
    const waiting = await stage.virtualWhen('waiting', ({ status }) => status?.['nominatedNodeName'] === 'small');
    expect(conditionOf(waiting, 'PodScheduled')).toBe('Unschedulable');
    // The scheduler names the node first and takes the room after that.
    const key = { namespace: 'default', name: 'filler' };
    await until('the filler to be on its way out', async () => isGoing(await host.get(pods, key)));
    await stage.remove('host', (await host.get(pods, key)) as Pod, 0);
    const placed = await stage.virtualWhen('waiting', (pod) => nodeOf(pod) === 'small');
    expect(placed.metadata.uid).toBe(waiting.metadata.uid);

    const more = made(pods, { name: 'more', namespace: 'default' }, { spec: { ...spec, priorityClassName: 'high' } });
    await host.create(pods, more);
    const preempted = await stage.virtualWhen('waiting', isLeaving);
    expect(conditionOf(preempted, 'DisruptionTarget')).toBe('PreemptionByScheduler');
    await stage.end('waiting');
    await stage.gone('virtual', 'waiting', placed.metadata.uid);
  });

  async function eventuallyCreated(pod: object): Promise<void> {
    await until('the class to be known', () =>
      stage.pair.host.create(pods, pod as Pod).then(
        () => true,
        (error: unknown) => !isStatus(error, 403),
      ),
    );
  }
});

test('a lost node: its pods go on the host as the host decides, and with them for the tenant [POD-32]', async () => {
  await stage.node('lost');
  const tolerations = ['by-hand', 'node.kubernetes.io/not-ready'].map((key) => ({ key, operator: 'Exists' }));
  const { virtual } = await stage.runByHand('orphaned', 'lost', { tolerations });
  await stage.nodeNotReady('lost');
  const taints = [{ key: 'node.kubernetes.io/out-of-service', value: 'nodeshutdown', effect: 'NoExecute' }];
  await stage.pair.host.patch(nodes, { namespace: '', name: 'lost' }, { spec: { taints } });
  const leaving = await stage.virtualWhen('orphaned', isLeaving);
  expect(conditionOf(leaving, 'DisruptionTarget')).toBe('DeletionByTaintManager');
  expect(leaving.metadata.uid).toBe(virtual.metadata.uid);
  // Nobody is there to end its containers: the host's garbage collector does it, at most 20 s later.
  await until('it to be gone', async () => (await stage.virtual('orphaned')) === undefined, 45_000);
  expect(await stage.host('orphaned')).toBeUndefined();
});
