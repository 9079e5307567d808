/**
 * One HTTP/2 connection to an API server. It counts its streams against the server's own limit, so that a request waits in our
 * queue and not inside the HTTP/2 library, and it asks now and then whether the other end still answers: a connection whose packets
 * are dropped looks like one on which nothing happens (spec faults F39, F40).
 */
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, OutgoingHttpHeaders } from 'node:http2';
import { ConnectionError } from '../model/errors.ts';

/** What is needed for a connection; all of it may be another after a rotation. */
export interface Identity {
  readonly origin: string;
  readonly ca: string;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
}

/** Large lists need large windows: 64 KiB, the default, halves the throughput (findings A.4). */
const streamWindowBytes = 4 * 1024 * 1024;
const sessionWindowBytes = 16 * 1024 * 1024;
/** What the library may hold, above all bodies that wait for the server's window; its default of 10 would refuse requests. */
const sessionMemoryMaxMb = 256;
const connectTimeoutMs = 10_000;
const pingEveryMs = 5_000;
const pingAnswerMs = 5_000;
/** After a standstill of this process the answer may lie there unread. */
const pingGraceMs = 1_000;

export class Connection {
  readonly identity: Identity;
  /** Resolves when the server has said how much it takes. @throws ConnectionError when it does not come to that */
  readonly ready: Promise<void>;
  readonly #session: ClientHttp2Session;
  /** A stream or the connection itself has ended, or the server allows more: somebody who waits may go on. */
  readonly #freed: () => void;
  #streams = 0;
  #streamsMax = 0;
  #retired = false;

  constructor(identity: Identity, freed: () => void) {
    this.identity = identity;
    this.#freed = freed;
    const { origin, ca, cert, key } = identity;
    this.#session = connect(origin, {
      ca,
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      settings: { initialWindowSize: streamWindowBytes, enablePush: false },
      maxSessionMemory: sessionMemoryMaxMb,
    });
    this.ready = this.#opened();
    // Every stream fails with the same error, and so does `ready`; the session's own event only has to be taken.
    this.#session.on('error', () => {});
    this.#session.once('goaway', () => this.retire());
    const pulse = setInterval(() => this.#check(), pingEveryMs).unref();
    this.#session.once('close', () => {
      clearInterval(pulse);
      this.#freed();
    });
  }

  /** Whether new requests may be made on it. */
  get usable(): boolean {
    return !this.#retired && !this.#session.closed && !this.#session.destroyed;
  }

  get hasRoom(): boolean {
    return this.#streams < this.#streamsMax;
  }

  /** Opens a stream. @throws when the connection is at its end; then nothing has been sent */
  request(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    const stream = this.#session.request(headers, { endStream });
    this.#streams++;
    stream.once('close', () => {
      this.#streams--;
      this.#freed();
    });
    return stream;
  }

  /** Takes nothing new; what is under way runs to its end. */
  retire(): void {
    this.#retired = true;
    if (!this.#session.destroyed) this.#session.close();
  }

  async #opened(): Promise<void> {
    const session = this.#session;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => session.destroy(new Error(`nothing came within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    session.once('connect', () => session.setLocalWindowSize(sessionWindowBytes));
    session.on('remoteSettings', ({ maxConcurrentStreams }) => {
      this.#streamsMax = maxConcurrentStreams ?? Infinity;
      resolve();
      this.#freed();
    });
    session.once('error', reject);
    session.once('close', () => reject(new Error('it was closed at once')));
    try {
      await promise;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ConnectionError(`No connection to ${this.identity.origin}: ${why}`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  #check(): void {
    if (this.#streams === 0 || this.#session.destroyed) return;
    const giveUp = (): void => {
      this.#session.destroy(new Error('the server has stopped answering'), constants.NGHTTP2_CANCEL);
    };
    let timer = setTimeout(() => {
      timer = setTimeout(giveUp, pingGraceMs).unref();
    }, pingAnswerMs).unref();
    // Whether answered or refused because the connection has just ended: nothing is left to find out.
    const answered = (): void => clearTimeout(timer);
    if (!this.#session.ping(answered)) answered();
  }
}
