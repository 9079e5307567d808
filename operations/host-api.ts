/** A few requests to the host's API server. Not for watching or for many objects: the syncer has a client for that. */
import { request } from 'node:https';
import type { HostAccess } from './kubeconfig.ts';

const timeoutMs = 15_000;

export interface Answer {
  readonly status: number;
  /** Parsed; undefined when it is not JSON. */
  readonly body: unknown;
}

/** One host cluster. A method throws only when there was no answer at all. */
export class HostApi {
  readonly #access: HostAccess;

  constructor(access: HostAccess) {
    this.#access = access;
  }

  get(path: string): Promise<Answer> {
    return this.#send('GET', path);
  }

  post(path: string, body: object): Promise<Answer> {
    return this.#send('POST', path, JSON.stringify(body));
  }

  #send(method: string, path: string, body?: string): Promise<Answer> {
    const { server, ca, certificate, key, token, insecure, serverName } = this.#access;
    const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
    return new Promise((resolve, reject) => {
      const outgoing = request(
        url,
        {
          method,
          ca,
          cert: certificate,
          key,
          servername: serverName,
          rejectUnauthorized: !insecure,
          signal: AbortSignal.timeout(timeoutMs),
          headers: {
            accept: 'application/json',
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
          incoming.on('error', reject);
          incoming.on('end', () => {
            resolve({ status: incoming.statusCode ?? 0, body: tryParse(Buffer.concat(chunks).toString('utf8')) });
          });
        },
      );
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
