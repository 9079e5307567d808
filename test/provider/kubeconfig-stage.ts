/**
 * A folder with a configuration that makes a virtual cluster and works inside it, for a real Terraform with the provider of this
 * checkout installed and the public provider `kubernetes`. The environment is that of a user whose shell points at the host.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from '../../scripts/lib/command.ts';
import { provideProvider } from '../../scripts/lib/provider-mirror.ts';
import { writeSettings } from '../../scripts/lib/terraform-settings.ts';
import { resolveBinary, silent } from '../../testbed/index.ts';

/** What a run of Terraform said. */
export interface Said {
  readonly exitCode: number;
  /** Both outputs on one line, without the frames around errors, so that texts can be looked for. */
  readonly text: string;
}

/** A run of Terraform that goes on, in a process group of its own as a shell would give it. */
export interface Running extends AsyncDisposable {
  readonly pid: number;
  /** Resolves when it has said this; rejects when it ends without. */
  readonly heard: (text: string) => Promise<void>;
  readonly ended: Promise<Said>;
}

const requirements = `terraform {
  required_providers {
    vcluster   = { source = "cdktf-vcluster/vcluster" }
    kubernetes = { source = "hashicorp/kubernetes", version = "2.38.0" }
  }
}
`;

/** An ephemeral kubeconfig of a virtual cluster, and a kubernetes provider `inside` that works with it. */
export function insideProvider(id: string, more = ''): string {
  const from = 'ephemeral.vcluster_kubeconfig.it';
  const names = ['host', 'cluster_ca_certificate', 'client_certificate', 'client_key', 'token', 'tls_server_name'];
  return `
ephemeral "vcluster_kubeconfig" "it" {
  cluster_id = ${id}
  ${more}
}
provider "kubernetes" {
  alias       = "inside"
  config_path = "/dev/null"
${names.map((name) => `  ${name} = ${from}.${name}`).join('\n')}
}
`;
}

/** A namespace inside, and a config map in it. */
export const insideObjects = `
resource "kubernetes_namespace_v1" "app" {
  provider = kubernetes.inside
  metadata { name = "app" }
}
resource "kubernetes_config_map_v1" "app" {
  provider = kubernetes.inside
  metadata {
    name      = "app"
    namespace = kubernetes_namespace_v1.app.metadata[0].name
  }
  data = { greeting = "hello" }
}
`;

/** A folder with a configuration. */
export class Stack implements AsyncDisposable {
  readonly folder: string;
  readonly #binary: string;
  readonly #settings: string;
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(folder: string, binary: string, settings: string, kubeconfig: string) {
    this.folder = folder;
    this.#binary = binary;
    this.#settings = settings;
    this.#env = {
      KUBE_CONFIG_PATH: kubeconfig,
      KUBECONFIG: kubeconfig,
      KUBE_CONFIG_PATHS: undefined,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      TF_CLI_CONFIG_FILE: join(settings, 'terraformrc'),
    };
  }

  /** Makes the folder and gets the providers. */
  static async open(kubeconfig: string): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'kubeconfig-stack-'));
    const settings = await writeSettings({ ours: await provideProvider(), others: process.env['TERRAFORM_MIRROR'] });
    if (settings === undefined) throw new Error('A mirror was given, so there are settings.');
    const stack = new Stack(folder, await resolveBinary('terraform', silent), settings, kubeconfig);
    await stack.write('');
    const { exitCode, text } = await stack.run(['init', '-input=false']);
    if (exitCode !== 0) throw new Error(text);
    return stack;
  }

  async write(hcl: string): Promise<void> {
    await writeFile(join(this.folder, 'main.tf'), requirements + hcl);
  }

  /** Any other file of the folder. */
  async writeFile(file: string, text: string): Promise<void> {
    await writeFile(join(this.folder, file), text);
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    const [command = '', ...rest] = args;
    const found = await attempt(this.#binary, [`-chdir=${this.folder}`, command, '-no-color', ...rest], {
      env: { ...this.#env, ...env },
    });
    return { exitCode: found.exitCode, text: oneLine(`${found.stdout}\n${found.stderr}`) };
  }

  /** Starts it; whatever is left of its group is killed when it is disposed of. */
  start(args: readonly string[]): Running {
    const [command = '', ...rest] = args;
    const env = { ...process.env, ...this.#env };
    const child = spawn(this.#binary, [`-chdir=${this.folder}`, command, '-no-color', ...rest], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const { pid = 0 } = child;
    let text = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (more) => (text += more));
    const ended = once(child, 'close').then(([code]) => ({ exitCode: Number(code ?? -1), text: oneLine(text) }));
    const heard = async (words: string): Promise<void> => {
      while (!oneLine(text).includes(words)) {
        const next = await Promise.race([once(child.stdout, 'data'), ended]);
        if ('text' in next && !next.text.includes(words)) throw new Error(next.text);
      }
    };
    const kill = async (): Promise<void> => {
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // Nobody is left.
      }
      await ended;
    };
    return { pid, heard, ended, [Symbol.asyncDispose]: kill };
  }

  /** Exit code 2 when something would change. */
  plan(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    return this.run(['plan', '-detailed-exitcode', '-input=false', ...args], env);
  }

  apply(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Said> {
    return this.run(['apply', '-auto-approve', '-input=false', ...args], env);
  }

  /** Applies what must succeed. */
  async make(hcl: string, args: readonly string[] = []): Promise<void> {
    await this.write(hcl);
    const { exitCode, text } = await this.apply(args);
    if (exitCode !== 0) throw new Error(text);
  }

  destroy(): Promise<Said> {
    return this.run(['destroy', '-auto-approve', '-input=false']);
  }

  /** Every file that Terraform has written here, but for the providers themselves. */
  async written(): Promise<ReadonlyMap<string, string>> {
    const names = await readdir(this.folder, { recursive: true, withFileTypes: true });
    const files = names.filter((entry) => entry.isFile() && !entry.parentPath.includes('.terraform'));
    const texts = files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, await readFile(path, 'latin1')] as const;
    });
    return new Map(await Promise.all(texts));
  }

  /** Removes the folder; what was applied stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
    await rm(this.#settings, { recursive: true, force: true });
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/[│╷╵]/g, ' ').replaceAll(/\s+/g, ' ');
}
