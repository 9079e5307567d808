/** What ends a question to a server that takes connections and says nothing. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AbortedError } from './errors.ts';
import { reach } from './reach.ts';
import { VirtualApi } from './virtual-api.ts';

const longMs = 3_600_000;

let silent: Server;
let url: string;
const sockets: Socket[] = [];

describe('a server that says nothing', () => {
  beforeAll(async () => {
    silent = createServer((socket) => sockets.push(socket.on('error', () => undefined))).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  });

  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  /** Aborts once the server was reached. */
  async function afterConnecting(): Promise<AbortSignal> {
    const stop = new AbortController();
    void once(silent, 'connection').then(() => stop.abort());
    return stop.signal;
  }

  test('reach() ends with its time, and at once when it is told to stop', async () => {
    expect(await reach({ server: url, ca: '' }, 50)).toEqual({ is: 'silent', why: 'no answer within 0.05 s' });
    const told = { is: 'silent', why: 'it was told to stop' };
    expect(await reach({ server: url, ca: '' }, longMs, await afterConnecting())).toEqual(told);
    expect(await reach({ server: url, ca: '' }, longMs, AbortSignal.abort())).toEqual(told);
  });

  test('so does a request, by the signal of all requests or by its own', async () => {
    const access = { server: new URL(url), insecure: false };
    const asked = { path: '/readyz', timeoutMs: longMs };
    await expect(new VirtualApi(access, 'a', await afterConnecting()).ask(asked)).rejects.toThrow(AbortedError);
    const signal = await afterConnecting();
    await expect(new VirtualApi(access, 'a').ask({ ...asked, signal })).rejects.toThrow(AbortedError);
    await expect(new VirtualApi(access, 'a').ask({ ...asked, timeoutMs: 49.5 })).rejects.toThrow('no answer in time');
  });
});
