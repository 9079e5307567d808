/**
 * Services between two real API servers. The virtual one knows only a small part of the host's range, and in it an address is
 * somebody else's: so every way to one common address is taken (design decision D4).
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { endpointSlices, namespaces, services } from '../syncer/model/kubernetes.ts';
import type { EndpointSlice, Service } from '../syncer/model/kubernetes.ts';
import type { KubeObject } from '../syncer/model/object.ts';
import { hostNameOf, made, namespace } from './samples/sample.ts';
import { census, idle, secondLook } from './support/census.ts';
import { eventually, until } from './support/eventually.ts';
import { hostNamespace, releaseName, releaseServiceIp, startPair } from './support/pair.ts';
import type { Pair } from './support/pair.ts';

const ports = [{ name: 'http', port: 80, protocol: 'TCP', targetPort: 8080 }];
const selector = { app: 'web' };
/** Of the part of a range that nobody is given by chance. */
const taken = '10.96.0.9';

let pair: Pair;

beforeAll(async () => {
  pair = await startPair('services', { virtualServiceCidr: '10.96.0.0/24' });
  await pair.virtual.create(namespaces, { metadata: { name: namespace } });
  await pair.host.create(services, service('theirs', { clusterIP: taken }, 'default'));
});

afterAll(() => pair.stop());

function service(name: string, spec: object = {}, of: string = namespace): KubeObject {
  return made(services, { name, namespace: of }, { spec: { ports, selector, ...spec } });
}

async function hostOf(name: string): Promise<Service | undefined> {
  return (await pair.host.get(services, { namespace: hostNamespace, name: hostNameOf(name) })) as Service | undefined;
}

async function virtualOf(name: string, of: string = namespace): Promise<Service | undefined> {
  return (await pair.virtual.get(services, { namespace: of, name })) as Service | undefined;
}

/** Until both sides have the same address and type. */
async function agreed(name: string): Promise<Service> {
  return eventually(`Service ${name} to have one address`, async () => {
    const [host, virtual] = [await hostOf(name), await virtualOf(name)];
    const same = host?.spec.clusterIP === virtual?.spec.clusterIP && host?.spec.type === virtual?.spec.type;
    return same ? virtual : undefined;
  });
}

describe('the address [TOP-07]', () => {
  test('that the virtual side has is the one on the host', async () => {
    const before = (await pair.virtual.create(services, service('plain'))) as Service;
    expect((await agreed('plain')).spec.clusterIP).toBe(before.spec.clusterIP);
  });

  test("that somebody has on the host already is given up for one of the host's, from a range that is learned on the way; the Service stays the same [D4]", async () => {
    const before = (await pair.virtual.create(services, service('collides', { clusterIP: taken }))) as Service;
    const after = await agreed('collides');
    expect(after.spec.clusterIP).not.toBe(taken);
    expect(after.metadata.uid).toBe(before.metadata.uid);
    expect(after.spec).toMatchObject({ type: 'ClusterIP', ports, selector });
    expect(after.metadata.annotations ?? {}).toEqual({});
    expect(await pair.host.get(services, { namespace: 'default', name: 'theirs' })).toMatchObject({
      spec: { clusterIP: taken },
    });
  });

  test("of default/kubernetes is that of the release's Service, with the control plane behind it [SVC-51] [SVC-52]", async () => {
    expect((await virtualOf('kubernetes', 'default'))?.spec.clusterIP).toBe(releaseServiceIp);
    const slice: EndpointSlice = {
      metadata: {
        name: 'control-plane',
        namespace: hostNamespace,
        labels: { 'kubernetes.io/service-name': releaseName },
      },
      addressType: 'IPv4',
      endpoints: [{ addresses: ['10.245.9.9'], conditions: { ready: true } }],
      ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
    };
    await pair.host.create(endpointSlices, slice);
    await until('its endpoints', async () => {
      const found = (await pair.virtual.get(endpointSlices, { namespace: 'default', name: 'kubernetes' })) as
        | EndpointSlice
        | undefined;
      return found?.endpoints?.[0]?.addresses[0] === '10.245.9.9';
    });
  });

  test.each([
    ['headless', { clusterIP: 'None' }],
    ['named', { type: 'ExternalName', externalName: 'example.com', selector: undefined, ports: undefined }],
    ['unselected', { selector: undefined }],
  ])('of a %s Service is what it is on both sides', async (name, spec) => {
    await pair.virtual.create(services, JSON.parse(JSON.stringify(service(name, spec))) as KubeObject);
    const virtual = await agreed(name);
    const host = await hostOf(name);
    expect(host?.spec.selector === undefined).toBe(virtual.spec.selector === undefined);
    expect(host?.spec.externalName).toBe(virtual.spec.externalName);
  });
});

describe('changes of type by the tenant [TOP-07]', () => {
  test('go to the host and come back with what it allocates', async () => {
    const {
      metadata: { uid },
    } = await pair.virtual.create(services, service('changing'));
    const key = { namespace, name: 'changing' };
    await agreed('changing');

    await pair.virtual.patch(services, key, { spec: { type: 'NodePort' } });
    const open = await agreed('changing');
    await until('one node port', async () => {
      const [host, virtual] = [await hostOf('changing'), await virtualOf('changing')];
      return (
        host?.spec.ports?.[0]?.nodePort !== undefined &&
        host.spec.ports[0].nodePort === virtual?.spec.ports?.[0]?.nodePort
      );
    });
    expect(open.metadata.uid).toBe(uid);

    await pair.virtual.patch(services, key, { spec: { type: 'LoadBalancer' } });
    await agreed('changing');
    const loadBalancer = { ingress: [{ ip: '192.0.2.7' }] };
    await pair.host.patch(
      services,
      { namespace: hostNamespace, name: hostNameOf('changing') },
      { status: { loadBalancer } },
      'status',
    );
    await until(
      'the load balancer',
      async () => (await virtualOf('changing'))?.status?.loadBalancer?.['ingress'] !== undefined,
    );

    await pair.virtual.patch(services, key, {
      spec: { type: 'ExternalName', externalName: 'example.com', clusterIP: null, clusterIPs: null },
    });
    await until('the host to have no address', async () => (await hostOf('changing'))?.spec.type === 'ExternalName');
    await pair.virtual.patch(services, key, { spec: { type: 'ClusterIP', externalName: null } });
    await until('an address again', async () => ((await agreed('changing')).spec.clusterIP ?? '') !== '');
    expect((await virtualOf('changing'))?.metadata.uid).toBe(uid);
  });

  test('and after all that a second look writes nothing [I2]', async () => {
    await idle(pair.syncer);
    const before = await census(pair);
    await secondLook(pair);
    expect(await census(pair)).toEqual(before);
  });
});
