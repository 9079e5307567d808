import { describe, expect, test } from 'vitest';
import { configMaps, pods, secrets } from '../model/kubernetes.ts';
import { isDeniedLabel, withoutDeniedOf } from './denied-labels.ts';
import { labelKeyToHost, labelsToHost, matchLabelsToHost } from './labels.ts';

const vc1 = { name: 'vc1' };

describe('isDeniedLabel()', () => {
  test.each([
    'release',
    'aadpodidbinding',
    'grafana_datasource',
    'istio.io/rev',
    'sidecar.istio.io/inject',
    'topology.istio.io/network',
    'azure.workload.identity/use',
    'eks.amazonaws.com/fargate-profile',
    'kueue.x-k8s.io/queue-name',
    'argocd.argoproj.io/secret-type',
    'service.kubernetes.io/service-proxy-name',
    'pod-security.kubernetes.io/enforce',
    'policy.cilium.io/x',
    'admission.gatekeeper.sh/ignore',
  ])('%s orders the host about [LAB-03, ABU-06]', (key) => {
    expect(isDeniedLabel(key)).toBe(true);
  });

  test.each([
    'app',
    'owner',
    'tier',
    'app.kubernetes.io/name',
    'app.kubernetes.io/instance',
    'pod-template-hash',
    'statefulset.kubernetes.io/pod-name',
    'batch.kubernetes.io/job-name',
    'kubernetes.io/metadata.name',
    'kubernetes.io/os',
    'topology.kubernetes.io/zone',
    'notistio.io/x',
    'io/x',
    'a..b/x',
    '/x',
    '',
    '__proto__',
    'constructor',
    'toString/x',
  ])('%s is a name and passes', (key) => {
    expect(isDeniedLabel(key)).toBe(false);
  });
});

test('a denied label is translated in labels and in selectors alike, so that both still match [LAB-03, LAB-12]', () => {
  const labels = { 'sidecar.istio.io/inject': 'true', app: 'web' };
  expect(matchLabelsToHost(labels, vc1)).toEqual(labelsToHost(labels, vc1));
  expect(labelKeyToHost('sidecar.istio.io/inject', vc1)).toMatch(/^vcluster\.loft\.sh\/label-vc1-x-[0-9a-f]{10}$/u);
});

test('withoutDeniedOf(): no object that Helm would take for a record of its own [ABU-06]', () => {
  const labels = { owner: 'helm', name: 'vc1', status: 'deployed' };
  for (const kind of [secrets, configMaps]) {
    expect(withoutDeniedOf(kind, labels)).toEqual({ name: 'vc1', status: 'deployed' });
  }
  expect(withoutDeniedOf(pods, labels)).toBe(labels);
});
