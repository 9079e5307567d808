/**
 * One TCP connection of the syncer, joined to the proxy's own TLS server behind it. It is what can be frozen, as by a network that
 * drops every packet, or reset: TLS and HTTP/2 could do neither.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

export class Wire {
  readonly #client: Socket;
  readonly #inner: Socket;
  #frozen = false;

  private constructor(client: Socket, inner: Socket) {
    this.#client = client;
    this.#inner = inner;
  }

  /** `ready` is called with the port by which the inner server sees it, before the first byte is passed on. */
  static join(client: Socket, innerPort: number, ready: (wire: Wire, port: number) => void): void {
    const inner = connect(innerPort, '127.0.0.1');
    const wire = new Wire(client, inner);
    for (const socket of [client, inner]) {
      socket.setNoDelay(true);
      socket.on('error', () => wire.reset());
    }
    inner.once('connect', () => {
      ready(wire, inner.localPort ?? 0);
      client.pipe(inner);
      inner.pipe(client);
    });
    client.once('close', () => inner.destroy());
    inner.once('close', () => {
      if (!wire.#frozen) client.destroy();
    });
  }

  /** Once the syncer's end is closed, whoever closed it. */
  whenClosed(call: () => void): void {
    if (this.#client.destroyed) call();
    else this.#client.once('close', call);
  }

  /** From now on nothing gets through and nothing ends. */
  freeze(): void {
    this.#frozen = true;
    this.#client.unpipe();
    this.#inner.unpipe();
    this.#client.pause();
    this.#inner.pause();
  }

  thaw(): void {
    this.#frozen = false;
    this.#client.pipe(this.#inner);
    this.#inner.pipe(this.#client);
  }

  /** A TCP reset towards the syncer. What was written before it is on its way already. */
  reset(): void {
    this.#client.resetAndDestroy();
    this.#inner.destroy();
  }
}
