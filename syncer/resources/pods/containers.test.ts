import { describe, expect, test } from 'vitest';
import type { Container } from '../../model/kubernetes.ts';
import { containerToHost, withVariables } from './containers.ts';
import { hostFieldPath } from './downward.ts';
import { kubernetesVariables, linkVariables } from './env.ts';
import { object } from './fixtures.ts';
import { release } from '../../../test/support/release.ts';
import { services } from '../../model/kubernetes.ts';
import type { Rewriting } from './rewriting.ts';

const rewriting: Rewriting = {
  podName: 'web-0',
  tokenSecret: 'vc-token-web-uid',
  rename: (kind, name) => `host ${kind} ${name}`,
  fieldPath: (path) => hostFieldPath(path, release),
};

function valueFrom(source: object): unknown {
  const container = containerToHost({ name: 'app', env: [{ name: 'X', valueFrom: { ...source } }] }, rewriting);
  return container.env?.[0]?.valueFrom;
}

describe('containerToHost()', () => {
  test.each([
    [
      { configMapKeyRef: { name: 'a', key: 'k', optional: true } },
      { configMapKeyRef: { name: 'host configMap a', key: 'k', optional: true } },
    ],
    [{ secretKeyRef: { name: 'a', key: 'k' } }, { secretKeyRef: { name: 'host secret a', key: 'k' } }],
    [{ resourceFieldRef: { resource: 'limits.cpu' } }, { resourceFieldRef: { resource: 'limits.cpu' } }],
    [
      { fileKeyRef: { volumeName: 'v', path: 'p', key: 'k' } },
      { fileKeyRef: { volumeName: 'v', path: 'p', key: 'k' } },
    ],
    [
      { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.name' } },
      { fieldRef: { apiVersion: 'v1', fieldPath: "metadata.annotations['vcluster.loft.sh/name']" } },
    ],
  ])('env from %j [POD-74]', (source, expected) => {
    expect(valueFrom(source)).toEqual(expected);
  });

  test('envFrom is translated and keeps prefix and optional [POD-74]', () => {
    const envFrom = [{ prefix: 'A_', configMapRef: { name: 'a', optional: true } }, { secretRef: { name: 'b' } }];
    expect(containerToHost({ name: 'app', envFrom }, rewriting).envFrom).toEqual([
      { prefix: 'A_', configMapRef: { name: 'host configMap a', optional: true } },
      { secretRef: { name: 'host secret b' } },
    ]);
  });

  test('everything else passes, known or not [POD-62]', () => {
    const container: Container = {
      name: 'app',
      image: 'x',
      securityContext: { privileged: true },
      fieldOf2030: { a: 1 },
    };
    expect(containerToHost(container, rewriting)).toEqual(container);
  });
});

describe('hostFieldPath() [POD-75]', () => {
  test.each([
    ['metadata.name', "metadata.annotations['vcluster.loft.sh/name']"],
    ['metadata.namespace', "metadata.annotations['vcluster.loft.sh/namespace']"],
    ['metadata.uid', "metadata.annotations['vcluster.loft.sh/uid']"],
    ['metadata.labels', "metadata.annotations['vcluster.loft.sh/labels']"],
    ['metadata.annotations', "metadata.annotations['vcluster.loft.sh/annotations']"],
    ['spec.serviceAccountName', "metadata.annotations['vcluster.loft.sh/service-account-name']"],
    ["metadata.labels['app']", "metadata.labels['app']"],
    ["metadata.labels['release']", "metadata.labels['vcluster.loft.sh/label-vc1-x-a4d451ec23']"],
    ["metadata.annotations['note']", "metadata.annotations['note']"],
    ['spec.nodeName', 'spec.nodeName'],
    ['status.podIP', 'status.podIP'],
    ['status.hostIPs', 'status.hostIPs'],
  ])('%s', (path, expected) => {
    expect(hostFieldPath(path, release)).toBe(expected);
  });

  test('annotations that do not travel are read elsewhere, never from our bookkeeping [POD-79]', () => {
    const path = hostFieldPath("metadata.annotations['vcluster.loft.sh/object-host-name']", release);
    expect(path).toMatch(/^metadata\.annotations\['vcluster\.loft\.sh\/annotation-[0-9a-f]{10}'\]$/u);
  });
});

describe('withVariables() [POD-70]', () => {
  test('given variables come first, sorted, and never replace the own', () => {
    const container = withVariables({ name: 'app', env: [{ name: 'B', value: 'mine' }] }, { C: '3', B: '2', A: '1' });
    expect(container.env).toEqual([
      { name: 'A', value: '1' },
      { name: 'C', value: '3' },
      { name: 'B', value: 'mine' },
    ]);
  });
});

describe('variables of services', () => {
  test('of the API server [POD-71]', () => {
    expect(kubernetesVariables('10.96.7.7')).toEqual({
      KUBERNETES_SERVICE_HOST: '10.96.7.7',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
      KUBERNETES_PORT: 'tcp://10.96.7.7:443',
      KUBERNETES_PORT_443_TCP: 'tcp://10.96.7.7:443',
      KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
      KUBERNETES_PORT_443_TCP_PORT: '443',
      KUBERNETES_PORT_443_TCP_ADDR: '10.96.7.7',
    });
  });

  test('IPv6 addresses stand in brackets in URLs only [POD-73]', () => {
    expect(kubernetesVariables('fd00::1')).toMatchObject({
      KUBERNETES_SERVICE_HOST: 'fd00::1',
      KUBERNETES_PORT: 'tcp://[fd00::1]:443',
      KUBERNETES_PORT_443_TCP_ADDR: 'fd00::1',
    });
  });

  test('of a namespace, without headless and external ones [POD-72]', () => {
    const all = [
      object(
        services,
        { name: 'my-db' },
        {
          spec: {
            clusterIP: '10.96.1.1',
            ports: [{ port: 5432 }, { name: 'met-rics', port: 9100, protocol: 'UDP' }],
          },
        },
      ),
      object(services, { name: 'headless' }, { spec: { clusterIP: 'None', ports: [{ port: 1 }] } }),
      object(services, { name: 'external' }, { spec: { type: 'ExternalName', externalName: 'example.com' } }),
    ];
    expect(linkVariables(all)).toEqual({
      MY_DB_SERVICE_HOST: '10.96.1.1',
      MY_DB_SERVICE_PORT: '5432',
      MY_DB_SERVICE_PORT_MET_RICS: '9100',
      MY_DB_PORT: 'tcp://10.96.1.1:5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.96.1.1:5432',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.96.1.1',
      MY_DB_PORT_9100_UDP: 'udp://10.96.1.1:9100',
      MY_DB_PORT_9100_UDP_PROTO: 'udp',
      MY_DB_PORT_9100_UDP_PORT: '9100',
      MY_DB_PORT_9100_UDP_ADDR: '10.96.1.1',
    });
  });
});
