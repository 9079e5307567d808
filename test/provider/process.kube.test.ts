/**
 * The life of a provider's process without any Terraform: what it says to a person, which signals end it, whom it lets in, and that
 * nothing is left behind.
 */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { makeServerCertificate } from '../../provider/wire/certificate.ts';
import { Codec } from '../../provider/wire/protobuf.ts';
import { enums, messages } from '../../provider/wire/tfplugin6.ts';
import type { Messages } from '../../provider/wire/tfplugin6.ts';
import { eventually, until } from '../support/eventually.ts';
import { call, framed, open } from '../support/grpc-client.ts';
import { isRunning } from './toy-program.ts';

const codec = new Codec<Messages>(messages, enums);
const program = join(import.meta.dirname, 'toy-main.ts');
const cookie = { TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2' };
const client = makeServerCertificate();
const empty = new Uint8Array(0);

let folder = '';
const undo: (() => unknown)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'toy-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
});

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

interface Child {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<number | null>;
}

function startProgram(env: Readonly<Record<string, string>>, args: readonly string[] = []): Child {
  const child = spawn(process.execPath, [program, ...args], {
    env: { PATH: process.env['PATH'], TMPDIR: folder, ...env },
  });
  undo.push(() => child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, stdout: () => stdout, stderr: () => stderr, exited };
}

interface Served extends Child {
  readonly socket: string;
  /** PEM of the server's certificate; empty when it does not encrypt. */
  readonly certificate: string;
}

/** Started as Terraform does, with everything it waits for. */
async function serve(env: Readonly<Record<string, string>> = {}): Promise<Served> {
  const started = startProgram({ ...cookie, PLUGIN_PROTOCOL_VERSIONS: '5,6', ...env });
  const line = await eventually('the handshake', async () => /^(.*)\n/.exec(started.stdout())?.[1], 50_000);
  const [core, version, network, socket = '', protocol, der = ''] = line.split('|');
  expect([core, version, network, protocol]).toEqual(['1', '6', 'unix', 'grpc']);
  const certificate = der && new X509Certificate(Buffer.from(der, 'base64')).toString();
  return { ...started, socket, certificate };
}

function plainSession(socket: string): ClientHttp2Session {
  const session = connect('http://localhost', { createConnection: () => connectSocket(socket) });
  session.on('error', () => undefined);
  undo.push(() => session.destroy());
  return session;
}

async function schemaOver(session: ClientHttp2Session): Promise<readonly string[]> {
  const answer = await call(session, '/tfplugin6.Provider/GetProviderSchema', empty);
  return Object.keys(codec.decode('GetProviderSchemaResponse', answer.messages[0] ?? empty).resourceSchemas);
}

describe('a person who starts it', () => {
  test('is told what it is and what to write; nothing is on standard output', async () => {
    const { exited, stdout, stderr } = startProgram({});
    expect(await exited).toBe(1);
    expect(stdout()).toBe('');
    expect(stderr()).toContain('required_providers');
    expect(stderr()).not.toMatch(/^ +at /m);
  });

  test('with --debug gets the variable, may call it, and ends it by Ctrl-C', async () => {
    const { child, exited, stdout } = startProgram({}, ['--debug']);
    const value = await eventually(
      'the variable',
      async () => /^TF_REATTACH_PROVIDERS='(.*)'$/m.exec(stdout())?.[1],
      50_000,
    );
    const { Addr, Pid } = (JSON.parse(value) as Record<string, { Addr: { String: string }; Pid: number }>)[
      'registry.terraform.io/test/toy'
    ] ?? { Addr: { String: '' }, Pid: 0 };
    expect(Pid).toBe(child.pid);
    expect(await schemaOver(plainSession(Addr.String))).toEqual(['toy_box']);
    child.kill('SIGINT');
    expect(await exited).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });
});

