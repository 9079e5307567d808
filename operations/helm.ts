/**
 * The helm binary: found, or fetched for the user with its checksum, and run with a private kubeconfig. No secret and no value
 * ever stands on its command line, and no setting of the user's environment changes where it writes.
 */
import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { abortedError, OperationError, textOf } from './errors.ts';
import { downloadHelm, helmVersion, tryCachedHelm } from './helm-download.ts';
import { helmWords } from './helm-words.ts';
import type { Host } from './host.ts';
import type { HostAccess } from './kubeconfig.ts';
import { PrivateFolder } from './paths.ts';
import { orAborted } from './poll.ts';
import type { OperationOptions } from './types.ts';

const run = promisify(execFile);
const versionTimeoutMs = 10_000;
const oldestMinor = 12;
/** After this long a helm that was told to stop is ended; its release is then pending, and healed by the next run. */
const stopPatienceMs = 30_000;

/** Helm failed; `detail` has its own words, made readable, and what to do. */
export class HelmError extends OperationError {
  override readonly name: string = 'HelmError';
  /** As it came, for what the words do not tell. Never shown whole. */
  readonly stderr: string;

  constructor(summary: string, detail: string, stderr = '', options?: ErrorOptions) {
    super(summary, detail, options);
    this.stderr = stderr;
  }
}

/** A helm that is there and can tell its version. */
export interface Helm {
  readonly path: string;
  /** Such as `3.22.0`. */
  readonly version: string;
}

let found: Promise<Helm> | undefined;

/**
 * The one of the options, else $VCLUSTER_HELM, else `helm` on PATH when it is 3.12 or a later 3, else the user's cache, else an official download into it.
 * Looked for once in a process. @throws OperationError when there is none and none can be had
 */
export function findHelm(options: OperationOptions = {}): Promise<Helm> {
  if (options.helm !== undefined) return namedHelm(options.helm, 'helm_path');
  // All that run at once share it, so it is nobody's to stop; it has a time limit of its own.
  found ??= locateHelm(options).catch((error: unknown) => {
    found = undefined;
    throw error;
  });
  return orAborted(found, options.signal, 'looked for helm');
}

/** The same, looked for anew. */
export async function locateHelm(options: Pick<OperationOptions, 'log'> = {}): Promise<Helm> {
  const named = process.env['VCLUSTER_HELM'];
  if (named) return namedHelm(named, 'VCLUSTER_HELM');
  const onPath = await tryHelm('helm');
  if (onPath !== undefined && isFit(onPath.version)) return onPath;
  return { path: (await tryCachedHelm()) ?? (await downloadHelm(options)), version: helmVersion };
}

/** `by` is what names it, for the message. */
async function namedHelm(path: string, by: string): Promise<Helm> {
  const helm = await tryHelm(path);
  if (helm !== undefined && isFit(helm.version)) return helm;
  const what = helm === undefined ? 'is no helm that can be run' : `is version ${helm.version}`;
  throw new OperationError(
    `The helm that ${by} names cannot be used`,
    `${path} ${what}; 3.${oldestMinor} or a later 3 is needed. Correct ${by}, or unset it and one is found or fetched.`,
  );
}

async function tryHelm(path: string): Promise<Helm | undefined> {
  try {
    const { stdout } = await run(path, ['version', '--template', '{{.Version}}'], {
      timeout: versionTimeoutMs,
      env: helmEnv(),
    });
    return { path, version: stdout.trim().replace(/^v/, '') };
  } catch {
    return undefined;
  }
}

/** Whether a version of helm is one that this project works with. Pure. */
export function isFit(version: string): boolean {
  const [major, minor = '0'] = version.split('.');
  return major === '3' && Number.parseInt(minor, 10) >= oldestMinor;
}

export interface HelmRun extends OperationOptions {
  readonly namespace: string;
  /** What it reads from stdin. */
  readonly input?: string | undefined;
  /** What cannot be done when it fails, for people: `Release team-a cannot be installed`. */
  readonly summary: string;
}

/** Runs helm against the host. Aborting sends SIGTERM and waits until it has ended. @returns stdout @throws HelmError, AbortedError */
export async function runHelm(host: Host, args: readonly string[], options: HelmRun): Promise<string> {
  const { path } = await findHelm(options);
  await using folder = await PrivateFolder.open();
  const kubeconfig = await folder.write('kubeconfig', kubeconfigText(await host.access()));
  const target = ['--kubeconfig', kubeconfig, '--namespace', options.namespace];
  const { exitCode, stdout, stderr } = await execute(path, [...args, ...target], options, helmEnv(folder.path));
  if (exitCode === 0) return stdout;
  if (options.signal?.aborted) throw abortedError(options.signal, 'ran helm', options.summary);
  throw new HelmError(options.summary, helmWords(stderr), stderr);
}

/** The user's HELM_* could send it elsewhere: another driver, namespace, account. Its own folders go with the private one. */
function helmEnv(folder?: string): NodeJS.ProcessEnv {
  const foreign = (name: string): boolean => name.startsWith('HELM_') || name === 'KUBECONFIG';
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)));
  const own = { HELM_DRIVER: 'secret', HELM_CACHE_HOME: folder, HELM_CONFIG_HOME: folder, HELM_DATA_HOME: folder };
  return folder === undefined ? env : { ...env, ...own };
}

/** JSON is YAML. Credentials are resolved, so that helm starts no plugin of its own. */
function kubeconfigText(access: HostAccess): string {
  const { server, ca, serverName, insecure, proxy, token, certificate, key } = access;
  const base64 = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : Buffer.from(text).toString('base64');
  const cluster = {
    server: server.href,
    'certificate-authority-data': base64(ca),
    'tls-server-name': serverName,
    'insecure-skip-tls-verify': insecure || undefined,
    'proxy-url': proxy,
  };
  const user = { token, 'client-certificate-data': base64(certificate), 'client-key-data': base64(key) };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'host',
    contexts: [{ name: 'host', context: { cluster: 'host', user: 'host' } }],
    clusters: [{ name: 'host', cluster }],
    users: [{ name: 'host', user }],
  });
}

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

function execute(path: string, args: readonly string[], options: HelmRun, env: NodeJS.ProcessEnv): Promise<Ended> {
  const { signal, input = '' } = options;
  return new Promise((resolve, reject) => {
    // In a process group of its own: Ctrl-C in a terminal is ours to pass on, and only once.
    const child = spawn(path, args, { env, detached: process.platform !== 'win32', windowsHide: true });
    const said = { stdout: '', stderr: '' };
    let force: NodeJS.Timeout | undefined;
    const stop = (): void => {
      child.kill('SIGTERM');
      force = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs);
    };
    const done = (): void => {
      clearTimeout(force);
      signal?.removeEventListener('abort', stop);
    };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
    child.stdin.on('error', () => undefined).end(input);
    child.once('error', (error) => {
      done();
      reject(new HelmError(options.summary, `${path} cannot be run: ${textOf(error)}.`, '', { cause: error }));
    });
    child.once('close', (code) => {
      done();
      resolve({ exitCode: code ?? 1, ...said });
    });
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
