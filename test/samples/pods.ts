import { configMaps, pods as kind } from '../../syncer/model/kubernetes.ts';
import { hostNameOf, made } from './sample.ts';
import type { Sample } from './sample.ts';

export const sample: Sample = {
  kind,
  needs: [[configMaps, made(configMaps, { name: 'pod-settings' }, { data: { mode: 'a' } })]],
  object: made(
    kind,
    { name: 'app', labels: { app: 'app', release: 'mine' }, annotations: { note: 'one' } },
    { spec: { containers: [{ name: 'app', image: 'app:1', envFrom: [{ configMapRef: { name: 'pod-settings' } }] }] } },
  ),
  host: {
    spec: {
      serviceAccountName: 'vc-workload-team-a',
      containers: [{ name: 'app', image: 'app:1', envFrom: [{ configMapRef: { name: hostNameOf('pod-settings') } }] }],
    },
  },
  update: {
    patch: { metadata: { labels: { tier: 'front' }, annotations: { note: null, other: 'two' } } },
    result: { metadata: { labels: { app: 'app', tier: 'front' }, annotations: { other: 'two' } } },
  },
  hostEdit: {
    patch: {
      metadata: { labels: { 'vcluster.loft.sh/namespace': 'stolen' }, annotations: { 'vcluster.loft.sh/name': 'x' } },
    },
    result: {
      metadata: { labels: { 'vcluster.loft.sh/namespace': 'shop' }, annotations: { 'vcluster.loft.sh/name': 'app' } },
    },
  },
  whenHostDeleted: 'virtual is deleted',
};
