/** What a `vcluster_kubeconfig_secret` is to be, in the words of operations, and what follows from that. Pure. */
import { createHmac } from 'node:crypto';
import { digest } from '../../config/host-names.ts';
import { kubeconfigText } from '../../operations/kubeconfig-text.ts';
import type { Grant, RoleGrant } from '../../operations/tenant-access.ts';
import type { ServiceAccountRef } from '../../operations/tokens.ts';
import type { ClusterRef, HostObject } from '../../operations/types.ts';
import type { Words } from '../words.ts';

export interface SecretWish {
  readonly cluster: ClusterRef;
  /** Of the Secret on the host. */
  readonly place: { readonly namespace: string; readonly name: string };
  readonly format: 'kubeconfig' | 'argocd';
  readonly key: string;
  readonly labels: Words;
  readonly annotations: Words;
  readonly account: ServiceAccountRef;
  readonly createAccount: boolean;
  /** Undefined: nothing is bound. */
  readonly role: RoleGrant | undefined;
  readonly expirationSeconds: number;
  /** Default: where the virtual cluster says that it is, which is its Service. */
  readonly server: string | undefined;
  readonly serverName: string | undefined;
}

/** On a Secret of ours: the id of the virtual cluster it leads to. */
export const secretOfAnnotation = 'cdktf-vcluster/kubeconfig-of';
const argoLabel = 'argocd.argoproj.io/secret-type';

/** The binding inside; its name tells which Secret it is for. Undefined when nothing is to be bound. */
export function grantOf({ place, account, role }: Pick<SecretWish, 'place' | 'account' | 'role'>): Grant | undefined {
  const { namespace, name } = place;
  return role && { name: `kubeconfig-${name.slice(0, 40)}-${digest(`${namespace}/${name}`)}`, account, role };
}

/** What the virtual cluster has told, for its kubeconfig. Secret: never print. */
export interface GivenAccess {
  /** Where it says that it is. */
  readonly endpoint: string;
  readonly ca: string;
  readonly token: string;
}

/** The content of the Secret, not yet in base64. Secret: never print. */
export function secretContent(wish: SecretWish, { endpoint, ca, token }: GivenAccess): Words {
  const { cluster, format, key, serverName, server = endpoint } = wish;
  if (format === 'kubeconfig') {
    return { [key]: kubeconfigText({ name: cluster.name, server, serverName, ca, token }) };
  }
  const caData = Buffer.from(ca).toString('base64');
  const tlsClientConfig = { caData, ...(serverName !== undefined && { serverName }) };
  return { name: cluster.name, server, config: JSON.stringify({ bearerToken: token, tlsClientConfig }) };
}

/** Labels as they are to be, ours among them. */
export function wantedLabels({ labels, format }: SecretWish): Words {
  return { ...labels, ...(format === 'argocd' && { [argoLabel]: 'cluster' }) };
}

/** Annotations as they are to be, ours among them. */
export function wantedAnnotations({ annotations, cluster }: SecretWish): Words {
  return { ...annotations, [secretOfAnnotation]: `${cluster.namespace}/${cluster.name}` };
}

/** Tells whether content has changed without keeping any of it: keyed, and of nothing that could be guessed. */
export function contentDigest(content: Words, salt: string): string {
  const sorted = Object.entries(content).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return createHmac('sha256', salt).update(JSON.stringify(sorted)).digest('hex');
}

/** The content of a Secret of the host as text. */
export function decoded({ data = {} }: Pick<HostObject, 'data'>): Words {
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  );
}

/** Content as the data of a Secret. */
export function encoded(content: Words): Words {
  return Object.fromEntries(
    Object.entries(content).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  );
}

/** `label x: "a" → gone`, for everything that is not as wanted. */
export function metadataDrift(wish: SecretWish, { metadata }: HostObject): readonly string[] {
  return [
    ...differences('label', wantedLabels(wish), metadata.labels ?? {}),
    ...differences('annotation', wantedAnnotations(wish), metadata.annotations ?? {}),
  ];
}

function differences(what: string, wanted: Words, live: Words): readonly string[] {
  return Object.entries(wanted)
    .filter(([key, value]) => live[key] !== value)
    .map(([key, value]) => `${what} ${key}: "${value}" → ${live[key] === undefined ? 'gone' : `"${live[key]}"`}`);
}

/** What is left of a token's life when it is time for the next one; undefined while there is enough. */
export function ageDrift(issued: Date, expires: Date, now: Date): string | undefined {
  const leftMs = expires.getTime() - now.getTime();
  if (leftMs <= 0) return `the token ended at ${expires.toISOString()}`;
  if (leftMs >= (expires.getTime() - issued.getTime()) / 3) return undefined;
  return `less than a third of the token's life is left: it ends at ${expires.toISOString()}`;
}
