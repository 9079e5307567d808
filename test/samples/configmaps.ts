import { configMaps as kind } from '../../syncer/model/kubernetes.ts';
import { made } from './sample.ts';
import type { Sample } from './sample.ts';

/** Kept on the host by the annotation; that a pod's use does the same is shown with the pods. */
export const sample: Sample = {
  kind,
  object: made(
    kind,
    { name: 'settings', labels: { app: 'web' }, annotations: { 'vcluster.loft.sh/force-sync': 'true', note: 'one' } },
    { data: { mode: 'a', old: 'x' }, binaryData: { raw: 'AAEC' } },
  ),
  host: { data: { mode: 'a', old: 'x' }, binaryData: { raw: 'AAEC' } },
  update: { patch: { data: { mode: 'b', old: null } }, result: { data: { mode: 'b' } } },
  hostEdit: { patch: { data: { mode: 'stolen', more: 'x' } }, result: { data: { mode: 'b' } } },
  whenHostDeleted: 'host is made again',
};
