import { once } from 'node:events';
import { connect, performServerHandshake } from 'node:http2';
import type { ClientHttp2Session, ClientHttp2Stream, ServerHttp2Stream } from 'node:http2';
import { Duplex } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { chunksOf } from './chunks.ts';

/** Two ends of a connection on which what the server says is held back until it is let through, in one piece. */
class HeldLine {
  readonly client: Duplex;
  readonly server: Duplex;
  #held: Buffer[] = [];
  #isOpen = true;

  constructor() {
    this.client = end((chunk) => this.server.push(chunk));
    this.server = end((chunk) => this.#take(chunk));
  }

  hold(): void {
    this.#isOpen = false;
  }

  letThrough(): void {
    this.#isOpen = true;
    const held = Buffer.concat(this.#held);
    this.#held = [];
    this.client.push(held);
  }

  #take(chunk: Buffer): void {
    if (this.#isOpen) this.client.push(chunk);
    else this.#held.push(chunk);
  }
}

function end(said: (chunk: Buffer) => void): Duplex {
  return new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, done) => {
      said(chunk);
      done();
    },
  });
}

let line: HeldLine;
let session: ClientHttp2Session;

async function exchange(): Promise<[asked: ClientHttp2Stream, answering: ServerHttp2Stream]> {
  line = new HeldLine();
  const server = performServerHandshake(line.server);
  session = connect('http://test', { createConnection: () => line.client });
  const asked = session.request();
  asked.on('error', () => {});
  const [answering] = (await once(server, 'stream')) as [ServerHttp2Stream];
  answering.on('error', () => {});
  return [asked, answering];
}

afterEach(() => session.destroy());

async function textOf(stream: ClientHttp2Stream): Promise<string> {
  let text = '';
  for await (const chunk of chunksOf(stream)) text += chunk.toString();
  return text;
}

test('an answer whose end has come before anybody reads is read whole [F25]', async () => {
  const [asked, answering] = await exchange();
  line.hold();
  answering.respond({ ':status': 200 });
  answering.end('all of it');
  await once(answering, 'close');
  const response = once(asked, 'response');
  line.letThrough();
  await response;
  expect(asked.closed).toBe(true);
  expect(await textOf(asked)).toBe('all of it');
});

test('what comes later is waited for', async () => {
  const [asked, answering] = await exchange();
  answering.respond({ ':status': 200 });
  const chunks = chunksOf(asked);
  const first = chunks.next();
  answering.write('a');
  expect(await first).toEqual({ done: false, value: Buffer.from('a') });
  const second = chunks.next();
  answering.end('b');
  expect(await second).toEqual({ done: false, value: Buffer.from('b') });
  expect(await chunks.next()).toEqual({ done: true, value: undefined });
});

test('a stream whose connection breaks fails', async () => {
  const [asked, answering] = await exchange();
  answering.respond({ ':status': 200 });
  answering.write('half');
  const chunks = chunksOf(asked);
  await chunks.next();
  line.client.destroy();
  await expect(chunks.next()).rejects.toThrow('closed in the middle');
});

test('a stream that is destroyed fails with the reason, whoever waits for it', async () => {
  const [asked] = await exchange();
  const waiting = chunksOf(asked).next();
  asked.destroy(new Error('idle for too long'));
  await expect(waiting).rejects.toThrow('idle for too long');
});

test('leaving early leaves the stream as it is', async () => {
  const [asked, answering] = await exchange();
  answering.respond({ ':status': 200 });
  answering.write('a');
  for await (const chunk of chunksOf(asked)) if (chunk.length > 0) break;
  expect(asked.destroyed).toBe(false);
  expect(asked.listenerCount('readable')).toBe(0);
});
