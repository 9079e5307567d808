import { expect, test } from 'vitest';
import { object } from '../../test/support/world.ts';
import { services } from '../model/kubernetes.ts';
import type { Service } from '../model/kubernetes.ts';
import { moveTo, movingAnnotation, rangeAround, settledSpec } from './service-address.ts';

const spec = { type: 'ClusterIP', clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'] };
const service: Service = object(services, { uid: 'u', resourceVersion: '3' }, { spec });

test('moveTo() has nothing to do at the right address', () => {
  expect(moveTo(service, { clusterIP: '10.96.0.1' })).toEqual([]);
});

test('settledSpec() does not choke on what a tenant wrote into the annotation', () => {
  const between = { type: 'ExternalName', externalName: 'pending.invalid' };
  const broken: Service = {
    ...service,
    spec: between,
    metadata: { ...service.metadata, annotations: { [movingAnnotation]: '{' } },
  };
  expect(settledSpec(broken)).toBe(broken.spec);
});

test.each([
  ['10.96.7.9', 'host-10-96-7-0-24', '10.96.7.0/24'],
  ['fd00:10:96:1::9', 'host-fd00-10-96-1-112', 'fd00:10:96:1::/112'],
  ['fd00:1:2:3:4:5:6:7', 'host-fd00-1-2-3-4-5-6-0-112', 'fd00:1:2:3:4:5:6:0/112'],
  ['fd00::a', 'host-fd00-112', 'fd00::/112'],
])('rangeAround(%s) is %s: %s', (ip, name, cidr) => {
  expect(rangeAround(ip)).toEqual({ metadata: { name }, spec: { cidrs: [cidr] } });
});
