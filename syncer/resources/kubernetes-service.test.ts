import { describe, expect, test } from 'vitest';
import { object, viewOf } from '../../test/support/world.ts';
import type { World } from '../../test/support/world.ts';
import type { Plan } from '../model/action.ts';
import { endpointSlices, services } from '../model/kubernetes.ts';
import type { KubeObject } from '../model/object.ts';
import { kubernetesService } from './kubernetes-service.ts';

const address = { clusterIP: '10.96.7.7', clusterIPs: ['10.96.7.7'] };

function own(spec: object = address): KubeObject {
  return object(
    services,
    { namespace: 'default', name: 'kubernetes', uid: 'k', resourceVersion: '3' },
    { spec: { type: 'ClusterIP', ...spec } },
  );
}

function hostSlice(addresses: readonly string[], { service = 'vc1', ready = true, name = 'a' } = {}): KubeObject {
  const labels = { 'kubernetes.io/service-name': service };
  return object(
    endpointSlices,
    { namespace: 'tenant-a', name, labels },
    { addressType: 'IPv4', endpoints: [{ addresses, conditions: { ready } }] },
  );
}

function planOf(world: World): Plan {
  return kubernetesService.decide('default/kubernetes', viewOf(world), undefined);
}

function told({ actions }: Plan): readonly string[] {
  return actions.map((action) => ('side' in action ? `${action.do} ${action.side} ${action.kind.plural}` : action.do));
}

describe('default/kubernetes', () => {
  test("is moved to the address of the release's Service, without ever being deleted [SVC-51] [D4]", () => {
    expect(told(planOf({ virtual: [own({ clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] })] }))).toEqual([
      'patch virtual services',
    ]);
    expect(told(planOf({ virtual: [own()] }))).toEqual([]);
  });

  test('has the ready pods of the control plane behind it, in a stable order [SVC-52]', () => {
    const host = [
      hostSlice(['10.1.0.9', '10.1.0.2']),
      hostSlice(['10.1.0.5'], { ready: false, name: 'b' }),
      hostSlice(['10.9.9.9'], { service: 'other', name: 'c' }),
    ];
    const plan = planOf({ virtual: [own()], host });
    expect(told(plan)).toEqual(['create virtual endpointslices', 'create virtual endpoints']);
    expect(plan.actions[0]).toMatchObject({
      object: { endpoints: [{ addresses: ['10.1.0.2', '10.1.0.9'] }], ports: [{ port: 6443 }] },
    });
    const written = plan.actions.flatMap((action) => (action.do === 'create' ? [action.object] : []));
    expect(told(planOf({ virtual: [own(), ...written], host }))).toEqual([]);
    expect(told(planOf({ virtual: [own(), ...written], host: [hostSlice(['10.1.0.3'])] }))).toEqual([
      'replace virtual endpointslices',
      'replace virtual endpoints',
    ]);
  });

  test('keeps its last endpoints while no pod of the control plane is known to be ready', () => {
    const written = object(
      endpointSlices,
      { namespace: 'default', name: 'kubernetes' },
      { endpoints: [{ addresses: ['10.1.0.2'] }] },
    );
    expect(told(planOf({ virtual: [own(), written] }))).toEqual([]);
  });

  test('waits for the API server to make it', () => {
    expect(planOf({})).toMatchObject({ actions: [], why: expect.any(String) });
  });

  test('writes nothing to the host', () => {
    expect(kubernetesService.hostRules.flatMap(({ verbs }) => verbs)).toEqual(['list', 'watch']);
  });
});
