import { describe, expect, test } from 'vitest';
import type { Volume } from '../../model/kubernetes.ts';
import { podOf } from './fixtures.ts';
import { podsByConfigMap, podsBySecret } from './references.ts';
import type { Rewriting } from './rewriting.ts';
import { unknownVolumeKind, volumeToHost } from './volumes.ts';

const rewriting: Rewriting = {
  podName: 'web-0',
  tokenSecret: 'vc-token-web-uid',
  rename: (kind, name) => `host ${kind} ${name}`,
  fieldPath: (path) => `host ${path}`,
};

function translated(source: object): unknown {
  const { name: _, ...rest } = volumeToHost({ name: 'v', ...source }, rewriting);
  return rest;
}

describe('volumeToHost()', () => {
  test.each([
    [
      { configMap: { name: 'a', defaultMode: 420, items: [{ key: 'k', path: 'p' }], optional: true } },
      { configMap: { name: 'host configMap a', defaultMode: 420, items: [{ key: 'k', path: 'p' }], optional: true } },
    ],
    [{ secret: { secretName: 'a' } }, { secret: { secretName: 'host secret a' } }],
    [
      { persistentVolumeClaim: { claimName: 'a', readOnly: true } },
      { persistentVolumeClaim: { claimName: 'host claim a', readOnly: true } },
    ],
  ])('%j [POD-101]', (source, expected) => {
    expect(translated(source)).toEqual(expected);
  });

  test('a generic ephemeral volume becomes the claim that its virtual controller makes [POD-102]', () => {
    const source = { ephemeral: { volumeClaimTemplate: { spec: {} } } };
    expect(translated(source)).toEqual({ persistentVolumeClaim: { claimName: 'host claim web-0-v' } });
  });

  test('the volume that admission adds to every pod [POD-103, POD-110, POD-118, TOP-04]', () => {
    const source = {
      projected: {
        defaultMode: 420,
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
            },
          },
        ],
      },
    };
    expect(translated(source)).toEqual({
      projected: {
        defaultMode: 420,
        sources: [
          { secret: { name: 'vc-token-web-uid', items: [{ key: 'v.0', path: 'token', mode: 0o644 }] } },
          { configMap: { name: 'host configMap kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          {
            downwardAPI: {
              items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'host metadata.namespace' } }],
            },
          },
        ],
      },
    });
  });

  test('two tokens in one volume have keys of their own [POD-115]', () => {
    const sources = [{ serviceAccountToken: { path: 'a' } }, { serviceAccountToken: { path: 'b', audience: 'vault' } }];
    expect(translated({ projected: { sources } })).toMatchObject({
      projected: { sources: [{ secret: { items: [{ key: 'v.0' }] } }, { secret: { items: [{ key: 'v.1' }] } }] },
    });
  });

  test('downward API files [POD-104]', () => {
    const items = [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu' } },
    ];
    expect(translated({ downwardAPI: { items } })).toEqual({
      downwardAPI: {
        items: [
          { path: 'labels', fieldRef: { fieldPath: 'host metadata.labels' } },
          { path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu' } },
        ],
      },
    });
  });

  test.each(['iscsi', 'rbd', 'flexVolume', 'cinder', 'cephfs', 'scaleIO', 'storageos'])(
    'the secret of %s is translated [POD-105]',
    (kind) => {
      expect(translated({ [kind]: { secretRef: { name: 's' }, other: 1 } })).toEqual({
        [kind]: { secretRef: { name: 'host secret s' }, other: 1 },
      });
    },
  );

  test.each([
    [
      { azureFile: { secretName: 's', shareName: 'x' } },
      { azureFile: { secretName: 'host secret s', shareName: 'x' } },
    ],
    [
      { csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } },
      { csi: { driver: 'd', nodePublishSecretRef: { name: 'host secret s' } } },
    ],
    [{ glusterfs: { endpoints: 'e', path: 'p' } }, { glusterfs: { endpoints: 'host endpoints e', path: 'p' } }],
  ])('%j [POD-105]', (source, expected) => {
    expect(translated(source)).toEqual(expected);
  });

  test.each([
    { emptyDir: {} },
    { emptyDir: { medium: 'Memory' } },
    { hostPath: { path: '/x' } },
    { nfs: { server: 's' } },
    { image: { reference: 'i' } },
  ])('%j passes [POD-106, POD-107]', (source) => {
    expect(translated(source)).toEqual(source);
  });
});

describe('unknownVolumeKind() fails closed [POD-109, F63]', () => {
  test.each<[object, string]>([
    [{ volumeOf2030: { secretName: 'vc-vc1' } }, 'volumeOf2030'],
    [{ azureFile: { secretName: 's', secretNamespace: 'kube-system' } }, 'azureFile.secretNamespace'],
    [{ glusterfs: { endpoints: 'e', endpointsNamespace: 'x' } }, 'glusterfs.endpointsNamespace'],
    [{ projected: { sources: [{ clusterTrustBundle: { name: 'x' } }] } }, 'projected.clusterTrustBundle'],
    [{ projected: { sources: [{ configMap: { name: 'a' } }, { podCertificate: {} }] } }, 'projected.podCertificate'],
  ])('%j', (source, expected) => {
    expect(unknownVolumeKind({ name: 'v', ...source })).toBe(expected);
  });

  test.each<object>([
    { emptyDir: {} },
    { ephemeral: {} },
    { csi: { driver: 'd', volumeAttributes: { secretNamespace: 'meant for the driver' } } },
    {
      projected: { sources: [{ serviceAccountToken: { path: 't' } }, { downwardAPI: {} }, { secret: { name: 's' } }] },
    },
  ])('nothing against %j', (source) => {
    expect(unknownVolumeKind({ name: 'v', ...source })).toBeUndefined();
  });
});

describe('indexes of what pods use [POD-108]', () => {
  const volumes: readonly Volume[] = [
    { name: 'a', configMap: { name: 'volume', optional: true } },
    { name: 'b', secret: { secretName: 'volume' } },
    {
      name: 'c',
      projected: { sources: [{ configMap: { name: 'kube-root-ca.crt' } }, { secret: { name: 'projected' } }] },
    },
    { name: 'd', csi: { nodePublishSecretRef: { name: 'csi' } } },
  ];
  const pod = podOf({
    volumes,
    imagePullSecrets: [{ name: 'pull' }],
    containers: [{ name: 'app', env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'env', key: 'k' } } }] }],
    initContainers: [
      { name: 'init', envFrom: [{ configMapRef: { name: 'env-from' } }, { secretRef: { name: 'init' } }] },
    ],
    ephemeralContainers: [
      { name: 'debug', env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'debug', key: 'k' } } }] },
    ],
  });

  test('config maps', () => {
    expect(podsByConfigMap.values(pod).toSorted()).toEqual([
      'shop/env',
      'shop/env-from',
      'shop/kube-root-ca.crt',
      'shop/volume',
    ]);
  });

  test('secrets', () => {
    expect(podsBySecret.values(pod).toSorted()).toEqual([
      'shop/csi',
      'shop/debug',
      'shop/init',
      'shop/projected',
      'shop/pull',
      'shop/volume',
    ]);
  });
});
