/** The gRPC server through a real HTTP/2 client on a real socket: framing, statuses, deadlines, cancellation, who is let in. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, constants } from 'node:http2';
import type { ClientHttp2Session, IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { answerOf, call, framed, open } from '../../test/support/grpc-client.ts';
import type { Answer } from '../../test/support/grpc-client.ts';
import { makeServerCertificate } from './certificate.ts';
import type { ServerCertificate } from './certificate.ts';
import { GrpcServer } from './grpc-server.ts';
import type { Route } from './grpc-server.ts';
import { encodeMessage, GrpcError, statusCodes, timeoutMsOf } from './grpc-status.ts';
import { createLog } from './log.ts';
import { Secrets } from './secrets.ts';
import type { Call } from './service.ts';

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

interface Running {
  readonly socket: string;
  readonly server: GrpcServer;
  readonly client: ClientHttp2Session;
  readonly lines: string[];
  readonly secrets: Secrets;
}

async function start(routes: Readonly<Record<string, Route>>, own?: ServerCertificate): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), 'grpc-test-'));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const lines: string[] = [];
  const secrets = new Secrets();
  const log = createLog({ level: 'debug', secrets, write: (line) => lines.push(line) });
  const paths = new Map(Object.entries(routes).map(([method, route]) => [`/t.S/${method}`, route]));
  const tls = own && { ...own, clientCertificate: own.certificate, clientDer: own.der };
  const server = new GrpcServer({ routes: paths, log, secrets, tls });
  const socket = join(folder, 's');
  await server.listen({ socket });
  undo.push(() => server.close(0));
  const client = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  client.on('error', () => undefined);
  undo.push(() => client.destroy());
  return { socket, server, client, lines, secrets };
}

const echo: Route = { is: 'unary', answer: (request) => request };
const text = (answer: Answer): string => Buffer.concat([...answer.messages]).toString();

/** A route that stays unanswered, and how its call ended. */
function hanging(): { readonly route: Route; readonly begun: Promise<Call>; readonly ended: Promise<unknown> } {
  const begun = Promise.withResolvers<Call>();
  const ended = Promise.withResolvers<unknown>();
  const route: Route = {
    is: 'unary',
    answer: (_, opened) => {
      opened.signal.addEventListener('abort', () => ended.resolve(opened.signal.reason));
      begun.resolve(opened);
      return new Promise(() => undefined);
    },
  };
  return { route, begun: begun.promise, ended: ended.promise };
}

describe('calls', () => {
  test('one request, one answer, status ok; also for an empty message', async () => {
    const { client } = await start({ Echo: echo });
    expect(text(await call(client, '/t.S/Echo', Buffer.from('hello')))).toBe('hello');
    const empty = await call(client, '/t.S/Echo', new Uint8Array(0));
    expect(empty.status).toBe(0);
    expect(empty.messages.map(({ length }) => length)).toEqual([0]);
  });

  test('a message that comes a byte at a time is put together', async () => {
    const { client } = await start({ Echo: echo });
    const stream = open(client, '/t.S/Echo');
    for (const byte of framed(Buffer.from('slow'))) stream.write(Buffer.of(byte));
    stream.end();
    expect(text(await answerOf(stream))).toBe('slow');
  });

  test('messages of tens of megabytes pass in both directions', async () => {
    const { client } = await start({ Echo: echo });
    const big = randomBytes(24 * 1024 * 1024);
    const { messages } = await call(client, '/t.S/Echo', big);
    expect(big.equals(messages[0] ?? new Uint8Array(0))).toBe(true);
  });

  test('a hundred calls at once are answered each with its own', async () => {
    const gate = Promise.withResolvers<void>();
    let waiting = 0;
    const answer = async (request: Uint8Array): Promise<Uint8Array> => {
      waiting += 1;
      if (waiting === 100) gate.resolve();
      await gate.promise;
      return request;
    };
    const { client } = await start({ Wait: { is: 'unary', answer } });
    const numbers = Array.from({ length: 100 }, (_, index) => String(index));
    const answers = await Promise.all(numbers.map((number) => call(client, '/t.S/Wait', Buffer.from(number))));
    expect(answers.map(text)).toEqual(numbers);
  });

  test('an unknown path is unimplemented, another content type is 415, and the connection goes on', async () => {
    const { client } = await start({ Echo: echo });
    expect(await call(client, '/t.S/Nothing', Buffer.from('x'))).toMatchObject({ status: statusCodes.unimplemented });
    const other = client.request({ ':method': 'POST', ':path': '/t.S/Echo', 'content-type': 'application/json' });
    const status = new Promise((resolve) => other.on('response', (headers) => resolve(headers[':status'])));
    other.on('error', () => undefined).end();
    expect(await status).toBe(415);
    expect(text(await call(client, '/t.S/Echo', Buffer.from('still')))).toBe('still');
  });
});

