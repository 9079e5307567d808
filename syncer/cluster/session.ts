/**
 * The way to one API server: as many HTTP/2 connections as its limit of streams makes necessary, one as a rule. Connections that
 * asked to be left (GOAWAY), broke, fell silent or were made with credentials that have since been replaced are left behind: what
 * runs on them runs out, what comes next goes elsewhere. Measured against the alternatives in design.md D5.
 */
import { constants } from 'node:http2';
import type { ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnsentError } from './answer.ts';
import { Connection } from './connection.ts';
import type { Identity } from './connection.ts';

export interface Credentials {
  readonly token?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/**
 * How to reach one API server, and as whom. Asked again for every connection and every request, so it must be cheap, and give the
 * same object as long as nothing has changed; whoever reads files looks at them at least every minute (spec OPS-11, faults F41).
 */
export interface Access {
  readonly url: URL;
  readonly ca: () => string;
  readonly credentials: () => Credentials;
  /** Whatever was read before does not count any more: the server has refused it. */
  readonly reread?: () => void;
}

export interface OpenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Whether a body follows. */
  readonly hasBody: boolean;
  readonly signal: AbortSignal;
}

export interface Opened {
  readonly stream: ClientHttp2Stream;
  readonly connection: Connection;
}

export interface SessionOptions {
  /** More than one only where the server allows fewer streams than are wanted. */
  readonly connectionsMax: number;
  readonly random?: () => number;
}

/** A server that cannot be reached is dialled less and less often, whoever wants it. */
const firstDialDelayMs = 50;
const dialDelayMaxMs = 1_000;

export class Session {
  readonly #access: Access;
  readonly #options: SessionOptions;
  readonly #connections = new Set<Connection>();
  readonly #waiting = new Set<() => void>();
  #dialling: Promise<void> | undefined;
  #failedDials = 0;
  #prefix = '';
  /** As they were when connections were last compared with them. */
  #known: Credentials | undefined;

  constructor(access: Access, options: SessionOptions) {
    this.#access = access;
    this.#options = options;
  }

  /**
   * Opens a stream as soon as the server has room for one. The signal ends the wait, not the stream.
   * @throws ConnectionError when there is no connection; nothing has been sent then
   */
  async open(asked: OpenRequest): Promise<Opened> {
    for (;;) {
      const connection = this.#withRoom();
      if (connection === undefined) await this.#room(asked.signal);
      else return { connection, stream: this.#request(connection, asked) };
    }
  }

  /**
   * The server did not accept who we are: looks for newer credentials at once. True when there are some, so that another try
   * makes sense.
   */
  renewed(refused: Credentials): boolean {
    this.#access.reread?.();
    const { token, cert, key } = this.#access.credentials();
    return token !== refused.token || cert !== refused.cert || key !== refused.key;
  }

  credentials(): Credentials {
    return this.#access.credentials();
  }

  #withRoom(): Connection | undefined {
    if (this.#access.credentials() !== this.#known) this.#leaveOutdated();
    for (const connection of this.#connections) if (connection.usable && connection.hasRoom) return connection;
    return undefined;
  }

  #request(connection: Connection, { method, path, headers, hasBody }: OpenRequest): ClientHttp2Stream {
    const { token } = this.#access.credentials();
    try {
      return connection.request(
        {
          [constants.HTTP2_HEADER_METHOD]: method,
          [constants.HTTP2_HEADER_PATH]: this.#prefix + path,
          accept: 'application/json',
          'user-agent': 'vcluster-syncer',
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        !hasBody,
      );
    } catch (cause) {
      connection.retire();
      throw new UnsentError(`Could not open a stream to ${this.#access.url.host}`, { cause });
    }
  }

  /** Waits for a new connection, or, when there are enough of them, for a stream to end. */
  async #room(signal: AbortSignal): Promise<void> {
    this.#forgetClosed();
    if (this.#dialling === undefined && this.#connections.size < this.#options.connectionsMax) {
      this.#dialling = this.#dial().finally(() => {
        this.#dialling = undefined;
      });
      // Those who wait for it get its error; there may be none left.
      this.#dialling.catch(() => {});
    }
    await abortable(this.#dialling ?? this.#freed(), signal);
  }

  async #dial(): Promise<void> {
    if (this.#failedDials > 0) {
      const grown = Math.min(firstDialDelayMs * 2 ** Math.min(this.#failedDials - 1, 10), dialDelayMaxMs);
      await sleep(grown * (0.5 + (this.#options.random ?? Math.random)() / 2), undefined, { ref: false });
    }
    // What has been replaced since is what the server wants to see now.
    this.#access.reread?.();
    this.#failedDials++;
    const connection = new Connection(this.#identity(), () => this.#wake());
    await connection.ready;
    this.#failedDials = 0;
    this.#connections.add(connection);
  }

  #identity(): Identity {
    const { url } = this.#access;
    const { cert, key } = this.#access.credentials();
    this.#prefix = url.pathname.replace(/\/$/, '');
    return { origin: url.origin, ca: this.#access.ca(), cert, key };
  }

  /** After a rotation new requests must not go on as who we were. */
  #leaveOutdated(): void {
    this.#known = this.#access.credentials();
    const now = this.#identity();
    for (const connection of this.#connections) {
      const { origin, ca, cert, key } = connection.identity;
      const same = origin === now.origin && ca === now.ca && cert === now.cert && key === now.key;
      if (!same) connection.retire();
    }
  }

  #freed(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    this.#forgetClosed();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  #forgetClosed(): void {
    for (const connection of this.#connections) if (!connection.usable) this.#connections.delete(connection);
  }
}

async function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  try {
    await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
