/**
 * The kubelet endpoint of one node (spec §17): HTTP/1.1 over TLS, for the virtual API server alone, which shows the client
 * certificate it has for kubelets. Requests about pods go on to the host API server, which does the work; nothing here knows
 * what SPDY or WebSocket frames mean.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { refuse } from './options.ts';
import type { GatewayOptions, Refusal } from './options.ts';
import type { Relay, Upgrade } from './relay.ts';
import { say, sayRaw } from './reply.ts';
import { resolve } from './resolve.ts';
import type { Resolved } from './resolve.ts';
import { routeOf } from './routes.ts';
import type { PodRoute, Route } from './routes.ts';

/** Who the virtual API server is towards kubelets; any other certificate of the same CA is refused. */
const clientName = 'kube-apiserver-kubelet-client';

/** Commands travel in the URL; API servers take a megabyte of head, so nothing shorter may stop them here. */
const headBytesMax = 1024 * 1024;
/** Longer than Go's clients keep idle connections, so that it is never this side that closes under a request. */
const keepAliveMs = 120_000;

/** Serves connections handed to it with `emit('connection', socket)`; it does not listen by itself. */
export function createKubelet(nodeAddress: string, options: GatewayOptions, relay: Relay): Server {
  const kubelet = new Kubelet(nodeAddress, options, relay);
  const server = createServer({
    ...options.serverCertificate,
    ca: options.kubeletClientCa,
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: ['http/1.1'],
    maxHeaderSize: headBytesMax,
    keepAliveTimeout: keepAliveMs,
  });
  const broke = (socket: Duplex, error: unknown): void => {
    options.log.error({ nodeAddress, error: String(error) }, 'A request at the kubelet endpoint failed');
    socket.destroy();
  };
  server.on('request', (request, response) => {
    kubelet.answer(request, response).catch((error: unknown) => broke(request.socket, error));
  });
  server.on('upgrade', (request, socket, head) => {
    kubelet.upgrade({ request, socket, head }).catch((error: unknown) => broke(socket, error));
  });
  server.on('tlsClientError', (error) =>
    options.log.warn({ nodeAddress, error: error.message }, 'Refused a connection to the kubelet endpoint'),
  );
  return server;
}

class Kubelet {
  readonly #nodeAddress: string;
  readonly #options: GatewayOptions;
  readonly #relay: Relay;

  constructor(nodeAddress: string, options: GatewayOptions, relay: Relay) {
    this.#nodeAddress = nodeAddress;
    this.#options = options;
    this.#relay = relay;
  }

  /** Everything but upgrades: logs, the pods of the node, health. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = this.#route(request);
    switch (route.is) {
      case 'healthz':
        return say(response, 200, 'ok');
      case 'pods':
        return this.#pods(response);
      case 'refused':
        return say(response, route.status, route.message);
      case 'pod':
        return await this.#logs(route, response);
      default:
        return route satisfies never;
    }
  }

  /** exec, attach and port-forward. */
  async upgrade(upgrade: Upgrade): Promise<void> {
    upgrade.socket.on('error', () => upgrade.socket.destroy());
    const found = this.#upgradeTarget(upgrade.request);
    if (found.is === 'refused') return sayRaw(upgrade.socket, found);
    await this.#relay.session(found, upgrade);
  }

  #route(request: IncomingMessage): Route {
    const peer = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate() : undefined;
    const name = peer?.subject?.CN;
    if (name === clientName) return routeOf({ method: request.method ?? '', target: request.url ?? '' });
    this.#options.log.warn({ name }, 'Refused a client that is not the virtual API server');
    return refuse(401, 'Only the API server of the virtual cluster may speak to its nodes.');
  }

  #resolve(route: PodRoute): Resolved | Refusal {
    const { view, host } = this.#options;
    return resolve(route, view, { nodeAddress: this.#nodeAddress, hostNamespace: host.namespace });
  }

  async #logs(route: PodRoute, response: ServerResponse): Promise<void> {
    if (route.subresource !== 'log') return say(response, 400, `Upgrade request required for ${route.subresource}.`);
    const found = this.#resolve(route);
    if (found.is === 'refused') return say(response, found.status, found.message);
    await this.#relay.logs(found, response);
  }

  #upgradeTarget(request: IncomingMessage): Resolved | Refusal {
    const route = this.#route(request);
    if (route.is === 'refused') return route;
    if (route.is !== 'pod' || route.subresource === 'log') return refuse(400, 'No upgrade is possible here.');
    if (request.method === 'GET' && this.#options.upgradesByGet !== true) {
      return refuse(403, 'Upgrades are taken by POST only: with GET, a right to read would be enough to run commands.');
    }
    return badUpgrade(request) ?? this.#resolve(route);
  }

  #pods(response: ServerResponse): void {
    const { view } = this.#options;
    const node = view.nodeNameOfAddress(this.#nodeAddress);
    if (node === undefined) return say(response, 404, 'This node is no longer part of the virtual cluster.');
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items: view.podsOnNode(node) }));
  }
}

/** Nothing but a plain upgrade to a protocol of Kubernetes may reach the host (fault F67). */
function badUpgrade({ headers }: IncomingMessage): Refusal | undefined {
  const protocol = headers.upgrade?.toLowerCase() ?? '';
  if (!['spdy/3.1', 'websocket'].includes(protocol)) return refuse(400, 'Upgrades go to SPDY/3.1 or websocket only.');
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;
  return hasBody ? refuse(400, 'A request for an upgrade cannot have a body.') : undefined;
}