describe('a served process', () => {
  test('has its socket where only its user can go, in the folder that the parent wants', async () => {
    const wanted = join(folder, 'wanted');
    await mkdir(wanted);
    const { socket } = await serve({ PLUGIN_UNIX_SOCKET_DIR: wanted });
    expect(dirname(dirname(socket))).toBe(wanted);
    expect((await stat(dirname(socket))).mode & 0o777).toBe(0o700);
  });

  test('listens in /tmp when the path of its folder is too long for a socket', async () => {
    const long = join(folder, 'x'.repeat(100));
    await mkdir(long);
    const { socket, child, exited } = await serve({ TMPDIR: long });
    expect(dirname(dirname(socket))).toBe('/tmp');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
    expect(existsSync(dirname(socket))).toBe(false);
  });

  test.each(['SIGTERM', 'SIGHUP'] as const)('ends on %s and leaves nothing', async (signal) => {
    const { child, exited } = await serve();
    child.kill(signal);
    expect(await exited).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  test('may be connected to again and again when nothing says who its only client is', async () => {
    const { socket } = await serve();
    const first = plainSession(socket);
    expect(await schemaOver(first)).toEqual(['toy_box']);
    await new Promise((resolve) => first.close(() => resolve(undefined)));
    expect(await schemaOver(plainSession(socket))).toEqual(['toy_box']);
  });

  test('stays on SIGINT, and when standard input ends and standard output is not read any more', async () => {
    const { child, socket, exited } = await serve();
    child.stdin.end();
    child.stdout.destroy();
    child.stderr.destroy();
    child.kill('SIGINT');
    // The answer comes from a process that has had all of this.
    expect(await schemaOver(plainSession(socket))).toEqual(['toy_box']);
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  test('stays when something fails outside of any call, and logs it', async () => {
    const { socket, stderr } = await serve({ TOY_STRAY: 'yes' });
    await until('both lines', async () =>
      /stray exception[^]*stray rejection|stray rejection[^]*stray exception/.test(stderr()),
    );
    expect(await schemaOver(plainSession(socket))).toEqual(['toy_box']);
  });

  test('ends when it is asked to, with an answer, and closes the streams that go-plugin holds', async () => {
    const { socket, exited } = await serve();
    const session = plainSession(socket);
    const held = ['/plugin.GRPCStdio/StreamStdio', '/plugin.GRPCBroker/StartStream'].map((path) => open(session, path));
    for (const stream of held) stream.on('error', () => undefined).write(framed(empty));
    const responses = held.map((stream) => new Promise((resolve) => stream.once('response', resolve)));
    expect(await Promise.all(responses)).toMatchObject([{ ':status': 200 }, { ':status': 200 }]);
    expect(await call(session, '/grpc.health.v1.Health/Check', empty)).toMatchObject({ status: 0 });
    expect(await call(session, '/plugin.GRPCController/Shutdown', empty)).toMatchObject({ status: 0 });
    expect(await exited).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  test('ends when nobody is there to read its handshake: its parent has ended before it', async () => {
    const { child, exited } = startProgram(cookie);
    child.stdout.destroy();
    expect(await exited).toBe(0);
    expect(await readdir(folder)).toEqual([]);
  });

  test.each([
    [
      'another protocol is asked for',
      { PLUGIN_PROTOCOL_VERSIONS: '5' },
      /^This provider speaks version 6 .* Use Terraform/,
    ],
    ['there is no folder for its socket', { TMPDIR: '/nonexistent' }, /^The provider cannot make .* Set TMPDIR/],
  ])('says why it cannot serve on the line that Terraform shows, when %s', async (_, env, words) => {
    const { stdout, exited } = startProgram({ ...cookie, ...env });
    expect(await exited).toBe(1);
    expect(stdout()).toMatch(words);
    expect(stdout().trimEnd()).not.toMatch(/[\n|]/);
  });

  test('ends when its parent is killed, with nobody connected', async () => {
    const script = join(folder, 'parent.sh');
    await writeFile(script, `'${process.execPath}' '${program}' & echo $! > '${folder}/pid'; wait`);
    const env = { PATH: process.env['PATH'], TMPDIR: folder, ...cookie };
    const parent = spawn('sh', [script], { env, stdio: ['ignore', 'pipe', 'ignore'] });
    const line = await new Promise<string>((resolve) => parent.stdout.once('data', (text) => resolve(String(text))));
    const socket = line.split('|')[3] ?? '';
    expect(existsSync(socket)).toBe(true);
    const pid = Number(await readFile(join(folder, 'pid'), 'utf8'));
    parent.kill('SIGKILL');
    await until('the provider to end', async () => !isRunning(pid));
    expect(existsSync(dirname(socket))).toBe(false);
  });
});

describe('with a client certificate', () => {
  async function sessionAs(
    served: Served,
    identity: { readonly certificate: string; readonly key: string },
  ): Promise<ClientHttp2Session> {
    const { certificate: ca, socket } = served;
    const { certificate: cert, key } = identity;
    const session = connect('https://localhost', {
      createConnection: () =>
        connectTls({ socket: connectSocket(socket), servername: 'localhost', ca, cert, key, ALPNProtocols: ['h2'] }),
    });
    session.on('error', () => undefined);
    undo.push(() => session.destroy());
    return session;
  }

  test('the parent is served; another one and one without encryption are not', async () => {
    const served = await serve({ PLUGIN_CLIENT_CERT: client.certificate });
    expect(served.certificate).toContain('BEGIN');
    for (const wrong of [await sessionAs(served, makeServerCertificate()), plainSession(served.socket)]) {
      const status = await call(wrong, '/tfplugin6.Provider/StopProvider', empty).then(
        (answer) => answer.status,
        () => -1,
      );
      expect(status).toBe(-1);
    }
    expect(await schemaOver(await sessionAs(served, client))).toEqual(['toy_box']);
  });

  test('its socket is gone once the parent is connected, so that nothing is left when it is killed', async () => {
    const served = await serve({ PLUGIN_CLIENT_CERT: client.certificate });
    expect(await readdir(folder)).not.toEqual([]);
    const session = await sessionAs(served, client);
    expect(await schemaOver(session)).toEqual(['toy_box']);
    expect(await readdir(folder)).toEqual([]);
    // The connection is as good as before.
    expect(await schemaOver(session)).toEqual(['toy_box']);
    served.child.kill('SIGKILL');
    await served.exited;
    expect(await readdir(folder)).toEqual([]);
  });
});
