/**
 * Secret `vc-<name>`: the admin's kubeconfig that the virtual cluster itself publishes on the host, read and checked. What cannot
 * be used is said with what to do; no value of it is ever part of a message.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Credentials } from './credentials.ts';
import { OperationError, textOf } from './errors.ts';
import type { Host, RequestOptions } from './host.ts';
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
  options: RequestOptions = {},
): Promise<PublishedKubeconfig | undefined> {
  const { namespace, name } = ref;
  const secret = await host.tryGet(kinds.secrets, { namespace, name: `vc-${name}` }, options);
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
    if (!isAddress(server)) throw new Error('its server is no URL that begins with https://');
    if (ca === undefined) throw new Error('it holds no certificate authority');
    certificateOf(ca, 'certificate authority');
    return { server, ca, serverName, certificate, key, token, expires: endOf({ certificate, key, token }, now) };
  } catch (error) {
    // Words of our own, without a value.
    throw unusable(ref, textOf(error));
  }
}

function isAddress(server: string): boolean {
  return URL.canParse(server) && new URL(server).protocol === 'https:';
}

function certificateOf(pem: string, what: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch {
    throw new Error(`its ${what} is no certificate`);
  }
}

/** When the pair ends; undefined for a token. What can never work is found here: a server would only be silent about it. */
function endOf({ certificate: pem, key, token }: Credentials, now: Date): Date | undefined {
  if (pem === undefined || key === undefined) {
    if (token !== undefined) return undefined;
    throw new Error('it holds no credentials');
  }
  const certificate = certificateOf(pem, 'client certificate');
  if (!isPair(certificate, key)) throw new Error('its client key is not the one of its client certificate');
  const { validToDate } = certificate;
  if (validToDate > now) return validToDate;
  throw new Error(`its certificate expired at ${validToDate.toISOString()}`);
}

function isPair(certificate: X509Certificate, key: string): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function unusable(ref: ClusterRef, why: string): KubeconfigSecretError {
  return new KubeconfigSecretError(
    `The kubeconfig of virtual cluster "${ref.name}" cannot be used`,
    `Secret ${secretPlace(ref)}: ${why}. Delete the Secret, and the virtual cluster writes a new one.`,
  );
}
