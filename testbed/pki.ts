/**
 * Certificates of the testbed's own control planes: EC P-256 throughout, keys from Node, signatures by openssl.
 * Nothing here is used outside the testbed: a virtual cluster makes its own PKI.
 */
import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf } from './errors.ts';

const run = promisify(execFile);
const days = '3650';
// Without a configuration of ours, the machine's openssl.cnf would add extensions of its own.
const emptyConfig = join(import.meta.dirname, 'openssl.cnf');

/** A certificate and its key as files. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** What a leaf certificate says. */
export interface Leaf {
  readonly commonName: string;
  readonly organization?: string;
  /** Names and addresses it serves under; none makes it a client certificate only. */
  readonly serves?: readonly string[];
}

/** Makes a certificate authority `<name>.crt`/`<name>.key` in a folder. */
export async function createAuthority(dir: string, name: string): Promise<KeyPair> {
  const pair = await writeKey(dir, name);
  const extensions = ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign,cRLSign,digitalSignature'];
  await openssl(['-key', pair.key, '-out', pair.cert, '-subj', `/CN=${name}`], extensions);
  return pair;
}

/** Issues `<name>.crt`/`<name>.key` in a folder. */
export async function issue(dir: string, name: string, authority: KeyPair, leaf: Leaf): Promise<KeyPair> {
  const pair = await writeKey(dir, name);
  const { organization, commonName } = leaf;
  const subject = `${organization === undefined ? '' : `/O=${organization}`}/CN=${commonName}`;
  const signer = ['-CA', authority.cert, '-CAkey', authority.key];
  await openssl(['-key', pair.key, '-out', pair.cert, '-subj', subject, ...signer], extensionsOf(leaf));
  return pair;
}

/** Makes the key that signs service-account tokens: `sa.key` and `sa.pub`. */
export async function createServiceAccountKey(dir: string): Promise<{ readonly key: string; readonly pub: string }> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const paths = { key: join(dir, 'sa.key'), pub: join(dir, 'sa.pub') };
  await writeFile(paths.key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  await writeFile(paths.pub, publicKey.export({ type: 'spki', format: 'pem' }));
  return paths;
}

/** A kubeconfig with everything embedded, readable by every client. */
export async function kubeconfig(server: string, authority: string, client: KeyPair): Promise<string> {
  const name = 'testbed';
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': await encoded(authority) } }],
    users: [
      {
        name,
        user: { 'client-certificate-data': await encoded(client.cert), 'client-key-data': await encoded(client.key) },
      },
    ],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  };
  // JSON is YAML, and needs no library.
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

/** The X.509 extensions of a leaf, as openssl wants them. */
export function extensionsOf({ serves = [] }: Leaf): readonly string[] {
  const names = serves.map((name) => (/^[0-9.]+$|:/.test(name) ? `IP:${name}` : `DNS:${name}`));
  const usage = serves.length > 0 ? 'serverAuth,clientAuth' : 'clientAuth';
  const base = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    `extendedKeyUsage=${usage}`,
  ];
  return names.length > 0 ? [...base, `subjectAltName=${names.join(',')}`] : base;
}

async function writeKey(dir: string, name: string): Promise<KeyPair> {
  const pair = { cert: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  await writeFile(pair.key, privateKey.export({ type: 'sec1', format: 'pem' }), { mode: 0o600 });
  return pair;
}

async function openssl(args: readonly string[], extensions: readonly string[]): Promise<void> {
  const added = extensions.flatMap((extension) => ['-addext', extension]);
  try {
    await run('openssl', ['req', '-x509', '-config', emptyConfig, '-days', days, ...args, ...added]);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    throw new Error('openssl is needed to make certificates. Install it with: apt-get install -y openssl', {
      cause: error,
    });
  }
}

async function encoded(path: string): Promise<string> {
  return (await readFile(path)).toString('base64');
}
