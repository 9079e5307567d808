/**
 * Free TCP ports below the range that the kernel hands out by itself, so that a server which is stopped for a while
 * finds its port free again. Ports given out once are not given out again by the same process.
 */
import { createServer } from 'node:net';

const lowest = 20_000;
const highest = 29_999;
const given = new Set<number>();

/** Finds free ports on an address. */
export async function freePorts(count: number, address: string): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest + 1));
    if (given.has(port) || !(await isFree(port, address))) continue;
    given.add(port);
    ports.push(port);
  }
  return ports;
}

/** Whether nothing listens on a port of an address, nor on that port of all addresses. */
export function isFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}
