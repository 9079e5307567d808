/**
 * Issues X.509 certificates. No files, no cluster: PEM in, PEM out.
 *
 * Every key is EC P-256: an RSA signature costs the API server fifteen times as much, and it makes one per token.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPair,
  KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { promisify } from 'node:util';
import './reflect.ts';
import * as x509 from '@peculiar/x509';

/** A private key and what proves it, both PEM. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly key: string;
}

/** A key pair without a certificate, both PEM. */
export interface KeyPair {
  readonly publicKey: string;
  readonly key: string;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Kubernetes reads a client's groups from here. */
  readonly organization?: string;
  readonly usage: 'server' | 'client';
  readonly dnsNames?: readonly string[];
  readonly addresses?: readonly string[];
  /** Never later than the end of the authority. */
  readonly validUntil: Date;
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const generate = promisify(generateKeyPair);
/** Clocks of the machines that check a certificate differ from the one that issued it. */
const clockToleranceMs = 5 * 60_000;
const authorityValidityMs = 10 * 365 * 24 * 3_600_000;

/** A new EC P-256 key pair. */
export async function createKeyPair(): Promise<KeyPair> {
  const { publicKey, privateKey } = await generate('ec', { namedCurve: algorithm.namedCurve });
  return { publicKey: pem(publicKey, 'spki'), key: pem(privateKey, 'pkcs8') };
}

/** A new self-signed authority, valid for ten years. */
export async function createAuthority(commonName: string, now: Date): Promise<CertifiedKey> {
  const { publicKey, key } = await createKeyPair();
  const subjectKey = toCryptoKey(createPublicKey(publicKey), 'verify');
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [{ CN: [commonName] }],
    issuer: [{ CN: [commonName] }],
    notBefore: new Date(now.getTime() - clockToleranceMs),
    notAfter: new Date(now.getTime() + authorityValidityMs),
    publicKey: subjectKey,
    signingKey: toCryptoKey(createPrivateKey(key), 'sign'),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(subjectKey),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key };
}

/** A new key with a certificate signed by the authority. */
export async function issue(authority: CertifiedKey, request: CertificateRequest, now: Date): Promise<CertifiedKey> {
  const { publicKey, key } = await createKeyPair();
  const issuer = new x509.X509Certificate(authority.certificate);
  const { commonName, organization, usage, dnsNames = [], addresses = [] } = request;
  const names: x509.JsonGeneralNames = [
    ...dnsNames.map((value) => ({ type: 'dns', value }) as const),
    ...addresses.map((value) => ({ type: 'ip', value }) as const),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: [...(organization === undefined ? [] : [{ O: [organization] }]), { CN: [commonName] }],
    issuer: issuer.subjectName,
    notBefore: new Date(now.getTime() - clockToleranceMs),
    notAfter: new Date(Math.min(request.validUntil.getTime(), issuer.notAfter.getTime())),
    publicKey: toCryptoKey(createPublicKey(publicKey), 'verify'),
    signingKey: toCryptoKey(createPrivateKey(authority.key), 'sign'),
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage === 'server' ? 'serverAuth' : 'clientAuth']]),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(names.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(names)]),
    ],
  });
  return { certificate: `${certificate.toString('pem')}\n`, key };
}

/** Why an authority cannot be used to issue certificates, in words; undefined when it can. */
export function authorityProblem({ certificate, key }: CertifiedKey, now: Date): string | undefined {
  try {
    const parsed = new X509Certificate(certificate);
    if (!parsed.ca) return 'its certificate is not that of an authority';
    if (!parsed.checkPrivateKey(createPrivateKey(key))) return 'its key does not belong to its certificate';
    if (new Date(parsed.validTo) <= now) return `its certificate expired at ${parsed.validTo}`;
    return undefined;
  } catch (error) {
    return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Why a key pair cannot be used, in words; undefined when it can. */
export function keyPairProblem({ publicKey, key }: KeyPair): string | undefined {
  try {
    const derived = createPublicKey(createPrivateKey(key));
    return derived.equals(createPublicKey(publicKey)) ? undefined : 'its two halves do not belong together';
  } catch (error) {
    return `it cannot be read (${error instanceof Error ? error.message : String(error)})`;
  }
}

/** Positive and at most 20 bytes (RFC 5280), whatever the random bytes are. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

function toCryptoKey(key: KeyObject, usage: 'sign' | 'verify'): ReturnType<KeyObject['toCryptoKey']> {
  return key.toCryptoKey(algorithm, true, [usage]);
}

function pem(key: KeyObject, type: 'spki' | 'pkcs8'): string {
  return String(key.export({ format: 'pem', type }));
}
