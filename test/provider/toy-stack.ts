/**
 * A folder with a Terraform configuration, worked on by a real Terraform that is attached to the toy provider in this process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serviceOf } from '../../provider/framework/server.ts';
import { resolveBinary, toStderr } from '../../testbed/index.ts';
import { type AttachedProvider, attachProvider } from '../support/provider.ts';
import type { Tool } from '../support/terraform.ts';
import { toy } from './toy.ts';

const registries: Readonly<Record<Tool, string>> = {
  terraform: 'registry.terraform.io',
  tofu: 'registry.opentofu.org',
};

/** What a run of Terraform said. */
export interface Said {
  readonly exitCode: number;
  /** Both outputs, without colours and without the bars of diagnostics. */
  readonly text: string;
}

export class ToyStack implements AsyncDisposable {
  readonly folder: string;
  /** Where the boxes are. */
  readonly boxes: string;
  /** Added to Terraform's environment. */
  variables: Readonly<Record<string, string>> = {};
  readonly #binary: string;
  readonly #provider: AttachedProvider;

  private constructor(folder: string, binary: string, provider: AttachedProvider) {
    this.folder = folder;
    this.boxes = join(folder, 'boxes');
    this.#binary = binary;
    this.#provider = provider;
  }

  static async open(tool: Tool = 'terraform'): Promise<ToyStack> {
    const folder = await mkdtemp(join(tmpdir(), 'toy-stack-'));
    const source = `${registries[tool]}/test/toy`;
    const provider = await attachProvider({ start: (surroundings) => serviceOf(toy, surroundings), source });
    const binary = await resolveBinary(tool, toStderr);
    return new ToyStack(folder, binary, provider);
  }

  /** Everything that the provider has logged. */
  get log(): string {
    return this.#provider.log();
  }

  /** Writes the configuration: the given HCL after what every configuration needs. */
  async write(hcl: string, secret = 'provider-secret-1'): Promise<void> {
    const head = `terraform {
      required_providers { toy = { source = "test/toy" } }
    }
    provider "toy" {
      folder = ${JSON.stringify(this.boxes)}
      secret = ${JSON.stringify(secret)}
    }\n`;
    await writeFile(join(this.folder, 'main.tf'), head + hcl);
  }

  /** Writes the configuration and applies it. */
  async apply(hcl: string): Promise<Said> {
    await this.write(hcl);
    return this.run('apply', '-auto-approve');
  }

  /** Runs Terraform to its end. */
  async run(...args: readonly string[]): Promise<Said> {
    const { ended } = this.start(...args);
    return ended;
  }

  /** Starts Terraform in a process group of its own, so that an interrupt can be sent as a terminal would. */
  start(...args: readonly string[]): { readonly child: ChildProcess; readonly ended: Promise<Said> } {
    const [command = '', ...rest] = args;
    const child = spawn(this.#binary, [command, ...(takesNoInput.has(command) ? ['-input=false'] : []), ...rest], {
      cwd: this.folder,
      detached: true,
      env: {
        ...process.env,
        TF_CLI_CONFIG_FILE: undefined,
        TF_LOG: undefined,
        CHECKPOINT_DISABLE: '1',
        ...this.variables,
        TF_CLI_ARGS: '-no-color',
        ...this.#provider.env,
      },
    });
    let text = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    }
    const ended = new Promise<Said>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => resolve({ exitCode: code ?? -1, text: text.replace(/^[╷│╵] ?/gm, '') }));
    });
    return { child, ended };
  }

  /** Whether a plan finds nothing to do. */
  async isSettled(): Promise<boolean> {
    const { exitCode, text } = await this.run('plan', '-detailed-exitcode');
    if (exitCode === 1) throw new Error(text);
    return exitCode === 0;
  }

  /** The state's only instance of a resource: its attributes and whether it is tainted. */
  async instance(type = 'toy_box'): Promise<Instance> {
    const { resources } = JSON.parse(await this.stateText()) as State;
    const found = resources.filter((resource) => resource.type === type).flatMap(({ instances }) => instances);
    const [one] = found;
    if (one === undefined || found.length !== 1) throw new Error(`${String(found.length)} instances of ${type}`);
    return one;
  }

  /** The state file as it is; empty when there is none. */
  async stateText(): Promise<string> {
    const path = join(this.folder, 'terraform.tfstate');
    return existsSync(path) ? readFile(path, 'utf8') : '';
  }

  /** A box as it is on disk. */
  async box(name: string): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(join(this.boxes, `${name}.json`), 'utf8')) as Record<string, unknown>;
  }

  hasBox(name: string): boolean {
    return existsSync(join(this.boxes, `${name}.json`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }
}

const takesNoInput: ReadonlySet<string> = new Set(['plan', 'apply', 'import', 'destroy']);

interface Instance {
  readonly status?: string;
  readonly schema_version: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly private?: string;
}

interface State {
  readonly resources: readonly { readonly type: string; readonly instances: readonly Instance[] }[];
}

/** A box named `one` with these attributes, in HCL. */
export function box(attributes: string): string {
  return `resource "toy_box" "one" {\n  name = "one"\n  ${attributes}\n}\n`;
}

/** Attributes of a box of every type. */
export const everything: string = `
  size     = 2
  weight   = 0.1
  tags     = { team = "a" }
  labels   = ["x", "y"]
  anything = { list = [1, "two", null], set = toset(["s"]) }
  password = "hunter2-hunter2"
  key_wo   = "never-in-state-1"
  lid      = { hinges = [{ side = "left", screws = [1, 2.5] }, { side = "right" }] }
  timeouts = { create = "1m30s" }
`;

/** The text without its line breaks: Terraform wraps lines. */
export function flat(text: string): string {
  return text.replace(/\s+/g, ' ');
}
