/** Short-lived tokens of service accounts inside a virtual cluster, issued by its own API server. Never written anywhere here. */
import { OperationError } from './errors.ts';
import { refusalWords } from './virtual-api.ts';
import type { VirtualApi } from './virtual-api.ts';

/** What API servers issue at least. */
export const tokenLifetimeMinS = 600;

export interface ServiceAccountRef {
  /** Inside. */
  readonly namespace: string;
  readonly name: string;
}

/** Secret: never print. */
export interface IssuedToken {
  readonly token: string;
  readonly expires: Date;
}

/** There is no such service account inside. */
export class NoServiceAccountError extends OperationError {
  override readonly name = 'NoServiceAccountError';
}

/** The path of a service account. */
export function serviceAccountPath({ namespace, name }: ServiceAccountRef): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${encodeURIComponent(name)}`;
}

/** Asks for a token; the API server may give it another lifetime. @throws NoServiceAccountError, VirtualApiError */
export async function issueToken(
  api: VirtualApi,
  account: ServiceAccountRef,
  expirationSeconds: number,
  signal?: AbortSignal,
): Promise<IssuedToken> {
  const path = `${serviceAccountPath(account)}/token`;
  const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds } };
  const answer = await api.ask({ method: 'POST', path, body, signal });
  if (answer.status === 404) {
    throw new NoServiceAccountError(
      `There is no service account "${account.name}" in namespace "${account.namespace}" of the virtual cluster`,
      'Create it first, or leave "service_account" away to connect as the admin.',
    );
  }
  if (answer.status !== 201) {
    throw new OperationError(
      `No token for service account "${account.namespace}/${account.name}"`,
      refusalWords(answer),
    );
  }
  const { status } = answer.body as {
    readonly status: { readonly token: string; readonly expirationTimestamp: string };
  };
  return { token: status.token, expires: new Date(status.expirationTimestamp) };
}
