/**
 * Requests to the host API server: HTTP/1.1, a connection of their own each, outside of any rate limit (spec KUB-15). Only the
 * headers listed here go on; whatever else came in, above all anything that claims an identity, stays behind.
 */
import { Agent, request as httpsRequest } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { ConnectionError } from '../model/errors.ts';
import type { HostAccess } from './options.ts';

/** Until the head of an answer is there; no limit afterwards. */
const answerTimeoutMs = 60_000;
const errorBodyBytesMax = 64 * 1024;

export interface HostRequest {
  readonly method: string;
  /** Path and query on the host API server. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

export type HostAnswer =
  | { readonly is: 'upgraded'; readonly response: IncomingMessage; readonly socket: Socket; readonly head: Buffer }
  | { readonly is: 'answered'; readonly response: IncomingMessage };

export class Upstream {
  readonly #host: HostAccess;
  /** Connections are not kept, TLS sessions are. */
  readonly #agent = new Agent({ keepAlive: false });

  constructor(host: HostAccess) {
    this.#host = host;
  }

  /** The head of the host's answer. The signal gives up, also later, while the body is being read. @throws ConnectionError */
  async ask(asked: HostRequest, signal: AbortSignal): Promise<HostAnswer> {
    const request = this.#request(asked, signal);
    try {
      return await answerOf(request);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ConnectionError(`No answer from the host API server to ${asked.method} ${asked.path}: ${why}`, {
        cause,
      });
    }
  }

  #request({ method, path, headers }: HostRequest, signal: AbortSignal): ClientRequest {
    const { url } = this.#host;
    const { token, cert, key } = this.#host.credentials();
    const options = {
      host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? 443 : Number(url.port),
      method,
      path: `${url.pathname.replace(/\/$/, '')}${path}`,
      agent: this.#agent,
      ca: this.#host.ca(),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ALPNProtocols: ['http/1.1'],
      allowHalfOpen: true,
      signal,
      headers: {
        'user-agent': 'vcluster-syncer',
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value].flat()])),
      },
    };
    return httpsRequest(options);
  }
}

function answerOf(request: ClientRequest): Promise<HostAnswer> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => request.destroy(new Error('timed out')), answerTimeoutMs);
    const done = (answer: HostAnswer): void => {
      clearTimeout(timer);
      resolve(answer);
    };
    request.on('upgrade', (response, socket, head) => {
      // Until somebody joins it to the other side, an error must not end the process.
      socket.on('error', () => socket.destroy());
      done({ is: 'upgraded', response, socket, head });
    });
    request.on('response', (response) => done({ is: 'answered', response }));
    request.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end();
  });
}

/** The beginning of a body, enough for any message. */
export async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= errorBodyBytesMax) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

const upgradeHeaders = [
  'upgrade',
  'x-stream-protocol-version',
  'sec-websocket-key',
  'sec-websocket-version',
  'sec-websocket-protocol',
  'sec-websocket-extensions',
  'sec-websocket-accept',
] as const;
const logHeaders = ['content-type', 'cache-control', 'retry-after'] as const;

/** The headers that make an upgrade, of a request or of its answer. */
export function streamHeaders(message: IncomingMessage): Record<string, string[]> {
  const headers: Record<string, string[]> = { connection: ['Upgrade'], ...pick(message, upgradeHeaders) };
  const protocols = headers['sec-websocket-protocol'];
  if (protocols === undefined) return headers;
  // A WebSocket can carry a bearer token as the name of a protocol: an identity of somebody else's choosing.
  const kept = protocols
    .flatMap((line) => line.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => !protocol.toLowerCase().startsWith('base64url.bearer.authorization.k8s.io.'));
  return { ...headers, 'sec-websocket-protocol': [kept.join(', ')] };
}

export function contentHeaders(message: IncomingMessage): Record<string, string[]> {
  return pick(message, logHeaders);
}

function pick(message: IncomingMessage, names: readonly string[]): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const name of names) {
    const values = message.headersDistinct[name];
    if (values !== undefined) found[name] = values;
  }
  return found;
}
