/**
 * Two API servers of one version that do not know the same: features that are off on one side only, so that no version number tells.
 * What one does not know it drops or refuses; the syncer neither fights nor gets stuck over it.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pods, services } from '../../syncer/model/kubernetes.ts';
import { until } from '../support/eventually.ts';
import { container, serviceOf, shop, Stage } from './hostile.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('host-side-skew', {
    apiServerArgs: {
      host: [
        '--feature-gates=RelaxedServiceNameValidation=false,PodLevelResources=false,HostnameOverride=false',
        '--feature-gates=InPlacePodLevelResourcesVerticalScaling=false',
      ],
      virtual: ['--feature-gates=ResourceHealthStatus=false,ResourceHealthStatusMessage=false'],
    },
  });
});

afterAll(() => stage.close());

describe('what the host does not know', () => {
  test('a name that it finds too loose: refused with an event, tried without haste, and others are synced [F47, F59] [NAM-08] [CORE-07] [I7]', async () => {
    const service = await stage.create(services, serviceOf('1web'));
    await stage.warning(service, /1web.*DNS-1035/su);
    const plain = await stage.create(services, serviceOf('web1'));
    await stage.onHost(services, plain.metadata.name);
    expect(await stage.host(services, '1web')).toBeUndefined();
    await stage.clear();
  });

  test('fields of a pod that it drops without a word: the pod runs without them, and nobody sends them again [F47] [CORE-24, POD-176] [I2]', async () => {
    const resources = { limits: { cpu: '1', memory: '64Mi' } };
    const pod = await stage.run('newer', { resources, hostnameOverride: 'other' });
    const host = await stage.onHost(pods, 'newer');
    expect(pod.spec).toMatchObject({ resources, hostnameOverride: 'other' });
    expect(host.spec).not.toHaveProperty('hostnameOverride');
    expect(host.spec).not.toHaveProperty('resources');
    await stage.pair.virtual.patch(pods, { namespace: shop, name: 'newer' }, { metadata: { labels: { tier: 'x' } } });
    await stage.onHost(pods, 'newer', ({ metadata }) => metadata.labels?.['tier'] === 'x');
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.clear();
  });
});

describe('what the virtual API server does not know', () => {
  test('a field of the status: the rest of it arrives, and nobody is stuck [F47] [CORE-24, POD-90] [I2]', async () => {
    const containers = [{ ...container, resources: { requests: { cpu: '1m' } } }];
    const pod = await stage.run('sick', { containers });
    const host = await stage.onHost(pods, 'sick', ({ status }) => status?.phase === 'Running');
    const [shown] = host.status?.containerStatuses ?? [];
    const allocatedResourcesStatus = [{ name: 'cpu', resources: [{ resourceID: 'r', health: 'Unhealthy' }] }];
    const containerStatuses = [{ ...shown, restartCount: 7, allocatedResourcesStatus }];
    await stage.pair.host.patch(pods, stage.hostKey('sick'), { status: { containerStatuses } }, 'status');
    await until('the rest of the status', async () => {
      const found = await stage.virtual(pods, 'sick');
      return found?.status?.containerStatuses?.[0]?.['restartCount'] === 7;
    });
    expect((await stage.host(pods, 'sick'))?.status?.containerStatuses?.[0]).toHaveProperty('allocatedResourcesStatus');
    expect((await stage.virtual(pods, 'sick'))?.status?.containerStatuses?.[0]).not.toHaveProperty(
      'allocatedResourcesStatus',
    );
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.remove('virtual', pods, pod);
    await stage.gone('host', pods, host);
  });
});
