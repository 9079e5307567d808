/**
 * One HTTP/2 connection to an API server that replaces itself: after GOAWAY, an error or a half-open connection the next
 * request opens a new one, while streams of the old one run out. Measured against the alternatives in design.md D5.
 */
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { ConnectionError } from '../model/errors.ts';

export interface Credentials {
  readonly token?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** How to reach one API server, and as whom. `credentials` is asked again for every connection and every request. */
export interface Access {
  readonly url: URL;
  readonly ca: () => string;
  readonly credentials: () => Credentials;
}

/** Large lists need large windows: 64 KiB, the default, halves the throughput (findings A.4). */
const streamWindowBytes = 4 * 1024 * 1024;
const sessionWindowBytes = 16 * 1024 * 1024;
const connectTimeoutMs = 10_000;

export class Session {
  readonly #access: Access;
  #current: ClientHttp2Session | undefined;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Opens a stream; the signal cancels it. Throws ConnectionError when the connection breaks meanwhile. */
  open(method: string, path: string, headers: OutgoingHttpHeaders, signal: AbortSignal): ClientHttp2Stream {
    const { token } = this.#access.credentials();
    const session = this.#usable();
    try {
      return session.request(
        {
          [constants.HTTP2_HEADER_METHOD]: method,
          [constants.HTTP2_HEADER_PATH]: `${this.#access.url.pathname.replace(/\/$/, '')}${path}`,
          accept: 'application/json',
          'user-agent': 'vcluster-syncer',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        // Node ends GET and DELETE at once unless told otherwise, and a DELETE of ours carries its preconditions in a body.
        { signal, endStream: false },
      );
    } catch (cause) {
      this.abandon();
      throw new ConnectionError(`Could not open a stream to ${this.#access.url.host}`, { cause });
    }
  }

  /** Gives the connection up: nothing on it can be trusted to arrive. */
  abandon(): void {
    this.#current?.destroy();
    this.#current = undefined;
  }

  #usable(): ClientHttp2Session {
    if (this.#current !== undefined && !this.#current.closed && !this.#current.destroyed) return this.#current;
    const { cert, key } = this.#access.credentials();
    const session = connect(this.#access.url.origin, {
      ca: this.#access.ca(),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      settings: { initialWindowSize: streamWindowBytes, enablePush: false },
    });
    const forget = (): void => {
      if (this.#current === session) this.#current = undefined;
    };
    session.setTimeout(connectTimeoutMs, () => {
      if (session.connecting) session.destroy(new ConnectionError(`No connection to ${this.#access.url.host}`));
    });
    session.once('connect', () => {
      session.setLocalWindowSize(sessionWindowBytes);
      session.setTimeout(0);
    });
    session.once('goaway', () => {
      forget();
      session.close();
    });
    session.once('close', forget);
    // Every stream fails with the same error; the session's own event only has to be taken.
    session.on('error', forget);
    this.#current = session;
    return session;
  }
}
