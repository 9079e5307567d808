/**
 * A service account inside a virtual cluster and what it may do there: made, looked at, removed. What was there before is used and
 * never removed; a binding has a name of our own, so that nobody else's is touched.
 */
import { OperationError } from './errors.ts';
import { serviceAccountPath } from './tokens.ts';
import type { ServiceAccountRef } from './tokens.ts';
import type { VirtualApi } from './virtual-api.ts';
import { refusalWords, VirtualApiError } from './virtual-api.ts';

const group = 'rbac.authorization.k8s.io';
const rbac = `/apis/${group}/v1`;

/** A role inside, and where it holds. */
export interface RoleGrant {
  readonly kind: 'ClusterRole' | 'Role';
  readonly name: string;
  /** It holds in this namespace only; a Role is in it. Undefined: everywhere. */
  readonly namespace: string | undefined;
}

/** A binding of ours. */
export interface Grant {
  /** Of the binding. */
  readonly name: string;
  readonly account: ServiceAccountRef;
  readonly role: RoleGrant;
}

/** Something that should be inside is not. */
export class MissingInsideError extends OperationError {
  override readonly name = 'MissingInsideError';
  readonly missing: 'namespace' | 'service account' | 'role';

  constructor(missing: MissingInsideError['missing'], summary: string, detail: string) {
    super(summary, detail);
    this.missing = missing;
  }
}

/** On a service account that was made here: for what. It says whose it is even when nobody remembers. */
export const accountOfAnnotation = 'cdktf-vcluster/account-of';

interface Live {
  readonly metadata: { readonly uid: string; readonly annotations?: Readonly<Record<string, string>> };
  readonly roleRef?: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[] | null;
}

/**
 * Makes the service account when it is not there. `owner` is what it is made for, in the words of the caller.
 * @returns its UID when it was made for this owner, now or earlier; undefined when it is somebody else's
 * @throws MissingInsideError, VirtualApiError
 */
