/** The values of a `vcluster_kubeconfig_secret` in the words of operations, and back. Pure. */
import type { RoleGrant } from '../../operations/tenant-access.ts';
import { givenWords, wordsOrNull } from '../words.ts';
import type { Words } from '../words.ts';
import { clusterRef } from './cluster-id.ts';
import type { Recorded } from './secret-record.ts';
import type { SecretWish } from './secret-wish.ts';

/** As its attributes are declared in secret.ts. */
export interface SecretValues {
  readonly id: string | null;
  readonly cluster_id: string;
  readonly namespace: string;
  readonly name: string;
  readonly format: string;
  readonly key: string;
  readonly labels: Words | null;
  readonly annotations: Words | null;
  readonly service_account: { readonly namespace: string; readonly name: string; readonly create: boolean };
  readonly role: { readonly kind: string; readonly name: string; readonly namespace: string | null } | null;
  readonly expiration_seconds: number;
  readonly server: string | null;
  readonly tls_server_name: string | null;
  readonly issued_at: string | null;
  readonly expires_at: string | null;
  readonly drift: readonly string[] | null;
}

/** What is wanted. */
export function wishOf(values: SecretValues): SecretWish {
  const { service_account: account, role } = values;
  return {
    cluster: clusterRef(values.cluster_id),
    place: { namespace: values.namespace, name: values.name },
    format: values.format === 'argocd' ? 'argocd' : 'kubeconfig',
    key: values.key,
    labels: givenWords(values.labels) ?? {},
    annotations: givenWords(values.annotations) ?? {},
    account: { namespace: account.namespace, name: account.name },
    createAccount: account.create,
    role: role === null ? undefined : roleOf(role),
    expirationSeconds: values.expiration_seconds,
    server: values.server ?? undefined,
    serverName: values.tls_server_name ?? undefined,
  };
}

function roleOf({ kind, name, namespace }: NonNullable<SecretValues['role']>): RoleGrant {
  return { kind: kind === 'Role' ? 'Role' : 'ClusterRole', name, namespace: namespace ?? undefined };
}

/** What the record of a Secret says, as values. */
export function valuesOf({ wish, issued, expires }: Recorded): SecretValues {
  const { cluster, place, format, key, labels, annotations, account, createAccount, role, ...rest } = wish;
  return {
    ...place,
    id: `${place.namespace}/${place.name}`,
    cluster_id: `${cluster.namespace}/${cluster.name}`,
    format,
    key,
    labels: wordsOrNull(labels),
    annotations: wordsOrNull(annotations),
    service_account: { ...account, create: createAccount },
    role: role === undefined ? null : { ...role, namespace: role.namespace ?? null },
    expiration_seconds: rest.expirationSeconds,
    server: rest.server ?? null,
    tls_server_name: rest.serverName ?? null,
    issued_at: issued.toISOString(),
    expires_at: expires.toISOString(),
    drift: [],
  };
}
