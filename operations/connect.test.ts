/** A host that takes connections and says nothing keeps nobody for longer than they have. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect } from './connect.ts';
import { AbortedError } from './errors.ts';
import { HostUnreachableError } from './host-errors.ts';
import { openHost } from './host.ts';
import type { Host } from './host.ts';

const ref = { namespace: 'team', name: 'team-a' };

let silent: Server;
let host: Host;
const sockets: Socket[] = [];

describe('connect() to a host that hangs', () => {
  beforeAll(async () => {
    silent = createServer((socket) => sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    host = await openHost({ explicit: { server, token: 'x', insecure: true } });
  });

  afterAll(() => {
    host.close();
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  test('gives up with its own timeout', async () => {
    const connecting = connect(host, ref, { timeoutMs: 50 });
    await expect(connecting).rejects.toThrow(HostUnreachableError);
    await expect(connecting).rejects.toThrow(/no answer within 0\.0\d+ s/);
  });

  test('stops when it is told to', async () => {
    const stop = new AbortController();
    const connecting = connect(host, ref, { timeoutMs: 3_600_000, signal: stop.signal });
    void once(silent, 'connection').then(() => stop.abort());
    await expect(connecting).rejects.toThrow(AbortedError);
  });
});
