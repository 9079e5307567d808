/** Turns what the host answered, or the lack of it, into an error in words. Pure. */
import type { OperationError } from './errors.ts';
import {
  HostCertificateError,
  HostConflictError,
  HostError,
  HostForbiddenError,
  HostNotFoundError,
  HostRefusedError,
  HostUnauthorisedError,
  HostUnreachableError,
} from './host-errors.ts';

/** What was asked, for messages: `get secrets team-a/vc-team-a`. */
export interface Asked {
  readonly server: string;
  readonly what: string;
  /** That the request goes through. */
  readonly proxy?: string | undefined;
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly { readonly field?: string; readonly message?: string }[] };
}

/** The error for an answer that is no success. */
export function answerError(asked: Asked, status: number, body: unknown): HostError {
  const { reason = '', message = typeof body === 'string' ? body.slice(0, 500) : '' } = statusOf(body);
  const make = answers[status] ?? otherAnswer;
  return make(asked, message, { status, reason });
}

type MakeError = (
  asked: Asked,
  message: string,
  answer: { readonly status: number; readonly reason: string },
) => HostError;

const refused: MakeError = ({ what }, message, answer) =>
  new HostRefusedError(`The host cluster refused to ${what}`, message || `It answered ${answer.status}.`, answer);

const answers: Readonly<Record<number, MakeError>> = {
  400: refused,
  401: ({ server }, _, answer) =>
    new HostUnauthorisedError(
      `The host cluster at ${server} does not know this account`,
      'Its token or certificate is wrong, expired or of another cluster. Log in again, or use another kubeconfig or context.',
      answer,
    ),
  403: ({ what }, message, answer) =>
    new HostForbiddenError(`This account may not ${what}`, forbiddenDetail(message), answer),
  404: ({ what }, message, answer) =>
    new HostNotFoundError(`The host cluster cannot ${what}`, message || 'It does not exist.', answer),
  409: ({ what }, message, answer) => {
    const detail = `${message} ${conflictAdvice(answer.reason)}`.trim();
    return new HostConflictError(`The host cluster refused to ${what}`, detail, answer);
  },
  413: refused,
  422: refused,
};

const otherAnswer: MakeError = ({ what }, message, answer) =>
  new HostError(`The host cluster failed to ${what}`, failureDetail(answer.status, message), answer);

function statusOf(body: unknown): Status {
  return typeof body === 'object' && body !== null ? body : {};
}

function conflictAdvice(reason: string): string {
  return reason === 'AlreadyExists'
    ? 'Choose another name, or remove it first.'
    : 'Somebody else is changing it too. Try again.';
}

function failureDetail(status: number, message: string): string {
  return `It answered ${status}${message === '' ? '' : `: ${message}`}. Try again; if it goes on, look at the logs of its API server.`;
}

/** A refusal of the authorizer, taken apart. */
export interface Refusal {
  readonly user: string;
  readonly verb: string;
  /** `statefulsets.apps`, `pods/log` */
  readonly resource: string;
  /** Undefined at the scope of the cluster. */
  readonly namespace: string | undefined;
}

/** Takes the message of a 403 apart; undefined when something else than the authorizer refused. */
export function parseRefusal(message: string): Refusal | undefined {
  const found =
    /User "(?<user>[^"]*)" cannot (?<verb>\S+) resource "(?<resource>[^"]+)" in API group "(?<group>[^"]*)"(?: in the namespace "(?<namespace>[^"]+)")?/.exec(
      message,
    )?.groups;
  if (found === undefined) return undefined;
  const { user = '', verb = '', resource = '', group = '', namespace } = found;
  const [plural, subresource] = resource.split('/');
  const name = `${plural}${group === '' ? '' : `.${group}`}${subresource === undefined ? '' : `/${subresource}`}`;
  return { user, verb, resource: name, namespace };
}

/** What to do about missing rights. */
export const askAdministrator =
  'Ask an administrator of the host cluster for this right, or use another kubeconfig or context.';

function forbiddenDetail(message: string): string {
  const refusal = parseRefusal(message);
  if (refusal === undefined) return message || askAdministrator;
  const { user, verb, resource, namespace } = refusal;
  const where = namespace === undefined ? 'in the whole cluster' : `in namespace "${namespace}"`;
  return `"${user}" may not ${verb} ${resource} ${where}. ${askAdministrator}`;
}

const certificateCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_SIGNATURE_FAILURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'HOSTNAME_MISMATCH',
]);

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'its name is not known',
  EAI_AGAIN: 'its name could not be looked up just now',
  EHOSTUNREACH: 'there is no way to it',
  ENETUNREACH: 'there is no way to it',
  ETIMEDOUT: 'it did not answer in time',
  ECONNRESET: 'it ended the connection',
  EPIPE: 'it ended the connection',
};

/** Without its password. */
function throughWords(proxy: string | undefined): string {
  return proxy === undefined ? '' : ` through the proxy ${new URL(proxy).origin}`;
}

/** Without the advice that Node has for those who start it themselves. */
function untrustedWords(message: string): string {
  return message.replace(/; if the root CA is installed locally.*$/s, '').trim();
}

/** The error for a request that was not answered at all. `timedOutMs`: after how long we gave up ourselves. */
export function silenceError({ server, what, proxy }: Asked, cause: unknown, timedOutMs?: number): OperationError {
  const { code = '', message = '' } = cause as { code?: string; message?: string };
  const answer = { status: 0 };
  if (certificateCodes.has(code) || code.startsWith('ERR_SSL') || code.startsWith('ERR_OSSL') || code === 'EPROTO') {
    return new HostCertificateError(
      `The host cluster at ${server} cannot be trusted`,
      `${untrustedWords(message)}. Correct the certificate authority or the tls-server-name of the kubeconfig; or something else answers at this address.`,
      answer,
      { cause },
    );
  }
  const why =
    timedOutMs === undefined ? (reasons[code] ?? (message || code)) : `no answer within ${timedOutMs / 1000} s`;
  return new HostUnreachableError(
    `The host cluster at ${server} cannot be reached`,
    `While trying to ${what}${throughWords(proxy)}: ${why}. Is it up, is the address right, and does this machine reach it (VPN, firewall)?`,
    answer,
    { cause },
  );
}
