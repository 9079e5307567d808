/**
 * What outlives a pod: the authorities and the service-account key in Secret `<name>-certs`, and the service range in
 * ConfigMap `<name>-control-plane`. Both belong to Service `<name>` and go with it.
 *
 * Invariants: whoever creates first wins, everybody else reads; what is there is never changed or replaced. New keys would
 * invalidate every certificate and token of the virtual cluster, and a new range every cluster IP.
 */
import { ConfigurationError, isStatus } from '../model/errors.ts';
import type { Cluster } from '../model/cluster.ts';
import type { Kind } from '../model/kind.ts';
import { configMaps, secrets, services } from '../model/kubernetes.ts';
import type { ConfigMap, Secret, Service } from '../model/kubernetes.ts';
import type { KubeObject, Metadata } from '../model/object.ts';
import { authorityProblem, createAuthority, createKeyPair, keyPairProblem } from './certificates.ts';
import type { CertifiedKey, KeyPair } from './certificates.ts';
import { serviceRange } from './service-range.ts';

/** One authority per thing that must not be confused: a tenant admin can have certificates signed by `ca`, by no other. */
export const authorityNames = ['ca', 'etcd-ca', 'front-proxy-ca', 'kubelet-ca'] as const;
export type AuthorityName = (typeof authorityNames)[number];

/** Everything that is kept from one start of the control plane to the next. */
export interface Trust {
  readonly authorities: Readonly<Record<AuthorityName, CertifiedKey>>;
  /** Signs and verifies service-account tokens. */
  readonly serviceAccounts: KeyPair;
}

/** The part of the host's API that is needed here. */
export type HostApi = Pick<Cluster, 'get' | 'create'>;

export interface Release {
  readonly name: string;
  readonly namespace: string;
}

/** Service `<name>`, made by the chart. @throws ConfigurationError when it is missing or has no cluster IP */
export async function readService(host: HostApi, { name, namespace }: Release): Promise<Service> {
  const service = (await host.get(services, { name, namespace })) as Service | undefined;
  if (service === undefined) {
    throw new ConfigurationError(
      `Service ${namespace}/${name} does not exist on the host, and the control plane is reached through it. ` +
        `Install the chart again: helm upgrade ${name} --namespace ${namespace}.`,
    );
  }
  if (clusterIPsOf(service).length === 0) {
    throw new ConfigurationError(`Service ${namespace}/${name} has no cluster IP; it must be of type ClusterIP.`);
  }
  return service;
}

/** The cluster IPs of a service, the first family first; none when it is headless. */
export function clusterIPsOf(service: Service): readonly string[] {
  const { clusterIP, clusterIPs } = service.spec as { clusterIP?: string; clusterIPs?: readonly string[] };
  const all = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]);
  return all.filter((address) => address !== '' && address !== 'None');
}

/** Reads Secret `<name>-certs`, or creates it. @throws ConfigurationError when it is there and cannot be used */
export async function loadOrCreateTrust(host: HostApi, owner: Service, now: Date): Promise<Trust> {
  const metadata = ownedBy(owner, `${owner.metadata.name}-certs`);
  const secret = await loadOrCreate<Secret>(host, secrets, metadata, async () => ({
    type: 'Opaque',
    data: toData(await createTrust(now)),
  }));
  return fromData(secret, now);
}

/** Reads the service range from ConfigMap `<name>-control-plane`, or settles it. Once settled it never changes. */
export async function loadOrCreateServiceRange(host: HostApi, owner: Service): Promise<string> {
  const metadata = ownedBy(owner, `${owner.metadata.name}-control-plane`);
  const configMap = await loadOrCreate<ConfigMap>(host, configMaps, metadata, () => ({
    data: { serviceRange: serviceRange(clusterIPsOf(owner)) },
  }));
  const range = configMap.data?.['serviceRange'];
  if (range === undefined || range === '') {
    throw new ConfigurationError(
      `ConfigMap ${metadata.namespace}/${metadata.name} on the host lacks the key serviceRange. It is made together with the ` +
        'virtual cluster and must not be edited; restore it from a backup.',
    );
  }
  return range;
}

/** All authorities and keys, new. */
export async function createTrust(now: Date): Promise<Trust> {
  const [ca, etcd, frontProxy, kubelet, serviceAccounts] = await Promise.all([
    createAuthority('kubernetes', now),
    createAuthority('etcd-ca', now),
    createAuthority('front-proxy-ca', now),
    createAuthority('kubelet-ca', now),
    createKeyPair(),
  ]);
  const authorities = { ca, 'etcd-ca': etcd, 'front-proxy-ca': frontProxy, 'kubelet-ca': kubelet };
  return { authorities, serviceAccounts };
}

/** The data of Secret `<name>-certs`, in base64. */
export function toData({ authorities, serviceAccounts }: Trust): Readonly<Record<string, string>> {
  const texts: Record<string, string> = { 'sa.key': serviceAccounts.key, 'sa.pub': serviceAccounts.publicKey };
  for (const name of authorityNames) {
    texts[`${name}.crt`] = authorities[name].certificate;
    texts[`${name}.key`] = authorities[name].key;
  }
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]));
}

/** The inverse of toData, checked. @throws ConfigurationError naming the key that cannot be used */
export function fromData(secret: Secret, now: Date): Trust {
  const text = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  const refuse = (what: string, problem: string): never => {
    throw new ConfigurationError(
      `Secret ${secret.metadata.namespace ?? ''}/${secret.metadata.name} on the host holds the keys of the virtual cluster, and ` +
        `${what} in it cannot be used: ${problem}. It is left as it is, since new keys would invalidate every certificate and ` +
        'token. Restore it from a backup; or, if the virtual cluster is new and empty, delete the Secret and the pod.',
    );
  };
  const authority = (name: AuthorityName): CertifiedKey => {
    const pair = { certificate: text(`${name}.crt`), key: text(`${name}.key`) };
    const problem = authorityProblem(pair, now);
    return problem === undefined ? pair : refuse(name, problem);
  };
  const serviceAccounts = { key: text('sa.key'), publicKey: text('sa.pub') };
  const problem = keyPairProblem(serviceAccounts);
  if (problem !== undefined) refuse('sa', problem);
  return {
    authorities: {
      ca: authority('ca'),
      'etcd-ca': authority('etcd-ca'),
      'front-proxy-ca': authority('front-proxy-ca'),
      'kubelet-ca': authority('kubelet-ca'),
    },
    serviceAccounts,
  };
}

async function loadOrCreate<T extends KubeObject>(
  host: HostApi,
  kind: Kind<T>,
  metadata: Metadata,
  make: () => Omit<T, keyof KubeObject> | Promise<Omit<T, keyof KubeObject>>,
): Promise<T> {
  const key = { namespace: metadata.namespace ?? '', name: metadata.name };
  const found = await host.get(kind, key);
  if (found !== undefined) return found as T;
  try {
    return (await host.create(kind, { metadata, ...(await make()) })) as T;
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
    return (await host.get(kind, key)) as T;
  }
}

function ownedBy(owner: Service, name: string): Metadata {
  const { namespace = '', name: ownerName, uid = '' } = owner.metadata;
  return {
    name,
    namespace,
    labels: { app: 'vcluster', release: ownerName },
    ownerReferences: [{ apiVersion: 'v1', kind: 'Service', name: ownerName, uid }],
  };
}
