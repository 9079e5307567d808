/**
 * From a virtual pod that a request names to the host pod that stands for it, or why not (spec KUB-07). Pure look-ups: only
 * live pods of this virtual cluster are found, and in them only containers that the tenant declared.
 */
import { keyText } from '../model/side.ts';
import type { Key } from '../model/side.ts';
import { refuse } from './options.ts';
import type { GatewayView, Refusal } from './options.ts';
import { hostPath } from './routes.ts';
import type { PodRoute } from './routes.ts';

/** The two names of one pod. */
export interface Names {
  readonly virtual: Key<'virtual'>;
  readonly host: Key<'host'>;
}

export interface Resolved {
  readonly is: 'resolved';
  readonly names: Names;
  /** Path and query on the host API server. */
  readonly path: string;
}

/** The node whose kubelet is asked, and the namespace that every host pod must be in. */
export interface Place {
  readonly nodeAddress: string;
  readonly hostNamespace: string;
}

export function resolve(route: PodRoute, view: GatewayView, place: Place): Resolved | Refusal {
  const pod = keyText(route.pod);
  const found = view.hostPodOf(route.pod);
  if (found === undefined || found.hostKey.namespace !== place.hostNamespace) {
    return refuse(404, `Pod ${pod} does not run: it is not there, not scheduled yet, or gone. Look at its events.`);
  }
  if (route.uid !== undefined && route.uid !== found.uid) {
    return refuse(404, `Pod ${pod} with UID ${route.uid} is gone; another pod has its name now.`);
  }
  const nodeName = view.nodeNameOfAddress(place.nodeAddress);
  if (nodeName !== undefined && found.nodeName !== undefined && nodeName !== found.nodeName) {
    return refuse(404, `Pod ${pod} does not run on node ${nodeName} but on ${found.nodeName}.`);
  }
  if (route.container !== undefined && !found.containers.includes(route.container)) {
    return refuse(404, `Pod ${pod} has no container "${route.container}". It has: ${found.containers.join(', ')}.`);
  }
  return {
    is: 'resolved',
    names: { virtual: route.pod, host: found.hostKey },
    path: hostPath(route, found.hostKey),
  };
}
