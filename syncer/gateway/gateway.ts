/**
 * The virtual API server's way into its cluster (design decision D1): an HTTP CONNECT proxy on a unix socket in the pod.
 *
 * A connection to port 10250 of a node ends here, in that node's kubelet endpoint. One to a Service or a pod of this virtual
 * cluster is dialled. Anything else is refused: a tenant decides what the virtual API server dials, so a gateway that dialled
 * more would hand the network of the host cluster to every tenant.
 */
import { chmod, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { isNeverDialled, parseAuthority } from './address.ts';
import type { Authority } from './address.ts';
import { createKubelet } from './kubelet.ts';
import { Limit } from './limit.ts';
import type { GatewayOptions } from './options.ts';
import { Relay } from './relay.ts';
import { say } from './reply.ts';
import { answerConnect, tunnel } from './tunnel.ts';
import { Upstream } from './upstream.ts';

const kubeletPort = 10_250;
const streamsMax = 100;
const tunnelsMax = 512;
/** The last resort, well above what the limits on streams and tunnels leave possible. */
const connectionsMax = 2048;

export interface Gateway {
  /** Serves until the signal aborts, then ends every connection. Rejects when the socket cannot be served. */
  run(signal: AbortSignal): Promise<void>;
}

export function createGateway(options: GatewayOptions): Gateway {
  return new SocketGateway(options);
}

class SocketGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #relay: Relay;
  readonly #tunnels: Limit;
  readonly #kubelets = new Map<string, TlsServer>();
  readonly #open = new Set<Duplex>();

  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#tunnels = new Limit(options.tunnelsMax ?? tunnelsMax);
    this.#relay = new Relay({
      log: options.log,
      upstream: new Upstream(options.host),
      streams: new Limit(options.streamsMax ?? streamsMax),
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const { socketPath } = this.#options;
    await rm(socketPath, { force: true });
    const server = this.#server();
    try {
      await this.#serve(server, signal);
    } finally {
      server.close();
      for (const socket of this.#open) socket.destroy();
      await rm(socketPath, { force: true });
    }
  }

  /** Resolves at the abort, rejects when the server fails. */
  #serve(server: Server, signal: AbortSignal): Promise<void> {
    const { socketPath, log } = this.#options;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
      server.on('error', (cause) =>
        reject(new Error(`Could not serve the egress of the virtual API server on ${socketPath}`, { cause })),
      );
      server.listen(socketPath, () => {
        log.info({ socketPath }, 'Serving the egress of the virtual API server');
        // Its own user and group: the two containers of the pod that share the folder.
        chmod(socketPath, 0o660).catch(reject);
      });
    });
  }

  #server(): Server {
    const server = createServer();
    server.maxConnections = connectionsMax;
    server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
    server.on('request', (_, response) => say(response, 405, 'This is an egress proxy: only CONNECT is served.'));
    server.on('connect', ({ url = '' }, socket, head) => this.#connect(url, socket, head));
    return server;
  }

  #connect(url: string, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const target = parseAuthority(url);
    const { view } = this.#options;
    if (target !== undefined && view.isNodeAddress(target.address)) {
      if (target.port !== kubeletPort) return this.#refuse(url, socket);
      return this.#toKubelet(target.address, socket, head);
    }
    if (target === undefined || !this.#mayDial(target)) return this.#refuse(url, socket);
    void this.#dial(target, socket, head);
  }

  #mayDial({ address, port }: Authority): boolean {
    const { view } = this.#options;
    return !isNeverDialled(address) && (view.serviceTarget(address, port) || view.podAddress(address));
  }

  #refuse(target: string, socket: Duplex): void {
    this.#options.log.warn({ target }, 'Refused to dial what is no service, pod or node of this virtual cluster');
    answerConnect(socket, 403, 'No address of a Service, running pod or node of this virtual cluster');
  }

  #toKubelet(address: string, socket: Duplex, head: Buffer): void {
    socket.write('HTTP/1.1 200 OK\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    this.#kubeletOf(address).emit('connection', socket);
  }

  /** One server per address, so that a request knows its node. Kept as long as there is such a node. */
  #kubeletOf(address: string): TlsServer {
    const known = this.#kubelets.get(address);
    if (known !== undefined) return known;
    for (const other of this.#kubelets.keys()) {
      if (!this.#options.view.isNodeAddress(other)) this.#kubelets.delete(other);
    }
    const kubelet = createKubelet(address, this.#options, this.#relay);
    this.#kubelets.set(address, kubelet);
    return kubelet;
  }

  async #dial(target: Authority, socket: Duplex, head: Buffer): Promise<void> {
    const release = this.#tunnels.take();
    if (release === undefined) return answerConnect(socket, 503, `${this.#tunnels.max} connections are open, the most`);
    try {
      await tunnel(socket, head, target);
    } finally {
      release();
    }
  }
}
