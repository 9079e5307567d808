/**
 * The certificate with which this process shows Terraform that it is the one that was started: self-signed, for the name
 * `localhost` that go-plugin asks for, made anew at each start and known to nobody but the parent, who reads it from the handshake.
 *
 * Written in DER by hand, because a library for certificates costs more time at every start than everything else of the
 * handshake together (docs/adr/0017). The key never leaves this process.
 */
import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto';

export interface ServerCertificate {
  readonly der: Uint8Array;
  /** PEM. */
  readonly certificate: string;
  /** PEM. */
  readonly key: string;
}

const hourMs = 3_600_000;
/** Longer than any apply; the process ends long before. */
const lifetimeMs = 365 * 24 * hourMs;

/** Makes a key on P-256 and a certificate for it. */
export function makeServerCertificate(now: Date = new Date()): ServerCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const signed = body(spki, now);
  const signature = sign('sha256', signed, privateKey);
  const der = sequence(signed, ecdsaWithSha256, bitString(signature));
  return { der, certificate: pem(der), key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
}

/** Tags of DER. */
const tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
} as const;

const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02));
const yes = element(tag.boolean, Buffer.of(0xff));
const host = Buffer.from('localhost');

function body(spki: Uint8Array, now: Date): Buffer {
  const name = sequence(element(tag.set, sequence(oid(0x55, 0x04, 0x03), element(tag.utf8, host))));
  return sequence(
    element(tag.version, element(tag.integer, Buffer.of(2))),
    // Positive and of constant length.
    element(tag.integer, Buffer.concat([Buffer.of(0x40), randomBytes(15)])),
    ecdsaWithSha256,
    name,
    // Clocks of parent and child are the same, but may be set in between.
    sequence(time(now.getTime() - hourMs), time(now.getTime() + lifetimeMs)),
    name,
    spki,
    element(tag.extensions, extensions(spki)),
  );
}

function extensions(spki: Uint8Array): Buffer {
  const keyId = createHash('sha256').update(spki).digest().subarray(0, 20);
  return sequence(
    // Its own issuer, so it must be allowed to sign: its own signature is the only one it ever makes.
    extension([0x55, 0x1d, 0x13], sequence(yes), yes),
    // digitalSignature, keyEncipherment, keyCertSign
    extension([0x55, 0x1d, 0x0f], element(tag.bitString, Buffer.of(0x02, 0xa4)), yes),
    // serverAuth and clientAuth, as go-plugin gives to both sides
    extension([0x55, 0x1d, 0x25], sequence(purpose(1), purpose(2))),
    extension([0x55, 0x1d, 0x11], sequence(element(tag.dnsName, host))),
    extension([0x55, 0x1d, 0x0e], element(tag.octetString, keyId)),
  );
}

function extension(id: readonly number[], value: Buffer, critical: Buffer = Buffer.alloc(0)): Buffer {
  return sequence(oid(...id), critical, element(tag.octetString, value));
}

function element(kind: number, ...content: readonly Uint8Array[]): Buffer {
  const all = Buffer.concat(content);
  const { length } = all;
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(kind, ...size), all]);
}

function sequence(...content: readonly Uint8Array[]): Buffer {
  return element(tag.sequence, ...content);
}

function oid(...bytes: readonly number[]): Buffer {
  return element(tag.oid, Buffer.from(bytes));
}

function purpose(which: number): Buffer {
  return oid(0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, which);
}

function bitString(bytes: Uint8Array): Buffer {
  return element(tag.bitString, Buffer.of(0), bytes);
}

/** `YYYYMMDDHHMMSSZ`. */
function time(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14);
  return element(digitsTag(digits), Buffer.from(digitsTag(digits) === 0x17 ? `${digits.slice(2)}Z` : `${digits}Z`));
}

/** Before 2050 a certificate has the shorter form with two digits for the year. */
function digitsTag(digits: string): number {
  return digits < '2050' ? 0x17 : tag.generalizedTime;
}

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der).toString('base64').replaceAll(/.{64}/g, '$&\n').trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}
