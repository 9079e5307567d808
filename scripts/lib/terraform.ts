/**
 * Terraform on one synthesised stack, as a user would run it. The host cluster is given by KUBE_CONFIG_PATH, so the program on
 * disk names no path. Where TERRAFORM_MIRROR names a folder, providers come from there and from nowhere else; otherwise the
 * user's own Terraform settings hold. Telemetry is always off.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { attempt, CommandError, run } from './command.ts';

/** What a plan would change. */
export interface Plan {
  readonly changes: boolean;
  /** As printed by Terraform. */
  readonly text: string;
}

/** One stack's folder with the Terraform that works on it; dispose of it at the end. */
export class Terraform implements AsyncDisposable {
  readonly folder: string;
  readonly #settings: string | undefined;
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(folder: string, kubeconfig: string, settings: string | undefined) {
    this.folder = folder;
    this.#settings = settings;
    this.#env = {
      KUBE_CONFIG_PATH: kubeconfig,
      KUBE_CONFIG_PATHS: undefined,
      KUBECONFIG: undefined,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      ...(settings && { TF_CLI_CONFIG_FILE: join(settings, 'terraformrc') }),
    };
  }

  /** Opens the stack in `folder` against the cluster of `kubeconfig`; downloads nothing yet. */
  static async open(folder: string, kubeconfig: string): Promise<Terraform> {
    return new Terraform(folder, resolve(kubeconfig), await mirrorSettings(process.env['TERRAFORM_MIRROR']));
  }

  /** Gets the providers unless they are there already. Fails with what to do when they cannot be had. */
  async init(): Promise<void> {
    // Terraform's own init asks the registry even when it has everything, so a second run would need a network.
    if (await this.#isInitialised()) return;
    const result = await this.#attempt(['init', '-input=false']);
    if (result.exitCode === 0) return;
    const cause = new CommandError('terraform init', result);
    throw new Error(
      /provider/i.test(result.stderr) ? providersMissing(this.#settings !== undefined) : 'terraform init failed',
      { cause },
    );
  }

  /** Applies without asking; `onLine` is told what Terraform says about each resource. */
  async apply(onLine: (line: string) => void = () => undefined): Promise<void> {
    await this.#run(['apply', '-auto-approve', '-input=false'], progress(onLine));
  }

  /** Destroys without asking. */
  async destroy(onLine: (line: string) => void = () => undefined): Promise<void> {
    await this.#run(['destroy', '-auto-approve', '-input=false'], progress(onLine));
  }

  /** Plans; with `file` the plan is also kept there. */
  async plan(file?: string): Promise<Plan> {
    const args = ['plan', '-detailed-exitcode', '-input=false', ...(file === undefined ? [] : [`-out=${file}`])];
    const result = await this.#attempt(args);
    if (result.exitCode !== 0 && result.exitCode !== 2) throw new CommandError('terraform plan', result);
    return { changes: result.exitCode === 2, text: result.stdout };
  }

  /** A kept plan or, without a file, the state, as JSON text. */
  async show(file?: string): Promise<string> {
    return this.#run(['show', '-json', ...(file === undefined ? [] : [file])]);
  }

  /** Addresses of everything the state knows; none for a stack that was never applied. */
  async addresses(): Promise<readonly string[]> {
    const result = await this.#attempt(['state', 'list']);
    // Terraform calls a missing state an error; for the caller it is an empty one.
    return result.exitCode === 0 ? result.stdout.split('\n').filter((line) => line !== '') : [];
  }

  /** The stack's outputs. */
  async outputs(): Promise<Readonly<Record<string, unknown>>> {
    const outputs: Record<string, { value: unknown }> = JSON.parse(await this.#run(['output', '-json']));
    return Object.fromEntries(Object.entries(outputs).map(([name, { value }]) => [name, value]));
  }

  /** Removes what open() made. The stack's folder and its state stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#settings !== undefined) await rm(this.#settings, { recursive: true, force: true });
  }

  async #isInitialised(): Promise<boolean> {
    const backend = join(this.folder, '.terraform', 'terraform.tfstate');
    return existsSync(backend) && (await this.#attempt(['validate'])).exitCode === 0;
  }

  #attempt(args: readonly string[], onLine?: (line: string) => void): ReturnType<typeof attempt> {
    return attempt('terraform', [`-chdir=${this.folder}`, ...noColor(args)], {
      env: this.#env,
      ...(onLine && { onLine }),
    });
  }

  #run(args: readonly string[], onLine?: (line: string) => void): Promise<string> {
    return run('terraform', [`-chdir=${this.folder}`, ...noColor(args)], { env: this.#env, ...(onLine && { onLine }) });
  }
}

/** A folder with Terraform settings that allow the mirror and nothing else. */
async function mirrorSettings(mirror: string | undefined): Promise<string | undefined> {
  if (mirror === undefined || mirror === '') return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'terraform-settings-'));
  const block = `provider_installation {\n  filesystem_mirror { path = ${JSON.stringify(resolve(mirror))} }\n}\n`;
  await writeFile(join(folder, 'terraformrc'), block);
  return folder;
}

function providersMissing(mirrored: boolean): string {
  const where = mirrored ? 'in the folder that TERRAFORM_MIRROR names' : 'from the public registry';
  return (
    `Terraform could not get the providers hashicorp/kubernetes 2.38.0 and hashicorp/helm 3.1.1 ${where}. ` +
    'Let this machine reach the registry, or set TERRAFORM_MIRROR to a folder that holds both, laid out as ' +
    '<registry host>/hashicorp/<name>/terraform-provider-<name>_<version>_<os>_<arch>.zip, and run this again.'
  );
}

function noColor(args: readonly string[]): readonly string[] {
  const [command = '', ...rest] = args;
  return command === 'state' ? args : [command, '-no-color', ...rest];
}

/** Of all that Terraform prints while it works, the lines that say what happens to a resource. */
function progress(onLine: (line: string) => void): (line: string) => void {
  return (line) => {
    if (
      /: (Creating|Creation complete|Modif\w+|Destroying|Destruction complete|Still \w+)|^(Apply|Destroy) complete!|^No changes\./.test(
        line,
      )
    )
      onLine(line);
  };
}