describe('requests that are wrong', () => {
  test.each<[string, Uint8Array, number, RegExp]>([
    ['a compressed message', Buffer.of(1, 0, 0, 0, 1, 65), statusCodes.unimplemented, /[Cc]ompressed/],
    ['no message', new Uint8Array(0), statusCodes.internal, /one message, but 0/],
    ['two messages', Buffer.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0), statusCodes.internal, /one message, but 2/],
    ['half a message', Buffer.of(0, 0, 0, 0, 9, 65), statusCodes.internal, /one message, but 0/],
    ['300 MiB announced', Buffer.of(0, 0x12, 0xc0, 0, 0, 1), statusCodes.resourceExhausted, /314572800 bytes/],
  ])('%s is refused, and the next call is answered', async (_, sent, status, message) => {
    const { client } = await start({ Echo: echo });
    const stream = open(client, '/t.S/Echo');
    stream.end(sent);
    const answer = await answerOf(stream);
    expect(answer.status).toBe(status);
    expect(answer.message).toMatch(message);
    expect(text(await call(client, '/t.S/Echo', Buffer.from('next')))).toBe('next');
  });

  test('a message that is too big is refused before it was sent, and is not collected', async () => {
    const { client } = await start({ Echo: echo });
    const stream = open(client, '/t.S/Echo');
    stream.write(Buffer.of(0, 0x12, 0xc0, 0, 0));
    expect((await answerOf(stream)).status).toBe(statusCodes.resourceExhausted);
  });
});

describe('handlers that fail', () => {
  test('an error becomes a status with its message, in any script, and without secrets', async () => {
    const routes: Record<string, Route> = {
      Throws: {
        is: 'unary',
        answer: () => {
          throw new Error('100 % « ungültig »\nfor tok-12345678 \u{1f600}');
        },
      },
      Rejects: { is: 'unary', answer: () => Promise.reject(new GrpcError('invalidArgument', 'no')) },
      Odd: { is: 'unary', answer: () => Promise.reject('text') },
    };
    const { client, lines, secrets } = await start(routes);
    secrets.add('tok-12345678');
    const thrown = await call(client, '/t.S/Throws', Buffer.of());
    expect(thrown).toMatchObject({
      status: statusCodes.internal,
      message: '100 % « ungültig »\nfor [secret] \u{1f600}',
    });
    expect(await call(client, '/t.S/Rejects', Buffer.of())).toMatchObject({
      status: statusCodes.invalidArgument,
      message: 'no',
    });
    expect(await call(client, '/t.S/Odd', Buffer.of())).toMatchObject({
      status: statusCodes.internal,
      message: 'text',
    });
    expect(lines.join('')).toContain('An RPC has failed');
    expect(lines.join('')).not.toContain('tok-12345678');
  });

  test('a message of a megabyte is cut and still arrives', async () => {
    const answer = (): Promise<Uint8Array> => Promise.reject(new Error('é'.repeat(500_000)));
    const { client } = await start({ Long: { is: 'unary', answer } });
    const stream = open(client, '/t.S/Long');
    const headers = new Promise<IncomingHttpHeaders>((resolve) => stream.on('response', resolve));
    stream.end(framed(Buffer.of()));
    expect((await headers)['grpc-status']).toBe('13');
  });
});

