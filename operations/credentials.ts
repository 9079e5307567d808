/**
 * As whom a host is talked to, where that can change while we run: tokens in files are read again, plugins are asked again when
 * what they gave has expired. Nothing of it is ever printed.
 */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { KubeconfigError } from './kubeconfig-errors.ts';
import { masked } from './mask.ts';

const pluginTimeoutMs = 60_000;
/** Before the end of a credential's life, so that a request begun with it is still answered. */
const renewEarlyMs = 30_000;
/** As client-go does it: service account tokens are renewed on disk long before they expire. */
const tokenFileAgeMaxMs = 60_000;
const outputBytesMax = 1024 * 1024;

export interface Credentials {
  readonly token?: string | undefined;
  readonly certificate?: string | undefined;
  readonly key?: string | undefined;
}

/** Gives credentials that are good now; `again` when the host did not take the last ones. */
export type CredentialSource = (again?: boolean) => Promise<Credentials>;

/** A program that prints an ExecCredential. */
export interface CredentialPlugin {
  /** Default `client.authentication.k8s.io/v1`. */
  readonly apiVersion?: string | undefined;
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What to tell people who do not have the program. */
  readonly installHint?: string | undefined;
}

/** What a plugin may be told about the cluster. */
interface Endpoint {
  readonly server: URL;
  readonly ca?: string | undefined;
  readonly serverName?: string | undefined;
  readonly insecure: boolean;
}

export function fixedCredentials(credentials: Credentials): CredentialSource {
  return () => Promise.resolve(credentials);
}

/** A token from a file. @throws KubeconfigError when asked and the file is not there */
export function tokenFileCredentials(path: string, fixed: Credentials, now: () => number = Date.now): CredentialSource {
  let last: { readonly token: string; readonly readAtMs: number } | undefined;
  return (again = false) => {
    if (last === undefined || again || now() - last.readAtMs > tokenFileAgeMaxMs) {
      last = { token: readToken(path), readAtMs: now() };
    }
    return Promise.resolve({ ...fixed, token: last.token });
  };
}

function readToken(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch (cause) {
    throw new KubeconfigError(`The token file ${path} of the kubeconfig cannot be read. Correct its path.`, { cause });
  }
}

/** What a plugin prints, kept until shortly before it expires. Whoever asks while it runs shares that run, however many ask. */
export function pluginCredentials(
  plugin: CredentialPlugin,
  endpoint: Endpoint,
  now: () => number = Date.now,
): CredentialSource {
  let last: Issued | undefined;
  let running: Promise<Issued> | undefined;
  const run = async (): Promise<Issued> => {
    try {
      return (last = await runPlugin(plugin, endpoint));
    } finally {
      running = undefined;
    }
  };
  return async (again = false) => {
    const isGood = !again && last !== undefined && last.expiresAtMs - renewEarlyMs >= now();
    if (isGood && last !== undefined) return last.credentials;
    running ??= run();
    return (await running).credentials;
  };
}

interface Issued {
  readonly credentials: Credentials;
  readonly expiresAtMs: number;
}

interface ExecStatus {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

async function runPlugin(plugin: CredentialPlugin, endpoint: Endpoint): Promise<Issued> {
  const printed = await runProgram(plugin, execInfo(plugin, endpoint));
  const status = statusIn(printed);
  if (status === undefined || (!status.token && !status.clientCertificateData)) {
    throw new KubeconfigError(
      `The credential plugin "${plugin.command}" of the kubeconfig printed no credential. Run it by hand to see why.`,
    );
  }
  const { token, clientCertificateData, clientKeyData, expirationTimestamp } = status;
  return {
    credentials: { token, certificate: clientCertificateData, key: clientKeyData },
    expiresAtMs: expirationTimestamp === undefined ? Infinity : Date.parse(expirationTimestamp),
  };
}

function statusIn(printed: string): ExecStatus | undefined {
  try {
    return (JSON.parse(printed) as { status?: ExecStatus }).status;
  } catch {
    return undefined;
  }
}

function execInfo({ apiVersion }: CredentialPlugin, { server, ca, serverName, insecure }: Endpoint): string {
  const cluster = {
    server: server.href,
    ...(ca !== undefined && { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(serverName !== undefined && { 'tls-server-name': serverName }),
    ...(insecure && { 'insecure-skip-tls-verify': true }),
  };
  const version = apiVersion ?? 'client.authentication.k8s.io/v1';
  return JSON.stringify({ apiVersion: version, kind: 'ExecCredential', spec: { interactive: false, cluster } });
}

function runProgram({ command, args = [], env = {}, installHint }: CredentialPlugin, info: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = {
      timeout: pluginTimeoutMs,
      maxBuffer: outputBytesMax,
      env: { ...process.env, ...env, KUBERNETES_EXEC_INFO: info },
    };
    const child = execFile(command, [...args], options, (error, stdout, stderr) => {
      if (error === null) {
        resolve(stdout);
        return;
      }
      const hint = installHint === undefined ? '' : ` ${installHint}`;
      // Not the message of the error: it repeats the command line.
      const why = error.code === 'ENOENT' ? `it is not installed.${hint}` : failureWords(error, stderr);
      reject(new KubeconfigError(`The credential plugin "${command}" of the kubeconfig failed: ${why}`));
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.end();
  });
}

function failureWords(error: { killed?: boolean; code?: unknown }, stderr: string): string {
  if (error.killed === true) return `it was not done within ${pluginTimeoutMs / 1000} s. Log in by hand and try again.`;
  const said = masked(stderr.trim().split('\n').slice(-3).join(' '));
  return `it ended with code ${String(error.code)}${said === '' ? '' : `: ${said}`}. Log in again, or use another kubeconfig.`;
}
