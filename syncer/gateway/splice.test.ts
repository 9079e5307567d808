import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { splice } from './splice.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Both ends of a connection on this machine. */
async function pair(): Promise<[Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted: Promise<Socket> = once(server, 'connection').then(([socket]) => socket);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const near = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const far = await accepted;
  server.close();
  cleanups.push(
    () => near.destroy(),
    () => far.destroy(),
  );
  return [near, far];
}

/** All that arrives until the other side ends; unlike a stream consumer it leaves this side open for writing. */
async function buffer(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(socket, 'end');
  return Buffer.concat(chunks);
}

async function text(socket: Socket): Promise<string> {
  return (await buffer(socket)).toString();
}

/** client ── left ═ right ── service, with left and right joined. */
async function joined(): Promise<{
  client: Socket;
  service: Socket;
  left: Socket;
  right: Socket;
  over: Promise<void>;
}> {
  const [[client, left], [right, service]] = await Promise.all([pair(), pair()]);
  return { client, service, left, right, over: splice(left, right) };
}

describe('splice() [KUB-10]', () => {
  test('passes on bytes in both directions and each end by itself', async () => {
    const { client, service, over } = await joined();
    client.end('question');
    expect(await text(service)).toBe('question');
    service.end('answer after the end of the question');
    expect(await text(client)).toBe('answer after the end of the question');
    await over;
  });

  test('loses nothing of much that is read slowly', async () => {
    const { client, service, over } = await joined();
    const sent = Buffer.alloc(8 * 1024 * 1024, 'abcdefg');
    service.end(sent);
    await new Promise((resolve) => setTimeout(resolve, 50));
    const received = await buffer(client);
    expect(received.equals(sent)).toBe(true);
    client.end();
    await over;
  });

  test('a reset on one side closes the other', async () => {
    const { client, service, over } = await joined();
    client.resetAndDestroy();
    expect(await text(service)).toBe('');
    await over;
  });

  test('a side that is gone already closes the other', async () => {
    const [[, left], [right, service]] = await Promise.all([pair(), pair()]);
    left.destroy();
    await once(left, 'close');
    await splice(left, right);
    expect(await text(service)).toBe('');
    expect(right.destroyed).toBe(true);
  });
});
