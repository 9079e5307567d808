/**
 * Kubeconfig files: for the components of the control plane, and for the tenant's admin (Secret `vc-<name>`).
 *
 * Certificates are embedded, so that a file works wherever it is copied to.
 */
import { stringify } from 'yaml';
import { issue } from './certificates.ts';
import type { CertifiedKey } from './certificates.ts';

const adminValidityMs = 365 * 24 * 3_600_000;
/** `kubectl port-forward service/<name> 8443:443` */
const portForwardServer = 'https://localhost:8443';

export interface KubeconfigUser extends CertifiedKey {
  readonly name: string;
}

/** Where each context leads; the first is the current one. */
export type Servers = readonly { readonly context: string; readonly server: string }[];

/** The text of a kubeconfig with one user. */
export function kubeconfig(servers: Servers, authority: string, user: KubeconfigUser): string {
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: servers.map(({ context, server }) => ({
      name: context,
      cluster: { server, 'certificate-authority-data': base64(authority) },
    })),
    users: [
      {
        name: user.name,
        user: { 'client-certificate-data': base64(user.certificate), 'client-key-data': base64(user.key) },
      },
    ],
    contexts: servers.map(({ context }) => ({ name: context, context: { cluster: context, user: user.name } })),
    'current-context': servers[0]?.context,
  });
}

export interface AdminKubeconfigRequest {
  /** Name of the virtual cluster. */
  readonly name: string;
  /** Its host namespace. */
  readonly namespace: string;
  /** The cluster authority: ca.crt and ca.key, PEM. */
  readonly authority: CertifiedKey;
  readonly now?: Date;
}

/** What Secret `vc-<name>` holds, each value as text (not yet base64). */
export interface AdminKubeconfig {
  readonly config: string;
  readonly 'certificate-authority': string;
  readonly 'client-certificate': string;
  readonly 'client-key': string;
}

/**
 * Issues a new admin certificate (`system:masters`, valid for one year) and the kubeconfig with it.
 *
 * @example
 * const data = await issueAdminKubeconfig({ name: 'team-a', namespace: 'team-a', authority: { certificate, key } });
 */
export async function issueAdminKubeconfig(request: AdminKubeconfigRequest): Promise<AdminKubeconfig> {
  const { name, namespace, authority, now = new Date() } = request;
  const admin = await issue(
    authority,
    {
      commonName: 'kubernetes-admin',
      organization: 'system:masters',
      usage: 'client',
      validUntil: new Date(now.getTime() + adminValidityMs),
    },
    now,
  );
  const servers = [
    { context: 'in-cluster', server: `https://${name}.${namespace}:443` },
    { context: 'port-forward', server: portForwardServer },
  ];
  return {
    config: kubeconfig(servers, authority.certificate, { name: 'kubernetes-admin', ...admin }),
    'certificate-authority': authority.certificate,
    'client-certificate': admin.certificate,
    'client-key': admin.key,
  };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
