/**
 * kubectl with one kubeconfig, as a user would run it. Holds no state of the cluster. What a person reads is printed by
 * kubectl itself; what a program needs is read as JSON.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, CommandError } from './command.ts';
import type { CommandOptions, CommandResult } from './command.ts';

/** Not at once, so that a tunnel that cannot be opened any more does not keep the machine busy. */
const RESTART_DELAY_MS = 200;
/** Commands that change nothing. */
const reading: ReadonlySet<string> = new Set(['get', 'logs', 'wait', 'rollout']);

/** The little that is read of any object. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly status?: Readonly<Record<string, unknown>>;
}

/** A kubectl that only ever talks to one cluster. */
export class Kubectl {
  readonly binary: string;
  readonly kubeconfig: string;
  readonly #patienceMs: number;

  /** `patienceMs`: how long a refused or cut connection is tried again; for clusters behind a {@link PortForward}. */
  constructor(binary: string, kubeconfig: string, patienceMs = 0) {
    this.binary = binary;
    this.kubeconfig = kubeconfig;
    this.#patienceMs = patienceMs;
  }

  /** Runs it and gives back what it printed; throws with its words when it fails. */
  async run(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    const result = await this.attempt(args, options);
    if (result.exitCode !== 0) throw new CommandError([this.binary, ...this.#args(args)].join(' '), result);
    return result.stdout;
  }

  /** Runs it and gives back how it ended. */
  async attempt(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    const deadlineMs = Date.now() + this.#patienceMs;
    for (;;) {
      const result = await attempt(this.binary, this.#args(args), options);
      if (result.exitCode === 0 || !isPassing(args, result.stderr) || Date.now() > deadlineMs) return result;
      await sleep(RESTART_DELAY_MS);
    }
  }

  /** One object, or undefined when the cluster has none of that name. */
  async tryGet(kind: string, name: string, namespace?: string): Promise<KubernetesObject | undefined> {
    const text = await this.run(['get', kind, name, '-o', 'json', '--ignore-not-found', ...inNamespace(namespace)]);
    if (text === '') return undefined;
    const object: KubernetesObject = JSON.parse(text);
    return object;
  }

  /** All objects of a kind (or of several, joined by commas) in one namespace. */
  async list(kinds: string, namespace: string, selector = ''): Promise<readonly KubernetesObject[]> {
    const text = await this.run(['get', kinds, '-n', namespace, '-l', selector, '-o', 'json', '--ignore-not-found']);
    if (text === '') return [];
    const list: { readonly items: readonly KubernetesObject[] } = JSON.parse(text);
    return list.items;
  }

  /** `kind/name` of every object of every namespaced kind that is in the namespace now. */
  async everythingIn(namespace: string): Promise<readonly string[]> {
    const kinds = await this.run(['api-resources', '--namespaced', '--verbs=list', '-o', 'name']);
    const all = kinds
      .split('\n')
      .filter((kind) => kind !== '')
      .join(',');
    const names = await this.run(['get', all, '-n', namespace, '-o', 'name', '--ignore-not-found']);
    return names.split('\n').filter((name) => name !== '');
  }

  /** Opens a tunnel to a Service from `localPort` (0 for any free one); resolves when it accepts connections. */
  portForward(namespace: string, service: string, localPort = 0): Promise<PortForward> {
    const args = (port: number): readonly string[] =>
      this.#args(['port-forward', '-n', namespace, `service/${service}`, `${port || ''}:443`, '--address=127.0.0.1']);
    return PortForward.open(this.binary, args, localPort);
  }

  #args(args: readonly string[]): readonly string[] {
    return [`--kubeconfig=${this.kubeconfig}`, ...args];
  }
}

/**
 * A tunnel from a port of this machine into the cluster, open until it is disposed of. kubectl gives up a tunnel as soon as one
 * connection in it ends roughly, which the end of every `kubectl exec` may do; so it is started again on the same port.
 */
export class PortForward implements AsyncDisposable {
  readonly port: number;
  readonly #start: (port: number) => ChildProcess;
  #child: ChildProcess;
  #closed = false;

  private constructor(port: number, child: ChildProcess, start: (port: number) => ChildProcess) {
    this.port = port;
    this.#start = start;
    this.#child = child;
    this.#keepOpen();
  }

  static async open(
    binary: string,
    args: (port: number) => readonly string[],
    localPort: number,
  ): Promise<PortForward> {
    const start = (port: number): ChildProcess => spawn(binary, args(port), { stdio: ['ignore', 'pipe', 'pipe'] });
    const child = start(localPort);
    return new PortForward(await openedPort(child), child, start);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await gone;
  }

  #keepOpen(): void {
    this.#child.once('exit', () => setTimeout(() => this.#restart(), RESTART_DELAY_MS));
  }

  #restart(): void {
    if (this.#closed) return;
    this.#child = this.#start(this.port);
    this.#child.once('error', () => undefined);
    this.#keepOpen();
  }
}

/** The local port of a tunnel, once it is open. */
function openedPort(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('error', reject);
    child.once('exit', (code) =>
      reject(new Error(`kubectl port-forward ended (${code}) before it was open: ${said.trim()}`)),
    );
    if (child.stdout === null) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const port = /^Forwarding from 127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port !== undefined) resolve(Number(port));
    });
  });
}

function inNamespace(namespace: string | undefined): readonly string[] {
  return namespace === undefined ? [] : ['-n', namespace];
}

/**
 * Refused means that nothing was sent, so that even a write may be tried again. A tunnel that is about to end takes a connection and
 * cuts it: then only what changes nothing may be.
 */
function isPassing(args: readonly string[], words: string): boolean {
  if (/^The connection to the server \S+ was refused/m.test(words)) return true;
  const isReading = reading.has(args[0] ?? '');
  return isReading && /^Unable to connect to the server: .*(EOF|connection reset by peer|broken pipe)/m.test(words);
}
