/** Who gets as far as a request: only the one client whose certificate the parent has given. Real TLS on a real socket. */
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:http2';
import { connect as connectSocket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import '../../syncer/pki/reflect.ts';
import { call } from '../../test/support/grpc-client.ts';
import { makeServerCertificate } from './certificate.ts';
import type { ServerCertificate } from './certificate.ts';
import { GrpcServer } from './grpc-server.ts';
import { createLog } from './log.ts';
import { Secrets } from './secrets.ts';

const own = makeServerCertificate();
const client = makeServerCertificate();
const requests: string[] = [];
const lines: string[] = [];
const undo: (() => unknown)[] = [];
let socket = '';

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'grpc-test-'));
  const secrets = new Secrets();
  const log = createLog({ level: 'debug', secrets, write: (line) => lines.push(line) });
  const answer = (request: Uint8Array): Uint8Array => {
    requests.push(Buffer.from(request).toString());
    return request;
  };
  const server = new GrpcServer({
    routes: new Map([['/t.S/Echo', { is: 'unary', answer }]]),
    tls: {
      certificate: own.certificate,
      key: own.key,
      clientCertificate: client.certificate,
      clientDer: new X509Certificate(client.certificate).raw,
    },
    log,
    secrets,
  });
  socket = join(folder, 's');
  await server.listen({ socket });
  undo.push(
    () => rmSync(folder, { recursive: true, force: true }),
    () => server.close(0),
  );
});

afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
  requests.splice(0);
  lines.splice(0);
});

type Identity = Partial<Pick<ServerCertificate, 'certificate' | 'key'>>;

/** The status of one call, or why there was no connection. */
async function callAs({ certificate, key }: Identity, trusted = own.certificate): Promise<number | string> {
  const session = connect('https://localhost', {
    createConnection: () =>
      connectTls({
        socket: connectSocket(socket),
        servername: 'localhost',
        ca: trusted,
        ALPNProtocols: ['h2'],
        ...(certificate && key && { cert: certificate, key }),
      }),
  });
  undo.push(() => session.destroy());
  const failed = new Promise<string>((resolve) => {
    session.on('error', (error) => resolve(`refused: ${error.message}`));
    session.on('close', () => resolve('refused: closed'));
  });
  const answered = async (): Promise<number | string> => {
    const { status } = await call(session, '/t.S/Echo', Buffer.from('in'));
    return status === -1 ? failed : status;
  };
  return Promise.race([failed, answered().catch((error: Error) => `refused: ${error.message}`)]);
}

/** What a go-plugin client could make of its certificate, which is allowed to sign others. */
async function signedBy(issuer: ServerCertificate): Promise<Identity> {
  const { X509CertificateGenerator, ExtendedKeyUsageExtension } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const pkcs8 = createPrivateKey(issuer.key).export({ type: 'pkcs8', format: 'der' });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, false, ['sign']);
  const made = await X509CertificateGenerator.create({
    subject: 'CN=other',
    issuer: 'CN=localhost',
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2'])],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return { certificate: made.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${key}\n-----END PRIVATE KEY-----\n` };
}

describe('the server lets in', () => {
  test('the client whose certificate was given', async () => {
    expect(await callAs(client)).toBe(0);
    expect(requests).toEqual(['in']);
  });

  test.each<[string, () => Identity | Promise<Identity>]>([
    ['another certificate', () => makeServerCertificate()],
    ['no certificate', () => ({})],
    ['a certificate that the right one has signed', () => signedBy(client)],
    ["the server's own certificate", () => own],
  ])('nobody with %s; and the right client afterwards', async (_, identity) => {
    expect(await callAs(await identity())).toMatch(/^refused/);
    expect(requests).toEqual([]);
    await expect.poll(() => lines.join('')).toContain('A client was refused');
    expect(await callAs(client)).toBe(0);
  });

  test('nobody who does not encrypt', async () => {
    const plain = connect('http://localhost', { createConnection: () => connectSocket(socket) });
    undo.push(() => plain.destroy());
    plain.on('error', () => undefined);
    const status = await call(plain, '/t.S/Echo', Buffer.from('in')).then(
      (answer) => answer.status,
      () => -1,
    );
    expect(status).toBe(-1);
    expect(requests).toEqual([]);
  });
});

describe('makeServerCertificate()', () => {
  test('is for localhost, signed by itself, valid now and for a year, and another one each time', () => {
    const parsed = new X509Certificate(own.der);
    expect(parsed.checkHost('localhost')).toBe('localhost');
    expect(parsed.verify(parsed.publicKey)).toBe(true);
    expect(parsed.checkIssued(parsed)).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(own.key))).toBe(true);
    expect(new Date(parsed.validFrom).getTime()).toBeLessThan(Date.now());
    expect(new Date(parsed.validTo).getTime()).toBeGreaterThan(Date.now() + 364 * 24 * 3_600_000);
    expect(parsed.serialNumber).not.toBe(new X509Certificate(client.der).serialNumber);
    expect(new X509Certificate(own.certificate).raw.equals(Buffer.from(own.der))).toBe(true);
  });

  test('years from 2050 on have four digits', () => {
    const late = new X509Certificate(makeServerCertificate(new Date('2049-06-01T00:00:00Z')).der);
    expect(late.validFrom).toContain('2049');
    expect(late.validTo).toContain('2050');
  });

  test('a client that trusts another certificate does not connect', async () => {
    expect(await callAs(client, client.certificate)).toMatch(/^refused/);
  });
});
