/** `namespace/name`, the id of a virtual cluster, as attributes of this folder take it. */
import type { ClusterRef } from '../../operations/types.ts';
import { text } from '../framework/checks.ts';
import type { Check } from '../framework/attributes.ts';

const form = /^([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?)\/([a-z](?:[-a-z0-9]{0,50}[a-z0-9])?)$/;

/** The check of an attribute that holds an id. */
export const clusterId: Check = text((value) =>
  form.test(value)
    ? undefined
    : 'the id of a virtual cluster, "<host namespace>/<name>", such as `vcluster_cluster.example.id`',
);

/** Takes a checked id apart. */
export function clusterRef(id: string): ClusterRef {
  const [, namespace = '', name = ''] = form.exec(id) ?? [];
  return { namespace, name };
}

/** What people do when there is no way in: everything else needs one, also to be planned. */
export const repairAdvice: string =
  '`terraform apply -target=vcluster_cluster.NAME` changes the virtual cluster without looking inside; together with ' +
  '`-replace=vcluster_cluster.NAME` it is made anew, and `terraform state rm` forgets resources inside that are lost.';

/** What people do when it is paused: the plan of everything else needs it awake. */
export const resumeAdvice: string =
  'Allow the ephemeral resource to wake it for as long as it is needed (`wake = true`); or resume it before anything else: ' +
  '`pause = false`, then `terraform apply -target=vcluster_cluster.NAME`.';
