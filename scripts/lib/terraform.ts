/**
 * Terraform (or OpenTofu) on one synthesised stack, as a user would run it. The host cluster is given by KUBE_CONFIG_PATH, so the
 * program on disk names no path. Where TERRAFORM_MIRROR names a folder, providers come from there and from nowhere else, ours
 * from the mirror that the caller gives; otherwise the user's own Terraform settings hold. Telemetry is always off.
 */
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { attempt, CommandError, run } from './command.ts';
import { providerName, providerNamespace, providerVersion } from './provider-bundle.ts';
import { placeInMirror, registries } from './provider-package.ts';
import { writeSettings } from './terraform-settings.ts';

/** Terraform's and OpenTofu's words for a provider that no source has, or whose source does not answer. */
const cannotBeHad = /Failed to (?:query available provider packages|resolve provider packages|install provider)/;

/** How a stack is worked on; everything has a default. */
export interface TerraformOptions {
  /** Path of terraform or tofu. Default: `terraform` of the PATH. */
  readonly binary?: string;
  /** A filesystem mirror with our provider (provider-mirror.ts). Default: none, so ours comes from where the others do. */
  readonly providerMirror?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The providers of a stack cannot be had. */
export class ProvidersMissingError extends Error {
  override readonly name = 'ProvidersMissingError';
}

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
  readonly #options: TerraformOptions;
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(folder: string, kubeconfig: string, options: TerraformOptions, settings: string | undefined) {
    this.folder = folder;
    this.#settings = settings;
    this.#options = options;
    this.#env = {
      KUBE_CONFIG_PATH: kubeconfig,
      KUBE_CONFIG_PATHS: undefined,
      KUBECONFIG: undefined,
      CHECKPOINT_DISABLE: '1',
      TF_IN_AUTOMATION: '1',
      ...(settings && { TF_CLI_CONFIG_FILE: join(settings, 'terraformrc') }),
      ...options.env,
    };
  }

  /** Opens the stack in `folder` against the cluster of `kubeconfig`; downloads nothing yet. */
  static async open(folder: string, kubeconfig: string, options: TerraformOptions = {}): Promise<Terraform> {
    const settings = await writeSettings({ ours: options.providerMirror, others: process.env['TERRAFORM_MIRROR'] });
    return new Terraform(folder, resolve(kubeconfig), options, settings);
  }

  /** Gets the providers unless they are there already. Fails with what to do when they cannot be had. */
  async init(): Promise<void> {
    // Terraform's own init asks the registry even when it has everything, so a second run would need a network.
    if (await this.#isInitialised()) return;
    await this.#forgetOurs();
    const result = await this.#attempt(['init', '-input=false']);
    if (result.exitCode === 0) return;
    const cause = new CommandError('terraform init', result);
    if (!cannotBeHad.test(result.stderr)) throw new Error('terraform init failed', { cause });
    throw new ProvidersMissingError(providersMissing(), { cause });
  }

  /** Checks the configuration without asking any cluster. */
  async validate(): Promise<void> {
    await this.#run(['validate']);
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
    return existsSync(backend) && (await this.#hasOurs()) && (await this.#attempt(['validate'])).exitCode === 0;
  }

  /** Whether the provider that Terraform would start is the one of the mirror, and not one that was built earlier. */
  async #hasOurs(): Promise<boolean> {
    const { providerMirror } = this.#options;
    if (providerMirror === undefined) return true;
    const version = await providerVersion();
    const places = registries.map((registry) => placeInMirror(registry, version));
    const installed = places.map((place) => join(this.folder, '.terraform', 'providers', place)).filter(existsSync);
    const wanted = await readFile(join(providerMirror, places[0] ?? ''));
    const contents = await Promise.all(installed.map((path) => readFile(path)));
    return contents.every((content) => content.equals(wanted));
  }

  /** What we build ourselves changes without a new version, and a lock of what it was would refuse it. */
  async #forgetOurs(): Promise<void> {
    const lock = join(this.folder, '.terraform.lock.hcl');
    if (this.#options.providerMirror === undefined || !existsSync(lock)) return;
    const text = await readFile(lock, 'utf8');
    const blocks = new RegExp(
      `^provider "[^"]*/${providerNamespace}/${providerName}" \\{\\n(?:[^}].*\\n|\\n)*\\}\\n`,
      'gm',
    );
    await writeFile(lock, text.replaceAll(blocks, ''));
  }

  #attempt(args: readonly string[], onLine?: (line: string) => void): ReturnType<typeof attempt> {
    return attempt(...this.#command(args, onLine));
  }

  #run(args: readonly string[], onLine?: (line: string) => void): Promise<string> {
    return run(...this.#command(args, onLine));
  }

  #command(args: readonly string[], onLine?: (line: string) => void): Parameters<typeof run> {
    const { binary = 'terraform' } = this.#options;
    return [binary, [`-chdir=${this.folder}`, ...noColor(args)], { env: this.#env, ...(onLine && { onLine }) }];
  }
}

function providersMissing(): string {
  const where = process.env['TERRAFORM_MIRROR']
    ? 'in the folder that TERRAFORM_MIRROR names'
    : 'from the public registry';
  return (
    `Terraform could not get the providers of this stack ${where}. ` +
    'Let this machine reach the registry, or set TERRAFORM_MIRROR to a folder that holds them, laid out as ' +
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
