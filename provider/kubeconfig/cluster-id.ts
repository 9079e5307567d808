/** Names that attributes of this folder take: `namespace/name`, the id of a virtual cluster, and those of objects of Kubernetes. */
import { nameProblem } from '../../config/names.ts';
import type { ClusterRef } from '../../operations/types.ts';
import type { Check } from '../framework/attributes.ts';
import { matches, text } from '../framework/checks.ts';

const label = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Of namespaces. */
export const namespaceName: Check = matches(label, 'lower-case letters, digits and "-", at most 63');

/** Of Secrets and service accounts. */
export const objectName: Check = text((value) =>
  value.length <= 253 && subdomain.test(value) ? undefined : 'lower-case letters, digits, "-" and ".", at most 253',
);

/** Of roles, which may be called almost anything that can be a part of a path. */
export const roleName: Check = text((value) =>
  value !== '' && value !== '.' && value !== '..' && !/[/%]/.test(value)
    ? undefined
    : 'the name of a role, without "/" and "%"',
);

/** The check of an attribute that holds an id. */
export const clusterId: Check = text((value) =>
  tryRef(value) === undefined
    ? 'the id of a virtual cluster, "<host namespace>/<name>", such as `vcluster_cluster.example.id`'
    : undefined,
);

/** Takes a checked id apart. */
export function clusterRef(id: string): ClusterRef {
  return tryRef(id) ?? { namespace: '', name: '' };
}

function tryRef(id: string): ClusterRef | undefined {
  const [namespace = '', name = '', ...more] = id.split('/');
  const isId = more.length === 0 && label.test(namespace) && nameProblem(name) === undefined;
  return isId ? { namespace, name } : undefined;
}

/** What people do when there is no way in: everything else needs one, also to be planned. */
export const repairAdvice: string =
  '`terraform apply -target=vcluster_cluster.NAME` changes the virtual cluster without looking inside; together with ' +
  '`-replace=vcluster_cluster.NAME` it is made anew, and `terraform state rm` forgets resources inside that are lost.';

/** What people do when it is paused: the plan of everything else needs it awake. */
export const resumeAdvice: string =
  'Allow the ephemeral resource to wake it for as long as it is needed (`wake = true`); or resume it before anything else: ' +
  '`pause = false`, then `terraform apply -target=vcluster_cluster.NAME`.';
