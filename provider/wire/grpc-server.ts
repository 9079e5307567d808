/**
 * A gRPC server on node:http2: RPCs with one request and one answer, and streams that are held open until either side ends.
 *
 * Guarantees: every RPC ends with exactly one status; what a handler throws becomes a status and never ends the process; a call that
 * nobody waits for any more (cancelled, deadline, connection or server gone) has its signal aborted; with a client
 * certificate given, nobody without exactly that certificate gets as far as a request.
 */
import { createSecureServer, createServer, constants } from 'node:http2';
import type {
  Http2Server,
  IncomingHttpHeaders,
  ServerHttp2Session,
  ServerHttp2Stream,
  ServerOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { openCall, readRequest } from './grpc-call.ts';
import { frameHeader } from './grpc-frames.ts';
import { encodeMessage, GrpcError, statusCodes } from './grpc-status.ts';
import type { StatusName } from './grpc-status.ts';
import type { Log } from './log.ts';
import type { Secrets } from './secrets.ts';
import type { Call } from './service.ts';

/** What to do for one RPC. */
export type Route =
  | { readonly is: 'unary'; readonly answer: (request: Uint8Array, call: Call) => Promise<Uint8Array> | Uint8Array }
  /** Answered with `first`, if any, and then held open: nothing else is ever sent on it. */
  | { readonly is: 'held'; readonly first?: Uint8Array };

/** Both sides of mutual TLS. PEM, but for the DER of the only client that is let in. */
export interface ServerTls {
  readonly certificate: string;
  readonly key: string;
  readonly clientCertificate: string;
  readonly clientDer: Uint8Array;
}

export interface GrpcServerOptions {
  /** By path, `/<service>/<method>`. */
  readonly routes: ReadonlyMap<string, Route>;
  /** Without it whoever reaches the socket is let in. */
  readonly tls?: ServerTls | undefined;
  readonly log: Log;
  readonly secrets: Secrets;
  /** Told when the last connection has gone. */
  readonly onDeserted?: (() => void) | undefined;
}

// Schemas and states are megabytes: with the usual windows of 64 KiB each of them waits for a round trip per window.
const windowBytes = 16 * 1024 * 1024;
const http2Options: ServerOptions = { settings: { initialWindowSize: windowBytes }, maxSessionMemory: 1024 };

/** For the last headers, once nothing else is waited for: the peer is on this machine. */
const flushMs = 100;

const replyHeaders = { ':status': 200, 'content-type': 'application/grpc' } as const;

export class GrpcServer {
  readonly #options: GrpcServerOptions;
  readonly #server: Http2Server;
  /** Also those that never became a session: they would keep the server from closing. */
  readonly #sockets = new Set<Socket>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #closing = new AbortController();
  readonly #over = new AbortController();
  readonly #connected = Promise.withResolvers<void>();
  readonly #held = new Set<ServerHttp2Stream>();
  /** What handlers are doing, also for callers that have gone. */
  readonly #running = new Set<Promise<unknown>>();

  constructor(options: GrpcServerOptions) {
    this.#options = options;
    this.#server = serverFor(options.tls);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('session', (session) => this.#admit(session));
    this.#server.on('stream', (stream, headers) => this.#serve(stream, headers));
    // Without listeners these would end the process; a client that fails here has no RPC to answer.
    this.#server.on('sessionError', (error) => options.log.debug('A connection failed', { error: error.message }));
    this.#server.on('tlsClientError', (error: Error) => {
      options.log.warn('A client was refused', { error: error.message });
    });
    this.#server.on('error', (error) => options.log.error('The server failed', { error: error.message }));
  }

  /** Resolves when the first client was let in. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Begins to listen: on a unix socket, or on a free port of 127.0.0.1. Resolves with the port (0 for a socket). */
  async listen(on: { readonly socket: string } | 'tcp'): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      const listening = (): void => {
        this.#server.off('error', reject);
        resolve();
      };
      if (on === 'tcp') this.#server.listen(0, '127.0.0.1', listening);
      else this.#server.listen(on.socket, listening);
    });
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /**
   * Takes no new connection and aborts what is being answered. Handlers then have `graceMs` to come to an end of what they
   * hold (a child process, a half-written object), and what they answer in this time still arrives; callers whose handlers take
   * longer are told that the provider is unavailable. Held streams end well.
   */
  async close(graceMs: number): Promise<void> {
    const ending = new GrpcError('unavailable', 'The provider is ending.');
    this.#closing.abort(ending);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const stream of this.#held) endWith(stream, 'ok', '');
    const left = Array.from(this.#sessions, leave);
    await within(graceMs, [...this.#running, ...left]);
    this.#over.abort(ending);
    await within(flushMs, left);
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #admit(session: ServerHttp2Session): void {
    const { tls, log, onDeserted } = this.#options;
    if (tls !== undefined && !isClient(session, tls.clientDer)) {
      log.warn('A client was refused', { error: 'another certificate than the one given' });
      session.destroy();
      return;
    }
    this.#sessions.add(session);
    this.#connected.resolve();
    session.setLocalWindowSize(4 * windowBytes);
    session.on('error', (error) => log.debug('A connection failed', { error: error.message }));
    session.on('close', () => {
      this.#sessions.delete(session);
      if (this.#sessions.size === 0) onDeserted?.();
    });
  }

  #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', (error) => this.#options.log.debug('A stream failed', { error: error.message }));
    const path = headers[':path'] ?? '';
    const route = this.#options.routes.get(path);
    if (headers['content-type']?.startsWith('application/grpc') !== true) {
      stream.respond({ ':status': 415 }, { endStream: true });
    } else if (route === undefined) {
      endWith(stream, 'unimplemented', `This provider has no ${path}.`);
    } else if (route.is === 'held') {
      this.#hold(stream, route.first);
    } else {
      void this.#answer(stream, headers, route.answer);
    }
  }

  /** Streams over which go-plugin could send output or other connections: this provider has neither. */
  #hold(stream: ServerHttp2Stream, first: Uint8Array | undefined): void {
    this.#held.add(stream);
    stream.on('close', () => this.#held.delete(stream));
    stream.respond(replyHeaders, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    if (first !== undefined) writeFrame(stream, first);
    // A client that reads only ends its side at once; one that also sends has finished when it does.
    stream.resume();
  }

  async #answer(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    answer: (Route & { readonly is: 'unary' })['answer'],
  ): Promise<void> {
    using call = openCall(stream, headers, { closing: this.#closing.signal, over: this.#over.signal });
    try {
      const request = await Promise.race([readRequest(stream), call.ended]);
      const answered = this.#track(answer(request, { signal: call.signal, connection: stream.session ?? stream }));
      finish(stream, await Promise.race([answered, call.ended]));
    } catch (error) {
      const { status, message } = this.#failure(headers[':path'] ?? '', error);
      endWith(stream, status, message);
    }
  }

  #track(answer: Promise<Uint8Array> | Uint8Array): Promise<Uint8Array> {
    const answered = Promise.resolve(answer);
    this.#running.add(answered);
    const forget = (): unknown => this.#running.delete(answered);
    // Also listens for a failure: when the call has ended before, nobody else does.
    answered.then(forget, forget);
    return answered;
  }

  #failure(path: string, error: unknown): { readonly status: StatusName; readonly message: string } {
    const { log, secrets } = this.#options;
    const text = error instanceof Error ? error.message : String(error);
    if (error instanceof GrpcError) log.debug('An RPC has ended early', { path, status: error.status, error: text });
    else log.error('An RPC has failed', { path, error });
    return { status: error instanceof GrpcError ? error.status : 'internal', message: secrets.redact(text) };
  }
}

function serverFor(tls: ServerTls | undefined): Http2Server {
  if (tls === undefined) return createServer(http2Options);
  return createSecureServer({
    ...http2Options,
    cert: tls.certificate,
    key: tls.key,
    ca: [tls.clientCertificate],
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ALPNProtocols: ['h2'],
  });
}

/** The client's certificate may sign others, and those would pass the check of the chain. */
function isClient(session: ServerHttp2Session, der: Uint8Array): boolean {
  const { raw } = (session.socket as TLSSocket).getPeerCertificate();
  return raw !== undefined && Buffer.from(der).equals(raw);
}

/** Has a session close when its streams have ended, and waits for that. */
function leave(session: ServerHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    session.once('close', resolve).close();
  });
}

/** Waits for the end of all of them, but not longer than this. */
async function within(timeoutMs: number, awaited: readonly Promise<unknown>[]): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(() => late.resolve(), timeoutMs);
  await Promise.race([Promise.allSettled(awaited), late.promise]);
  clearTimeout(timer);
}

function finish(stream: ServerHttp2Stream, message: Uint8Array): void {
  if (stream.destroyed || stream.closed) return;
  const header = frameHeader(message);
  stream.respond(replyHeaders, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.write(header);
  stream.end(message);
}

function writeFrame(stream: ServerHttp2Stream, message: Uint8Array): void {
  stream.write(frameHeader(message));
  stream.write(message);
}

/** Ends a stream with a status, as its trailers or, when nothing was sent yet, as its only headers. */
function endWith(stream: ServerHttp2Stream, status: StatusName, message: string): void {
  if (stream.destroyed || stream.closed) return;
  if (stream.headersSent) {
    stream.end();
    return;
  }
  const text = encodeMessage(message);
  const trailers = { 'grpc-status': String(statusCodes[status]), ...(text && { 'grpc-message': text }) };
  stream.respond({ ...replyHeaders, ...trailers }, { endStream: true });
  // What the client still wants to send is of no use.
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}