describe('calls that nobody waits for', () => {
  test('a reset by the client aborts the signal, and the others go on', async () => {
    const { route, begun, ended } = hanging();
    const { client } = await start({ Hang: route, Echo: echo });
    const stream = open(client, '/t.S/Hang');
    stream.on('error', () => undefined);
    stream.end(framed(Buffer.of()));
    expect((await begun).signal.aborted).toBe(false);
    stream.close(constants.NGHTTP2_CANCEL);
    expect(await ended).toMatchObject({ status: 'cancelled' });
    expect(text(await call(client, '/t.S/Echo', Buffer.from('on')))).toBe('on');
  });

  test('a connection that goes aborts the signal', async () => {
    const { route, begun, ended } = hanging();
    const { client } = await start({ Hang: route });
    open(client, '/t.S/Hang')
      .on('error', () => undefined)
      .end(framed(Buffer.of()));
    await begun;
    client.destroy();
    expect(await ended).toMatchObject({ status: 'cancelled' });
  });

  test('a deadline ends the call and aborts the signal', async () => {
    const { route, ended } = hanging();
    const { client } = await start({ Hang: route });
    const answer = await call(client, '/t.S/Hang', Buffer.of(), { 'grpc-timeout': '1S' });
    expect(answer).toMatchObject({ status: statusCodes.deadlineExceeded });
    expect(await ended).toMatchObject({ status: 'deadlineExceeded' });
  });

  test('an answered call is never aborted later', async () => {
    const opened = Promise.withResolvers<Call>();
    const answer = (request: Uint8Array, each: Call): Uint8Array => {
      opened.resolve(each);
      return request;
    };
    const { client, server } = await start({ Note: { is: 'unary', answer } });
    await call(client, '/t.S/Note', Buffer.of(), { 'grpc-timeout': '1H' });
    const { signal } = await opened.promise;
    client.destroy();
    await server.close(0);
    expect(signal.aborted).toBe(false);
  });

  test('close() tells handlers to end, waits for them, and still delivers what they answer', async () => {
    const begun = Promise.withResolvers<void>();
    const told = Promise.withResolvers<unknown>();
    const cleaned = Promise.withResolvers<void>();
    const answer = async (_: Uint8Array, { signal }: Call): Promise<Uint8Array> => {
      signal.addEventListener('abort', () => told.resolve(signal.reason));
      begun.resolve();
      await cleaned.promise;
      return Buffer.from('half made');
    };
    const { client, server } = await start({ Clean: { is: 'unary', answer } });
    const answered = call(client, '/t.S/Clean', Buffer.of());
    await begun.promise;
    const closed = server.close(20_000);
    expect(await told.promise).toMatchObject({ status: 'unavailable' });
    cleaned.resolve();
    const answerOfIt = await answered;
    expect([answerOfIt.status, text(answerOfIt)]).toEqual([0, 'half made']);
    await closed;
  });

  test('close() does not wait for a connection that never said anything', async () => {
    const own = makeServerCertificate();
    const { server, socket } = await start({ Echo: echo }, own);
    const silent = connectSocket(socket);
    const gone = new Promise((resolve) => silent.on('error', () => undefined).once('close', () => resolve('gone')));
    // Connections are taken in their order: when a later one has shaken hands, this one is there.
    const identity = { ca: own.certificate, cert: own.certificate, key: own.key, servername: 'localhost' };
    const later = connectTls({ ...identity, socket: connectSocket(socket), ALPNProtocols: ['h2'] });
    undo.push(() => later.destroy());
    await new Promise((resolve, reject) => later.once('secureConnect', resolve).on('error', reject));
    await server.close(0);
    expect(await gone).toBe('gone');
  });

  test('close() ends what is being answered as unavailable, and held streams as ok', async () => {
    const { route, begun, ended } = hanging();
    const first = Buffer.from('first');
    const { client, server } = await start({ Hang: route, Held: { is: 'held', first } });
    const held = open(client, '/t.S/Held');
    const heldAnswer = answerOf(held);
    held.end(framed(Buffer.of()));
    await new Promise((resolve) => held.once('data', resolve));
    const hangs = call(client, '/t.S/Hang', Buffer.of());
    await begun;
    await server.close(50);
    expect(await ended).toMatchObject({ status: 'unavailable' });
    expect(await hangs).toMatchObject({ status: statusCodes.unavailable });
    expect(await heldAnswer).toMatchObject({ status: 0, messages: [first] });
  });
});

describe('headers', () => {
  test('a message is percent-encoded but for printable ASCII', () => {
    expect(encodeMessage('a b%c\n~ü')).toBe('a b%25c%0A~%C3%BC');
  });

  test.each([
    ['100m', 100],
    ['2S', 2000],
    ['3M', 180_000],
    ['1H', 3_600_000],
    ['500u', 0.5],
    ['5', undefined],
    ['123456789S', undefined],
    [undefined, undefined],
  ])('grpc-timeout %s is %s ms', (header, timeoutMs) => {
    expect(timeoutMsOf(header)).toBe(timeoutMs);
  });
});
