/**
 * kubectl with one kubeconfig, as a user would run it. Holds no state of the cluster. What a person reads is printed by
 * kubectl itself; what a program needs is read as JSON.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { attempt, run } from './command.ts';
import type { CommandOptions, CommandResult } from './command.ts';

/** The little that is read of any object. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
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

  constructor(binary: string, kubeconfig: string) {
    this.binary = binary;
    this.kubeconfig = kubeconfig;
  }

  /** Runs it and gives back what it printed; throws with its words when it fails. */
  run(args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run(this.binary, this.#args(args), options);
  }

  /** Runs it and gives back how it ended. */
  attempt(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return attempt(this.binary, this.#args(args), options);
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

  /** Opens a tunnel to a Service from `ports`, as in `8443:443` or `:443` for any free one; resolves when it is open. */
  portForward(namespace: string, service: string, ports: string): Promise<PortForward> {
    const args = this.#args(['port-forward', '-n', namespace, `service/${service}`, ports, '--address=127.0.0.1']);
    return PortForward.open(spawn(this.binary, args, { stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  #args(args: readonly string[]): readonly string[] {
    return [`--kubeconfig=${this.kubeconfig}`, ...args];
  }
}

/** A tunnel from a port of this machine into the cluster, open until it is disposed of. */
export class PortForward implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(port: number, child: ChildProcess) {
    this.port = port;
    this.#child = child;
  }

  static open(child: ChildProcess): Promise<PortForward> {
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
        if (port !== undefined) resolve(new PortForward(Number(port), child));
      });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill();
    await gone;
  }
}

function inNamespace(namespace: string | undefined): readonly string[] {
  return namespace === undefined ? [] : ['-n', namespace];
}
