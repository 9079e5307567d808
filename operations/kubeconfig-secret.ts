/**
 * Secret `vc-<name>`: the admin's kubeconfig that the virtual cluster itself publishes on the host, read and checked. What cannot
 * be used is said with what to do; no value of it is ever part of a message.
 */
import { X509Certificate } from 'node:crypto';
import { OperationError, textOf } from './errors.ts';
import type { Host } from './host.ts';
import { kinds } from './host.ts';
import { parseKubeconfig } from './parse-kubeconfig.ts';
import type { ClusterRef } from './types.ts';

/** Access to a virtual cluster as it is published. Secret: never print. */
export interface PublishedKubeconfig {
  /** Where its API server is, seen from within the host cluster unless the virtual cluster says otherwise. */
  readonly server: string;
  readonly ca: string;
  readonly serverName: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
  readonly token: string | undefined;
  /** When its certificate ends; undefined for a token. */
  readonly expires: Date | undefined;
}

/** There is a Secret, and it is of no use. */
export class KubeconfigSecretError extends OperationError {
  override readonly name = 'KubeconfigSecretError';
}

/** Its name and namespace, as people write them. */
export function secretPlace({ name, namespace }: ClusterRef): string {
  return `${namespace}/vc-${name}`;
}

/** Undefined when there is no such Secret. @throws KubeconfigSecretError when it cannot be used; HostError */
export async function readKubeconfigSecret(
  host: Host,
  ref: ClusterRef,
  signal?: AbortSignal,
): Promise<PublishedKubeconfig | undefined> {
  const { namespace, name } = ref;
  const secret = await host.tryGet(kinds.secrets, { namespace, name: `vc-${name}` }, { signal });
  return secret === undefined ? undefined : published(secret.data ?? {}, ref);
}

/** What the data of the Secret says. Pure. @throws KubeconfigSecretError */
export function published(
  data: Readonly<Record<string, string>>,
  ref: ClusterRef,
  now: Date = new Date(),
): PublishedKubeconfig {
  const text = data['config'];
  if (text === undefined) throw unusable(ref, 'its key "config" is missing');
  try {
    const parsed = parseKubeconfig(Buffer.from(text, 'base64').toString('utf8'));
    const { server, serverName, certificateAuthority: ca, certificate, key, token } = parsed;
    if (ca === undefined) throw new Error('it holds no certificate authority');
    if (token === undefined && !(certificate && key)) throw new Error('it holds no credentials');
    return { server, ca, serverName, certificate, key, token, expires: endOf(certificate, now) };
  } catch (error) {
    // Words of our own or of the X.509 parser, neither with a value.
    throw unusable(ref, textOf(error));
  }
}

function endOf(certificate: string | undefined, now: Date): Date | undefined {
  if (certificate === undefined) return undefined;
  const { validToDate } = new X509Certificate(certificate);
  if (validToDate > now) return validToDate;
  throw new Error(`its certificate expired at ${validToDate.toISOString()}`);
}

function unusable(ref: ClusterRef, why: string): KubeconfigSecretError {
  return new KubeconfigSecretError(
    `The kubeconfig of virtual cluster "${ref.name}" cannot be used`,
    `Secret ${secretPlace(ref)}: ${why}. Delete the Secret, and the virtual cluster writes a new one.`,
  );
}
