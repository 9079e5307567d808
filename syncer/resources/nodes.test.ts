import { describe, expect, test } from 'vitest';
import { object, viewOf } from '../../test/support/world.ts';
import type { World } from '../../test/support/world.ts';
import type { Plan } from '../model/action.ts';
import { pods } from '../model/kubernetes.ts';
import type { Node, Pod, PodStatus } from '../model/kubernetes.ts';
import type { Metadata } from '../model/object.ts';
import { onHost } from '../translate/metadata.ts';
import { nodes } from './nodes.ts';

const virtualPod: Pod = object(pods, { namespace: 'shop', uid: 'v1' }, { spec: { containers: [], nodeName: 'n1' } });

function hostPod(status: PodStatus = { hostIP: '192.0.2.4', hostIPs: [{ ip: '192.0.2.4' }] }): Pod {
  return { ...onHost<Pod>(virtualPod, pods, viewOf({}), { spec: virtualPod.spec }), status };
}

function planOf(world: World): Plan {
  return nodes.decide('n1', viewOf(world), undefined);
}

function created(world: World): Node {
  const [action] = planOf(world).actions;
  if (action?.do !== 'create') throw new Error('No node is made.');
  return action.object;
}

/** The node as the API server stores it. */
function nodeOf(metadata: Partial<Metadata> = {}, spec: NonNullable<Node['spec']> = {}): Node {
  const node = created({ host: [hostPod()] });
  return {
    apiVersion: 'v1',
    kind: 'Node',
    ...node,
    metadata: { ...node.metadata, uid: 'n', resourceVersion: '4', ...metadata },
    spec,
  };
}

describe('nodes', () => {
  test('one is made for the first pod that runs there, with its true name and address [NODE-02]', () => {
    expect(created({ host: [hostPod()] })).toMatchObject({
      metadata: { name: 'n1', labels: { 'vcluster.loft.sh/managed-by': 'vc1' } },
      status: {
        addresses: [
          { type: 'InternalIP', address: '192.0.2.4' },
          { type: 'Hostname', address: 'n1' },
        ],
      },
    });
  });

  test('pods of others on the host show nothing', () => {
    const stranger = object(pods, { namespace: 'tenant-a', name: 'x' }, { spec: { nodeName: 'n1' } });
    expect(planOf({ host: [stranger] }).actions).toEqual([]);
  });

  test('once made, there is nothing to do', () => {
    expect(planOf({ virtual: [nodeOf()], host: [hostPod()] }).actions).toEqual([]);
  });

  test("the taint of a new node goes, the tenant's own stay [NODE-06]", () => {
    const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' };
    const mine = { key: 'mine', effect: 'NoSchedule' };
    const taints = (left: readonly { key: string; effect: string }[]): unknown =>
      planOf({ virtual: [nodeOf({}, { taints: left })], host: [hostPod()] }).actions;
    expect(taints([notReady])).toMatchObject([{ do: 'patch', patch: { spec: { taints: null } } }]);
    expect(taints([notReady, mine])).toMatchObject([{ do: 'patch', patch: { spec: { taints: [mine] } } }]);
    expect(taints([mine])).toEqual([]);
  });

  test('an address that pods show later is added, one that nobody shows any more stays', () => {
    const { status: _status, ...unaddressed } = nodeOf();
    expect(planOf({ virtual: [unaddressed], host: [hostPod()] }).actions).toMatchObject([
      { do: 'patch', subresource: 'status' },
    ]);
    expect(planOf({ virtual: [nodeOf()], host: [hostPod({})] }).actions).toEqual([]);
  });

  test('one that no pod uses on either side goes; one that a tenant made stays [NODE-09]', () => {
    expect(planOf({ virtual: [nodeOf()] }).actions).toMatchObject([{ do: 'delete', side: 'virtual', uid: 'n' }]);
    expect(planOf({ virtual: [nodeOf(), virtualPod] }).actions).toEqual([]);
    expect(planOf({ virtual: [nodeOf({ labels: {} })] }).actions).toEqual([]);
  });

  test('what the tenant changes of it is put back, and what he adds stays; without our label it is still ours [F74]', () => {
    const { status } = nodeOf();
    const broken: Node = {
      ...nodeOf({ labels: { mine: 'x', 'kubernetes.io/os': 'windows' } }),
      status: {
        ...status,
        conditions: [
          { type: 'Ready', status: 'False' },
          { type: 'Mine', status: 'True' },
        ],
      },
    };
    expect(planOf({ virtual: [broken], host: [hostPod()] }).actions).toEqual([]);
    const { actions, remembers } = nodes.decide('n1', viewOf({ virtual: [broken], host: [hostPod()] }), 'n');
    expect(remembers).toBe('n');
    expect(actions).toMatchObject([
      {
        do: 'patch',
        patch: { metadata: { labels: { 'vcluster.loft.sh/managed-by': 'vc1', 'kubernetes.io/os': 'linux' } } },
      },
      {
        do: 'patch',
        subresource: 'status',
        patch: { status: { conditions: [{ type: 'Mine' }, ...(status?.conditions ?? [])] } },
      },
    ]);
  });
});
