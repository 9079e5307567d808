import { secrets as kind } from '../../syncer/model/kubernetes.ts';
import { made } from './sample.ts';
import type { Sample } from './sample.ts';

export const sample: Sample = {
  kind,
  object: made(
    kind,
    { name: 'login', labels: { app: 'web' }, annotations: { 'vcluster.loft.sh/force-sync': 'true', note: 'one' } },
    { type: 'Opaque', data: { user: 'bWU=', old: 'eA==' } },
  ),
  host: { type: 'Opaque', data: { user: 'bWU=', old: 'eA==' } },
  update: { patch: { data: { user: 'eW91', old: null } }, result: { data: { user: 'eW91' } } },
  hostEdit: { patch: { data: { user: 'c3RvbGVu', more: 'eA==' } }, result: { data: { user: 'eW91' } } },
  whenHostDeleted: 'host is made again',
};
