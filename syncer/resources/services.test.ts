import { describe, expect, test } from 'vitest';
import { object, viewOf } from '../../test/support/world.ts';
import type { Action, Plan } from '../model/action.ts';
import { services as kind } from '../model/kubernetes.ts';
import type { Service } from '../model/kubernetes.ts';
import type { Metadata } from '../model/object.ts';
import { movingAnnotation } from './service-address.ts';
import { services } from './services.ts';

const key = 'shop/web';
const ip = '10.96.0.10';
const address = { clusterIP: ip, clusterIPs: [ip], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' };
const usualSpec = { ...address, type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' };
const port = { port: 80, protocol: 'TCP', targetPort: 8080 };

function virtualOf(
  spec: object = {},
  metadata: Partial<Metadata> = {},
  status: object = { loadBalancer: {} },
): Service {
  return object(
    kind,
    { namespace: 'shop', uid: 'v1', resourceVersion: '5', ...metadata },
    {
      spec: { ...usualSpec, selector: { app: 'web' }, ports: [port], ...spec },
      status,
    },
  );
}

/** The host Service as the host's API server would have stored what is created for a virtual one. */
function hostOf(virtual: Service, spec: object = {}, rest: object = {}): Service {
  const created = createdFor(virtual);
  return {
    ...created,
    metadata: { ...created.metadata, uid: 'h1', resourceVersion: '8' },
    spec: { ...usualSpec, ...created.spec, ...spec },
    status: { loadBalancer: {} },
    ...rest,
  };
}

function planOf(virtual: readonly Service[], host: readonly Service[] = []): Plan {
  return services.decide(key, viewOf({ virtual, host }), undefined);
}

function createdFor(virtual: Service): Service {
  const [action] = planOf([virtual]).actions;
  if (action?.do !== 'create') throw new Error(`Not created: ${JSON.stringify(action)}`);
  return action.object as Service;
}

function patches(plan: Plan, side: 'host' | 'virtual'): readonly object[] {
  return plan.actions.flatMap((action) => (action.do === 'patch' && action.side === side ? [action.patch] : []));
}

describe('created on the host', () => {
  test('a Service asks for the address that it has inside [D4]', () => {
    expect(createdFor(virtualOf()).spec).toMatchObject(address);
  });

  test("its selector is confined to the tenant's namespace [SVC-01]", () => {
    const { spec } = createdFor(virtualOf({ selector: { app: 'web', release: 'mine' } }));
    expect(spec.selector).toMatchObject({
      app: 'web',
      'vcluster.loft.sh/managed-by': 'vc1',
      'vcluster.loft.sh/namespace': 'shop',
    });
    expect(spec.selector).not.toHaveProperty('release');
    expect(Object.keys(spec.selector ?? {})).toHaveLength(4);
  });

  test.each([[{}], [undefined]])('selector %j selects nothing, there as here [SVC-02]', (selector) => {
    expect(createdFor(virtualOf({ selector })).spec).not.toHaveProperty('selector');
  });

  test('external addresses are refused, and the tenant is told [SVC-58]', () => {
    const plan = planOf([virtualOf({ externalIPs: ['1.1.1.1'] })]);
    expect(plan.actions).toEqual([
      expect.objectContaining({ do: 'warn', message: expect.stringContaining('spec.externalIPs') }),
    ]);
    const spec = { selector: { app: 'other' }, externalIPs: ['1.1.1.1'] };
    expect(patches(planOf([virtualOf(spec)], [hostOf(virtualOf())]), 'host')).toEqual([]);
  });

  test('an address that is taken is given up, then the node ports, then all hope', () => {
    const [action] = planOf([virtualOf({ type: 'NodePort', ports: [{ ...port, nodePort: 30_080 }] })]).actions;
    if (action?.do !== 'create') throw new Error('not created');
    const withoutIp = action.otherwise?.(
      action.object,
      'spec.clusterIPs: Invalid value: provided IP is already allocated',
    ) as Service;
    expect(withoutIp.spec).not.toHaveProperty('clusterIP');
    expect(withoutIp.spec.ports).toEqual([{ ...port, nodePort: 30_080 }]);
    const withoutPort = action.otherwise?.(
      withoutIp,
      'spec.ports[0].nodePort: provided port is already allocated',
    ) as Service;
    expect(withoutPort.spec.ports).toEqual([port]);
    expect(action.otherwise?.(withoutPort, 'spec.ports[0].nodePort: no')).toBeUndefined();
    expect(action.otherwise?.(withoutPort, 'something else')).toBeUndefined();
  });

  test("default/kubernetes is nobody's to sync", () => {
    const own = object(kind, { namespace: 'default', name: 'kubernetes', uid: 'k' }, { spec: usualSpec });
    expect(services.decide('default/kubernetes', viewOf({ virtual: [own] }), undefined).actions).toEqual([]);
  });
});

describe('kept in step', () => {
  test('converged, there is nothing to do', () => {
    for (const spec of [{}, { selector: undefined }, { clusterIP: 'None', clusterIPs: ['None'] }]) {
      const virtual = virtualOf(spec);
      expect(planOf([virtual], [hostOf(virtual)]).actions).toEqual([]);
    }
  });

  test("the tenant's change goes to the host and leaves what the host gave", () => {
    const type = 'NodePort';
    const host = hostOf(virtualOf({ type }), { ports: [{ ...port, nodePort: 31_000 }] });
    const changed = virtualOf({
      type,
      ports: [{ ...port, targetPort: 9090, nodePort: 31_000 }],
      selector: { app: 'b' },
    });
    const [patch] = patches(planOf([changed], [host]), 'host');
    expect(patch).toEqual({
      metadata: { uid: 'h1', resourceVersion: '8', annotations: { 'vcluster.loft.sh/object-version': '5' } },
      spec: { ports: [{ ...port, targetPort: 9090, nodePort: 31_000 }], selector: { app: 'b' } },
    });
  });

  test('a selector taken away is taken away on the host, with its scope', () => {
    const [patch] = patches(planOf([virtualOf({ selector: undefined })], [hostOf(virtualOf())]), 'host');
    expect(patch).toMatchObject({ spec: { selector: null } });
  });

  test('node ports and the load balancer come back from the host [SVC-32]', () => {
    const virtual = virtualOf({ type: 'LoadBalancer' });
    const loadBalancer = { ingress: [{ ip: '192.0.2.7' }] };
    const host = hostOf(virtual, { ports: [{ ...port, nodePort: 31_000 }] }, { status: { loadBalancer } });
    expect(patches(planOf([virtual], [host]), 'virtual')).toEqual([
      { metadata: { uid: 'v1', resourceVersion: '5' }, spec: { ports: [{ ...port, nodePort: 31_000 }] } },
      { metadata: { uid: 'v1', resourceVersion: '5' }, status: { loadBalancer } },
    ]);
  });

  test('what is no load balancer any more shows no address [SVC-08]', () => {
    const loadBalancer = { ingress: [{ ip: '192.0.2.7' }] };
    const virtual = virtualOf({}, {}, { loadBalancer });
    const host = hostOf(virtual, {}, { status: { loadBalancer } });
    expect(patches(planOf([virtual], [host]), 'virtual')).toMatchObject([
      { status: { loadBalancer: expect.anything() } },
    ]);
  });
});

describe('moved to the address that the host gave [D4]', () => {
  const virtual = virtualOf();
  const elsewhere = { clusterIP: '10.96.0.99', clusterIPs: ['10.96.0.99'] };
  const host = hostOf(virtual, elsewhere);

  /** What the API server makes of the first step: type ExternalName has no address. */
  function between(): Service {
    const [first] = planOf([virtual], [host]).actions;
    if (first?.do !== 'patch') throw new Error('no first step');
    const { metadata, spec } = first.patch as { metadata: Metadata; spec: object };
    const { clusterIP: _ip, clusterIPs: _ips, ipFamilies: _f, ipFamilyPolicy: _p, ...left } = virtual.spec;
    const named = { ...left, ...spec, clusterIP: undefined, clusterIPs: undefined };
    return {
      ...virtual,
      metadata: { ...virtual.metadata, ...metadata, resourceVersion: '6' },
      spec: JSON.parse(JSON.stringify(named)),
    };
  }

  test('first without any address, the wish kept in an annotation', () => {
    const plan = planOf([virtual], [host]);
    expect(plan.actions).toHaveLength(1);
    expect(patches(plan, 'virtual')).toMatchObject([
      {
        metadata: { uid: 'v1', resourceVersion: '5' },
        spec: { type: 'ExternalName', clusterIP: null, clusterIPs: null },
      },
    ]);
  });

  test('then as it was, with the new address and the same UID, also after a crash in between', () => {
    const [second] = planOf([between()], [host]).actions as readonly Extract<Action, { do: 'replace' }>[];
    expect(second).toMatchObject({
      do: 'replace',
      side: 'virtual',
      object: { metadata: { uid: 'v1', resourceVersion: '6' } },
    });
    const moved = second?.object as Service;
    expect(moved.spec).toEqual({ ...virtual.spec, ...elsewhere });
    expect(moved.metadata.annotations).not.toHaveProperty(movingAnnotation);
    expect(planOf([moved], [host]).actions).toEqual([]);
  });

  test('in between, the host sees the Service as the tenant knows it', () => {
    expect(patches(planOf([between()], [host]), 'host')).toEqual([]);
    const settled = createdFor(virtual);
    const annotations = { ...settled.metadata.annotations, 'vcluster.loft.sh/object-version': '6' };
    expect(createdFor(between())).toEqual({ ...settled, metadata: { ...settled.metadata, annotations } });
  });

  test("a tenant's own ExternalName Service is not taken for one that is being moved", () => {
    const own = virtualOf({
      type: 'ExternalName',
      externalName: 'example.com',
      clusterIP: undefined,
      clusterIPs: undefined,
      ipFamilies: undefined,
      ipFamilyPolicy: undefined,
    });
    const withAnnotation = {
      ...own,
      metadata: { ...own.metadata, annotations: { [movingAnnotation]: '{"type":"ClusterIP"}' } },
    };
    expect(createdFor(withAnnotation).spec).toMatchObject({ type: 'ExternalName', externalName: 'example.com' });
  });

  test('a host range that the virtual API server does not know is learned from the address', () => {
    const view = viewOf({ virtual: [virtual], host: [host] });
    const message = 'PUT /x: spec.clusterIPs[0]: the provided network does not match the current range';
    const actions = services.onRefusal?.(key, message, view) ?? [];
    expect(actions.find((action) => action.do === 'create')).toMatchObject({
      side: 'virtual',
      object: { metadata: { name: 'host-10-96-0-0-24' }, spec: { cidrs: ['10.96.0.0/24'] } },
    });
    expect((services.onRefusal?.(key, 'PUT /x: quota', view) ?? []).map((action) => action.do)).toEqual(['warn']);
  });
});

test('fields of a later Kubernetes: as the tenant has them where the host knows them, and not sent again where it does not [CORE-24]', () => {
  const virtual = virtualOf({ laterField: { a: 1 }, loadBalancerIP: '192.0.2.1' });
  expect(createdFor(virtual).spec).toMatchObject({ laterField: { a: 1 } });
  expect(createdFor(virtual).spec).not.toHaveProperty('loadBalancerIP');
  const { laterField: _dropped, ...known } = hostOf(virtual).spec;
  expect(planOf([virtual], [{ ...hostOf(virtual), spec: known }]).actions).toEqual([]);
  const [action] = planOf([virtual], [hostOf(virtual, { laterField: { a: 2 } })]).actions;
  expect(action).toMatchObject({ do: 'patch', patch: { spec: { laterField: { a: 1 } } } });
});
