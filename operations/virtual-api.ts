/**
 * A few requests to the API server of a virtual cluster, as whoever the access says. Certificates are checked; connections are
 * not kept, because a tunnel may lead to another pod the next time.
 */
import { request as httpsRequest } from 'node:https';
import { OperationError, textOf } from './errors.ts';
import type { HostAccess } from './kubeconfig.ts';
import { masked } from './mask.ts';
import { stopIfAborted } from './poll.ts';

const defaultTimeoutMs = 15_000;
/** Of a refusal; a webhook of a tenant may be as talkative as it likes. */
const wordsLengthMax = 1000;

/** How to reach the API server of a virtual cluster. */
export type VirtualAccess = HostAccess;

export interface VirtualAnswer {
  readonly status: number;
  /** Parsed; the text itself when it is not JSON. */
  readonly body: unknown;
}

export interface VirtualRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the root, with its query. */
  readonly path: string;
  readonly body?: object | undefined;
  /** Default 15 s, from sending to the end of the answer. */
  readonly timeoutMs?: number | undefined;
  /** Instead of the one that all requests have. */
  readonly signal?: AbortSignal | undefined;
}

/** The API server of a virtual cluster said no, or nothing. */
export class VirtualApiError extends OperationError {
  override readonly name = 'VirtualApiError';
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;

  constructor(status: number, summary: string, detail: string, options?: ErrorOptions) {
    super(summary, detail, options);
    this.status = status;
  }
}

/** One virtual cluster. */
export class VirtualApi {
  readonly #access: VirtualAccess;
  readonly #name: string;
  readonly #signal: AbortSignal | undefined;

  /** `name` is for messages; `signal` ends every request that has none of its own. */
  constructor(access: VirtualAccess, name: string, signal?: AbortSignal) {
    this.#access = access;
    this.#name = name;
    this.#signal = signal;
  }

  /** Whatever the answer is. @throws VirtualApiError with status 0 when there is none; AbortedError */
  async ask(asked: VirtualRequest): Promise<VirtualAnswer> {
    const { signal = this.#signal } = asked;
    try {
      return await this.#send({ ...asked, signal });
    } catch (error) {
      stopIfAborted(signal);
      throw new VirtualApiError(0, `No answer from virtual cluster "${this.#name}"`, textOf(error), { cause: error });
    }
  }

  #send({ method = 'GET', path, body, timeoutMs = defaultTimeoutMs, signal }: VirtualRequest): Promise<VirtualAnswer> {
    const { server, ca, certificate, key, token, insecure, serverName } = this.#access;
    const text = body === undefined ? undefined : JSON.stringify(body);
    const limit = AbortSignal.timeout(Math.ceil(Math.max(1, timeoutMs)));
    return new Promise((resolve, reject) => {
      const outgoing = httpsRequest(
        new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server),
        {
          method,
          agent: false,
          ca,
          cert: certificate,
          key,
          ...(serverName !== undefined && { servername: serverName }),
          rejectUnauthorized: !insecure,
          signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
          headers: {
            accept: 'application/json',
            ...(text !== undefined && {
              'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
              'content-length': Buffer.byteLength(text),
            }),
            ...(token !== undefined && { authorization: `Bearer ${token}` }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            resolve({ status: incoming.statusCode ?? 0, body: parsed(Buffer.concat(chunks).toString('utf8')) });
          });
        },
      );
      outgoing.on('error', (error) => reject(limit.aborted ? new Error('no answer in time', { cause: error }) : error));
      outgoing.end(text);
    });
  }

  /** The body of a good answer; undefined when the API server says that there is no such object. @throws VirtualApiError */
  async tryGet(path: string, signal?: AbortSignal): Promise<unknown> {
    const { status, body } = await this.ask({ path, signal });
    if (status === 404) return undefined;
    return this.#good('GET', path, { status, body });
  }

  /** The body of a good answer. @throws VirtualApiError */
  async request(asked: VirtualRequest): Promise<unknown> {
    return this.#good(asked.method ?? 'GET', asked.path, await this.ask(asked));
  }

  #good(method: string, path: string, { status, body }: VirtualAnswer): unknown {
    if (status >= 200 && status < 300) return body;
    throw new VirtualApiError(
      status,
      `Virtual cluster "${this.#name}" refused a request`,
      `${method} ${path.split('?')[0]}: ${refusalWords({ status, body })}`,
    );
  }
}

/** Why a request was refused, in the words of the API server: bounded, and without what looks like a secret. */
export function refusalWords({ status, body }: VirtualAnswer): string {
  const { message } = (typeof body === 'object' && body !== null ? body : {}) as { readonly message?: unknown };
  if (typeof message !== 'string') return `HTTP ${status}`;
  return masked(message.slice(0, 4 * wordsLengthMax)).slice(0, wordsLengthMax);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