export async function ensureAccount(
  api: VirtualApi,
  account: ServiceAccountRef,
  { owner, mayCreate }: { readonly owner: string; readonly mayCreate: boolean },
): Promise<string | undefined> {
  const present = (await api.tryGet(serviceAccountPath(account))) as Live | undefined;
  if (present !== undefined) return isOf(present, owner) ? present.metadata.uid : undefined;
  const { namespace, name } = account;
  if (!mayCreate) {
    throw new MissingInsideError(
      'service account',
      `There is no service account "${name}" in namespace "${namespace}" of the virtual cluster`,
      'Create it first, or let it be created (service_account.create = true).',
    );
  }
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts`;
  const metadata = { name, annotations: { [accountOfAnnotation]: owner } };
  const { status, body } = await api.ask({ method: 'POST', path, body: { metadata } });
  if (status === 201) return (body as Live).metadata.uid;
  // Somebody was faster; then it is not ours.
  if (status === 409) return undefined;
  if (status === 404) {
    throw new MissingInsideError(
      'namespace',
      `There is no namespace "${namespace}" in the virtual cluster`,
      'Create it first, and depend on it; or choose another one for the service account.',
    );
  }
  throw new VirtualApiError(
    status,
    `Service account "${namespace}/${name}" cannot be made`,
    refusalWords({ status, body }),
  );
}

/** Removes the service account, if it was made for this owner. */
export async function removeAccount(api: VirtualApi, account: ServiceAccountRef, owner: string): Promise<void> {
  const live = (await api.tryGet(serviceAccountPath(account))) as Live | undefined;
  if (live !== undefined && isOf(live, owner)) await remove(api, serviceAccountPath(account), live.metadata.uid);
}

function isOf({ metadata }: Live, owner: string): boolean {
  return metadata.annotations?.[accountOfAnnotation] === owner;
}

/** Makes the binding as wanted. @throws MissingInsideError when there is no such role; VirtualApiError */
export async function ensureGrant(api: VirtualApi, grant: Grant): Promise<void> {
  const { kind, name, namespace } = grant.role;
  if ((await api.tryGet(rolePath(grant.role))) === undefined) {
    throw new MissingInsideError(
      'role',
      `There is no ${kind} "${name}"${kind === 'Role' ? ` in namespace "${namespace}"` : ''} in the virtual cluster`,
      'Create it first and depend on it, or name one that is there, such as the ClusterRole "view", "edit" or "admin".',
    );
  }
  const live = (await api.tryGet(bindingPath(grant))) as Live | undefined;
  if (live !== undefined && isAsWanted(live, grant)) return;
  // What a binding grants cannot be changed.
  if (live !== undefined) await remove(api, bindingPath(grant), live.metadata.uid);
  const [path] = splitLast(bindingPath(grant));
  await api.request({ method: 'POST', path, body: bindingOf(grant) });
}

/** Removes the binding; quiet when there is none. */
export async function removeGrant(api: VirtualApi, grant: Pick<Grant, 'name' | 'role'>): Promise<void> {
  await remove(api, bindingPath(grant), undefined);
}

/** Whether it is there, and the one with this UID if there is one to compare; in words. */
export async function accountDrift(
  api: VirtualApi,
  account: ServiceAccountRef,
  uid: string | undefined,
): Promise<readonly string[]> {
  const live = (await api.tryGet(serviceAccountPath(account))) as Live | undefined;
  const what = `service account ${account.namespace}/${account.name} inside`;
  if (live === undefined) return [`${what} is gone`];
  return uid === undefined || uid === live.metadata.uid ? [] : [`${what} was made anew, and its tokens are void`];
}

/** What is not as it was made, in words. */
export async function grantDrift(api: VirtualApi, grant: Grant): Promise<readonly string[]> {
  const live = (await api.tryGet(bindingPath(grant))) as Live | undefined;
  const what = `${bindingKind(grant.role)} ${grant.name} inside`;
  if (live === undefined) return [`${what} is gone`];
  return isAsWanted(live, grant) ? [] : [`${what} was changed`];
}

function isAsWanted({ roleRef, subjects }: Live, { account, role }: Grant): boolean {
  if (roleRef?.kind !== role.kind || roleRef.name !== role.name || subjects?.length !== 1) return false;
  const [subject] = subjects;
  return subject?.kind === 'ServiceAccount' && subject.name === account.name && subject.namespace === account.namespace;
}

function bindingOf({ name, account, role }: Grant): object {
  return {
    apiVersion: `${group}/v1`,
    kind: bindingKind(role),
    metadata: { name },
    roleRef: { apiGroup: group, kind: role.kind, name: role.name },
    subjects: [{ kind: 'ServiceAccount', name: account.name, namespace: account.namespace }],
  };
}

function bindingKind({ namespace }: RoleGrant): 'RoleBinding' | 'ClusterRoleBinding' {
  return namespace === undefined ? 'ClusterRoleBinding' : 'RoleBinding';
}

function bindingPath({ name, role }: Pick<Grant, 'name' | 'role'>): string {
  const { namespace } = role;
  const place =
    namespace === undefined ? 'clusterrolebindings' : `namespaces/${encodeURIComponent(namespace)}/rolebindings`;
  return `${rbac}/${place}/${encodeURIComponent(name)}`;
}

function rolePath({ kind, name, namespace }: RoleGrant): string {
  const place = kind === 'ClusterRole' ? 'clusterroles' : `namespaces/${encodeURIComponent(namespace ?? '')}/roles`;
  return `${rbac}/${place}/${encodeURIComponent(name)}`;
}

function splitLast(path: string): readonly [string, string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}

/** Gone already is well; a successor of the same name is left alone. */
async function remove(api: VirtualApi, path: string, uid: string | undefined): Promise<void> {
  const { status, body } = await api.ask({
    method: 'DELETE',
    path,
    body: uid === undefined ? {} : { preconditions: { uid } },
  });
  if (status < 300 || status === 404 || status === 409) return;
  throw new VirtualApiError(status, `${path} of the virtual cluster cannot be deleted`, refusalWords({ status, body }));
}
