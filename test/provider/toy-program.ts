/**
 * The toy provider as Terraform starts providers: a program in a folder that the settings name, one process per start. For
 * what an attached provider does not show: handshake, encryption, signals, what is left behind.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleProvider } from '../../scripts/lib/provider-bundle.ts';
import { resolveBinary, toStderr } from '../../testbed/index.ts';
import type { Tool } from '../support/terraform.ts';

let bundled: Promise<string> | undefined;

/** Bundled as the product is: it starts in half of the time. */
function bundle(): Promise<string> {
  bundled ??= bundleProvider(join(import.meta.dirname, 'toy-main.ts'));
  return bundled;
}

/** How a run of Terraform went. */
export interface Run {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that goes on. */
export interface Started {
  readonly pid: number;
  readonly ended: Promise<Run>;
}

/** A folder with a configuration, settings that point to the program, and a temporary folder of its own. */
export class ToyProgram implements AsyncDisposable {
  readonly folder: string;
  /** Where the boxes are. */
  readonly boxes: string;
  readonly #binary: string;

  private constructor(folder: string, binary: string) {
    this.folder = folder;
    this.boxes = join(folder, 'boxes');
    this.#binary = binary;
  }

  static async open(tool: Tool): Promise<ToyProgram> {
    const folder = await mkdtemp(join(tmpdir(), 'toy-'));
    const binary = await resolveBinary(tool, toStderr);
    const program = new ToyProgram(folder, binary);
    await program.#install();
    return program;
  }

  /** Writes the configuration: the given HCL after what every configuration needs. */
  async write(hcl: string): Promise<void> {
    const head =
      'terraform {\n  required_providers {\n    toy = { source = "test/toy" }\n  }\n}\n' +
      `provider "toy" {\n  folder = ${JSON.stringify(this.boxes)}\n}\n`;
    await writeFile(join(this.folder, 'main.tf'), head + hcl);
  }

  /** Runs to the end. */
  run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Run> {
    return this.start(args, env).ended;
  }

  /** Starts it in a process group of its own, as a terminal does. */
  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
    const child = spawn(this.#binary, args, {
      cwd: this.folder,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        CHECKPOINT_DISABLE: '1',
        TF_CLI_ARGS: '-no-color',
        TF_CLI_CONFIG_FILE: join(this.folder, 'terraformrc'),
        TMPDIR: join(this.folder, 'tmp'),
        TOY_PIDS: join(this.folder, 'pids'),
        ...env,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    const ended = new Promise<Run>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => resolve({ exitCode, stdout, stderr: stderr.replaceAll(/^[╷│╵] ?/gm, '') }));
    });
    return { pid: child.pid ?? 0, ended };
  }

  /** Folders of sockets that are there now. */
  async sockets(): Promise<readonly string[]> {
    return (await readdir(join(this.folder, 'tmp'))).filter((name) => name.startsWith('vcluster-'));
  }

  /** Process ids of all providers that were started here. */
  async pids(): Promise<readonly number[]> {
    return (await readdir(join(this.folder, 'pids'))).map(Number);
  }

  hasBox(name: string): boolean {
    return existsSync(join(this.boxes, `${name}.json`));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #install(): Promise<void> {
    const bin = join(this.folder, 'bin');
    for (const name of ['bin', 'tmp', 'pids']) await mkdir(join(this.folder, name));
    const main = join(bin, 'toy.cjs');
    await writeFile(main, await bundle());
    const program = join(bin, 'terraform-provider-toy');
    await writeFile(program, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`, { mode: 0o755 });
    const settings = `provider_installation {\n  dev_overrides { "test/toy" = ${JSON.stringify(bin)} }\n}\n`;
    await writeFile(join(this.folder, 'terraformrc'), settings);
  }
}

/** Whether a process is there. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
