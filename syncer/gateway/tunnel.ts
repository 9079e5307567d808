/** A dialled connection behind a CONNECT request. Who may be dialled has been decided before (gateway.ts). */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Authority } from './address.ts';
import { splice } from './splice.ts';

const connectTimeoutMs = 10_000;

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused: nothing listens on that port',
  ECONNRESET: 'Connection reset while connecting',
  EHOSTUNREACH: 'No route to that address from the pod of the virtual cluster',
  ENETUNREACH: 'No route to that address from the pod of the virtual cluster',
  ETIMEDOUT: 'No answer to the connection attempt; a NetworkPolicy may be in the way',
};

/** Dials and joins; resolves when both sides are closed. Never rejects: a dial that fails is answered with why. */
export async function tunnel(client: Duplex, head: Buffer, target: Authority): Promise<void> {
  const dialled = await dial(target);
  if (typeof dialled === 'string') return answerConnect(client, 502, dialled);
  if (client.destroyed) return void dialled.destroy();
  client.write('HTTP/1.1 200 OK\r\n\r\n');
  if (head.length > 0) dialled.write(head);
  await splice(client, dialled);
}

/** The virtual API server shows the reason phrase to the person who made the request, so that is where the message goes. */
export function answerConnect(client: Duplex, status: number, reason: string): void {
  client.end(`HTTP/1.1 ${status} ${reason}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`, () => client.destroy());
}

function dial({ address, port }: Authority): Promise<Socket | string> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, allowHalfOpen: true });
    const fail = (code: string): void => {
      socket.destroy();
      resolve(reasons[code] ?? `Could not connect: ${code}`);
    };
    socket.setTimeout(connectTimeoutMs, () => fail('ETIMEDOUT'));
    socket.on('error', (error: NodeJS.ErrnoException) => fail(error.code ?? 'unknown error'));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout');
      resolve(socket);
    });
  });
}
