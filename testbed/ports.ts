/**
 * Free TCP ports below the range that the kernel hands out by itself, so that a server which is stopped for a while
 * finds its port free again. A port given out is given out no more, by any process, for as long as this one lives: between
 * the choice and the moment when a program listens there it looks as free as any other.
 */
import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';
import { createServer } from 'node:net';

const lowest = 20_000;
const highest = 29_999;
/** A UDP port of the same number each, which nothing here serves: the kernel gives it to one process, and takes it back at its end. */
const claims: Socket[] = [];

/** Finds free ports on an address. */
export async function freePorts(count: number, address: string): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    // In this order: to look whether a port is free is to listen there for a moment, which could be in somebody's way.
    const claim = await tryClaim(port);
    if (claim === undefined) continue;
    if (await isFree(port, address)) {
      claims.push(claim);
      ports.push(port);
    } else {
      claim.close();
    }
  }
  return ports;
}

/** Takes a number for this process. @returns undefined when another one has it, or this one already */
export function tryClaim(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').unref();
    socket.once('error', () => {
      socket.close();
      resolve(undefined);
    });
    socket.bind({ port, address: '127.0.0.1', exclusive: true }, () => resolve(socket));
  });
}

/** Whether nothing listens on a port of an address, nor on that port of all addresses. */
export function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
