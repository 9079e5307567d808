/**
 * A folder with a configuration of `vcluster`, worked on by a real Terraform that is attached to the provider in this process.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from '../../scripts/lib/command.ts';
import { resolveBinary, silent } from '../../testbed/index.ts';
import { attachProvider } from '../support/provider.ts';
import type { AttachedProvider } from '../support/provider.ts';

/** What a run of Terraform said. */
export interface Said {
  readonly exitCode: number;
  /** Both outputs on one line, so that texts can be looked for whatever the width of the terminal. */
  readonly text: string;
}

/** One resource as Terraform's state has it. */
export interface Stored {
  readonly address: string;
  readonly tainted?: boolean;
  readonly values: Readonly<Record<string, unknown>>;
}

export class Workspace implements AsyncDisposable {
  readonly folder: string;
  readonly provider: AttachedProvider;
  readonly #binary: string;
  readonly #env: Readonly<Record<string, string | undefined>>;
  #head: string;

  private constructor(folder: string, binary: string, provider: AttachedProvider, kubeconfig: string) {
    this.folder = folder;
    this.provider = provider;
    this.#binary = binary;
    this.#head = headOf(`config_path = ${JSON.stringify(kubeconfig)}`);
    this.#env = {
      ...provider.env,
      KUBECONFIG: '/dev/null/none',
      KUBE_CONFIG_PATH: undefined,
      KUBE_CONFIG_PATHS: undefined,
      CHECKPOINT_DISABLE: '1',
      TF_CLI_CONFIG_FILE: undefined,
      TF_IN_AUTOMATION: '1',
    };
  }

  static async open(kubeconfig: string): Promise<Workspace> {
    const folder = await mkdtemp(join(tmpdir(), 'cluster-workspace-'));
    const [binary, provider] = await Promise.all([resolveBinary('terraform', silent), attachProvider()]);
    return new Workspace(folder, binary, provider, kubeconfig);
  }

  /** The provider's own configuration from now on, in HCL. */
  configureProvider(hcl: string): void {
    this.#head = headOf(hcl);
  }

  async write(hcl: string): Promise<void> {
    await writeFile(join(this.folder, 'main.tf'), `${this.#head}\n${hcl}\n`);
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    const { exitCode, stdout, stderr } = await attempt(this.#binary, this.#arguments(args), this.#options(env));
    return { exitCode, text: oneLine(`${stdout}\n${stderr}`) };
  }

  /** Writes the configuration and plans it; exit code 2 when something would change. */
  async plan(hcl: string, args: readonly string[] = []): Promise<Said> {
    await this.write(hcl);
    return this.run(['plan', '-detailed-exitcode', '-input=false', ...args]);
  }

  async apply(hcl: string, args: readonly string[] = []): Promise<Said> {
    await this.write(hcl);
    return this.run(['apply', '-auto-approve', '-input=false', ...args]);
  }

  async destroy(args: readonly string[] = []): Promise<Said> {
    return this.run(['destroy', '-auto-approve', '-input=false', ...args]);
  }

  /** An apply that can be interrupted: resolves with its process and a promise of its end. */
  async begin(hcl: string): Promise<{ readonly process: ChildProcess; readonly ended: Promise<Said> }> {
    await this.write(hcl);
    const child = spawn(this.#binary, this.#arguments(['apply', '-auto-approve', '-input=false']), {
      env: { ...process.env, ...this.#options({}).env },
    });
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const ended = new Promise<Said>((resolve) => {
      child.once('close', (code) => resolve({ exitCode: code ?? 1, text: oneLine(said.join('')) }));
    });
    return { process: child, ended };
  }

  /** Everything the state knows, by address. */
  async state(): Promise<Readonly<Record<string, Stored>>> {
    const { stdout } = await attempt(this.#binary, this.#arguments(['show', '-json']), this.#options({}));
    const { values } = JSON.parse(stdout) as { values?: { root_module: { resources?: readonly Stored[] } } };
    const resources = values?.root_module.resources ?? [];
    return Object.fromEntries(resources.map((resource) => [resource.address, resource]));
  }

  /** Every byte that this workspace has on disk: state, its backups, kept plans (as zip) and logs. */
  async bytes(): Promise<Buffer> {
    const names = (await readdir(this.folder, { withFileTypes: true })).filter((entry) => entry.isFile());
    return Buffer.concat(await Promise.all(names.map(({ name }) => readFile(join(this.folder, name)))));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.provider[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  #arguments([command = '', ...rest]: readonly string[]): readonly string[] {
    // Of all commands, `state` alone takes no flag of its own before the next word.
    return [`-chdir=${this.folder}`, command, ...(command === 'state' ? [] : ['-no-color']), ...rest];
  }

  #options(env: Readonly<Record<string, string>>): { readonly env: Readonly<Record<string, string | undefined>> } {
    return { env: { ...this.#env, ...env } };
  }
}

/** A virtual cluster `vcluster_cluster.it`, as HCL. */
export function clusterHcl(name: string, more = ''): string {
  return `resource "vcluster_cluster" "it" {\n  name = "${name}"\n  ${more}\n}`;
}

function headOf(provider: string): string {
  return `terraform {
  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster" }
  }
}
provider "vcluster" {
  ${provider}
}`;
}

function oneLine(text: string): string {
  return text.replace(/^[│╷╵]/gm, '').replace(/\s+/g, ' ');
}
