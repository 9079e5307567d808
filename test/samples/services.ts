import { services as kind } from '../../syncer/model/kubernetes.ts';
import { made } from './sample.ts';
import type { Sample } from './sample.ts';

export const sample: Sample = {
  kind,
  object: made(
    kind,
    { name: 'web', labels: { app: 'web' }, annotations: { note: 'one' } },
    { spec: { selector: { app: 'web', release: 'mine' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] } },
  ),
  host: {
    spec: {
      selector: { app: 'web', 'vcluster.loft.sh/managed-by': 'team-a', 'vcluster.loft.sh/namespace': 'shop' },
      ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }],
    },
  },
  update: {
    patch: { spec: { selector: { app: 'other' }, ports: [{ name: 'http', port: 81, targetPort: 8081 }] } },
    result: { spec: { selector: { app: 'other' }, ports: [{ port: 81, targetPort: 8081 }] } },
  },
  hostEdit: {
    patch: { spec: { selector: { app: 'stolen' }, sessionAffinity: 'ClientIP' } },
    result: {
      spec: { selector: { app: 'other' }, sessionAffinity: 'None' },
    },
  },
  whenHostDeleted: 'virtual is deleted',
};
