/**
 * A chaos proxy: it ends the syncer's TLS and HTTP/2 on 127.0.0.1 and speaks to a real API server as the syncer would. Every answer
 * is real; the proxy only delays, loses, doubles, cuts or rewrites what its rules name (rules.ts). It runs in the test's own process.
 *
 *   const pair = await startPair('x', { through: { host: {}, virtual: {} } });      // only the syncer goes through
 *   const rule = pair.proxies.host.rules.add({
 *     when: ({ isWrite, plural }) => isWrite && plural === 'pods', times: 1, do: { is: 'lose' } });
 *   … rule.struck() … rule.remove() … pair.proxies.host.rules.clear();
 *
 * HTTP/1.1 (logs, exec, the gateway's requests) is passed through as bytes. SEED=<number> repeats what chance decides.
 */
import { once } from 'node:events';
import { performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream, Settings } from 'node:http2';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import type { Access } from '../../../syncer/cluster/session.ts';
import type { Side } from '../../../syncer/model/side.ts';
import { Exchange } from './exchange.ts';
import type { Connection } from './outlet.ts';
import { requestOf } from './request.ts';
import { Rules } from './rules.ts';
import type { ProxiedRequest } from './rules.ts';
import { plainUpstream, Upstream } from './upstream.ts';
import type { WatchRelay } from './watch-relay.ts';
import { Wire } from './wire.ts';

export interface ProxyOptions {
  readonly side: Side;
  /** The real API server, and the syncer's own credentials for it. */
  readonly upstream: Access;
  /** PEM. */
  readonly serving: Serving;
  readonly seed: number;
  /** Of HTTP/2, as the syncer is told them: `maxConcurrentStreams`, `initialWindowSize` (what it may send), … */
  readonly settings?: Settings;
}

export interface Serving {
  readonly cert: string;
  readonly key: string;
}

/** One request that came through, for counting. */
export interface SeenRequest {
  readonly request: ProxiedRequest;
  readonly atMs: number;
  /** Of the real API server; undefined when nothing was forwarded or no answer has come yet. */
  status?: number;
}

const idleSettings: Settings = { maxConcurrentStreams: 250 };

export class ChaosProxy {
  readonly rules: Rules;
  /** Every request since the start or the last `forget()`, without bodies' end: for counting and timing. */
  readonly seen: SeenRequest[] = [];
  readonly #options: ProxyOptions;
  readonly #front: Server;
  readonly #inner: TlsServer;
  readonly #wires = new Map<number, Wire>();
  readonly #connections = new Set<Connection>();
  readonly #watches = new Set<WatchRelay>();
  readonly #sockets = new Set<TLSSocket>();
  #settings: Settings;
  #requests = 0;
  #writes = 0;

  private constructor(options: ProxyOptions) {
    this.#options = options;
    this.rules = new Rules(options.seed);
    this.#settings = { ...idleSettings, ...options.settings };
    this.#inner = createTlsServer({ ...options.serving, ALPNProtocols: ['h2', 'http/1.1'] }, (socket) =>
      this.#accept(socket),
    );
    this.#inner.on('tlsClientError', () => {});
    this.#front = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
  }

  static async start(options: ProxyOptions): Promise<ChaosProxy> {
    const proxy = new ChaosProxy(options);
    proxy.#inner.listen(0, '127.0.0.1');
    proxy.#front.listen(0, '127.0.0.1');
    await Promise.all([once(proxy.#inner, 'listening'), once(proxy.#front, 'listening')]);
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${portOf(this.#front)}`;
  }

  /** Writes since the start: the ordinal of the last one. */
  get writes(): number {
    return this.#writes;
  }

  /** Connections of the syncer that are open now. */
  get connections(): readonly Connection[] {
    return [...this.#connections];
  }

  /** Watches that are open now. */
  get watches(): readonly WatchRelay[] {
    return [...this.#watches];
  }

  /** Tells open connections, and those that will come, other HTTP/2 settings. */
  configure(settings: Settings): void {
    this.#settings = { ...this.#settings, ...settings };
    for (const { session } of this.#open()) session.settings(settings);
  }

  /** New connections see another certificate; open ones stay. */
  serve(serving: Serving): void {
    this.#inner.setSecureContext(serving);
  }

  /** Asks for every connection to be left. */
  goaway(): void {
    for (const { session } of this.#open()) session.goaway();
  }

  /** Every open connection goes silent; new ones work. */
  freeze(): void {
    for (const { wire } of this.#connections) wire.freeze();
  }

  reset(): void {
    for (const { wire } of this.#connections) wire.reset();
  }

  /** Sends a line to every open watch that matches. */
  async inject(when: (request: ProxiedRequest) => boolean, line: string | Buffer | object): Promise<void> {
    await Promise.all(this.watches.filter(({ request }) => when(request)).map((watch) => watch.inject(line)));
  }

  forget(): void {
    this.seen.length = 0;
  }

  async stop(): Promise<void> {
    this.rules.clear();
    this.#front.close();
    this.#inner.close();
    for (const wire of this.#wires.values()) wire.reset();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#inner, 'close');
  }

  #open(): readonly Connection[] {
    return this.connections.filter(({ session }) => !session.destroyed);
  }

  #join(client: Socket): void {
    Wire.join(client, portOf(this.#inner), (wire, port) => {
      this.#wires.set(port, wire);
      client.once('close', () => this.#wires.delete(port));
    });
  }

  #accept(socket: TLSSocket): void {
    const wire = this.#wires.get(socket.remotePort ?? 0);
    socket.on('error', () => {});
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // TLS with something left to write may not notice for a long time that nobody reads it any more.
    wire?.whenClosed(() => socket.destroy());
    if (wire === undefined) socket.destroy();
    else if (socket.alpnProtocol === 'h2') this.#speak(socket, wire);
    else this.#passThrough(socket);
  }

  #passThrough(socket: TLSSocket): void {
    const upstream = plainUpstream(this.#options.upstream);
    upstream.on('error', () => socket.destroy());
    socket.once('close', () => upstream.destroy());
    upstream.once('close', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  }

  #speak(socket: TLSSocket, wire: Wire): void {
    const session: ServerHttp2Session = performServerHandshake(socket, { settings: this.#settings });
    const connection: Connection = { wire, session };
    const upstream = new Upstream(this.#options.upstream, () => wire.reset());
    this.#connections.add(connection);
    session.on('error', () => {});
    session.once('close', () => {
      this.#connections.delete(connection);
      upstream.close();
    });
    session.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      stream.on('error', () => {});
      void this.#handle(stream, headers, { connection, upstream });
    });
  }

  async #handle(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    { connection, upstream }: { readonly connection: Connection; readonly upstream: Upstream },
  ): Promise<void> {
    const body = await tryBodyOf(stream);
    // Left before it was sent whole.
    if (body === undefined) return;
    const read = requestOf(this.#options.side, headers, body);
    const request = { ...read, number: ++this.#requests, ordinal: read.isWrite ? ++this.#writes : 0 };
    const seen: SeenRequest = { request, atMs: performance.now() };
    this.seen.push(seen);
    const exchange = new Exchange({
      request,
      stream,
      connection,
      upstream,
      rules: this.rules,
      answered: (status) => {
        seen.status = status;
      },
      watching: (relay) => {
        this.#watches.add(relay);
        return () => this.#watches.delete(relay);
      },
    });
    // A stream that breaks under our hands is what this is for; the wire tells the syncer.
    await exchange.run().catch(() => connection.wire.reset());
  }
}

async function tryBodyOf(stream: ServerHttp2Stream): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  } catch {
    return undefined;
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
