import { persistentVolumeClaims } from '../../syncer/resources/persistentvolumeclaims.ts';
import { made } from './sample.ts';
import type { Sample } from './sample.ts';

const { kind } = persistentVolumeClaims;
const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'fast' };
/** Nobody provisions here: the claim stays pending, and what the host's own controllers do not touch can be reported. */
const conditions = [{ type: 'FileSystemResizePending', status: 'True', message: 'Waiting for the node' }];

export const sample: Sample = {
  kind,
  object: made(kind, { name: 'data', labels: { app: 'web' }, annotations: { note: 'one' } }, { spec }),
  host: { spec: { ...spec, volumeMode: 'Filesystem' } },
  update: {
    patch: { metadata: { labels: { tier: 'front' }, annotations: { note: 'two' } } },
    result: { metadata: { labels: { app: 'web', tier: 'front' }, annotations: { note: 'two' } } },
  },
  hostEdit: {
    patch: { metadata: { ownerReferences: null } },
    result: { metadata: { ownerReferences: [{ kind: 'Service', name: 'team-a', controller: true }] } },
  },
  report: { patch: { status: { conditions } }, result: { status: { phase: 'Pending', conditions } } },
  whenHostDeleted: 'virtual is deleted',
};
