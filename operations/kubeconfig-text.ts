/** Writes a kubeconfig with one context, certificates and keys embedded. Pure. */
import { stringify } from 'yaml';

export interface KubeconfigParts {
  /** Of cluster, user and context. */
  readonly name: string;
  readonly server: string;
  /** PEM. */
  readonly ca: string;
  readonly serverName?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
  readonly token?: string | undefined;
  /** Namespace of the context. */
  readonly namespace?: string | undefined;
}

/** The same text for the same parts. */
export function kubeconfigText(parts: KubeconfigParts): string {
  const { name, server, ca, serverName, certificate, key, token, namespace } = parts;
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name,
        cluster: {
          server,
          'certificate-authority-data': base64(ca),
          ...(serverName !== undefined && { 'tls-server-name': serverName }),
        },
      },
    ],
    users: [
      {
        name,
        user: {
          ...(certificate !== undefined && { 'client-certificate-data': base64(certificate) }),
          ...(key !== undefined && { 'client-key-data': base64(key) }),
          ...(token !== undefined && { token }),
        },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace !== undefined && { namespace }) } }],
    'current-context': name,
  });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
