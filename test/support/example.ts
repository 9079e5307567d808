/**
 * The life of an example at node level: as a user copies it, applies it, applies it again, changes something and destroys it; on a
 * real node, with the provider of this checkout installed.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findHost, provideImage } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { checkPrerequisites } from '../../scripts/lib/prerequisites.ts';
import { outFolder, root, synthesise } from '../../scripts/lib/stack.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { openInstalled } from './terraform.ts';
import type { Installed } from './terraform.ts';
import { toStderr as log } from '../../testbed/index.ts';

/** The host cluster of the examples, with the syncer's image on its node. */
export async function exampleHost(): Promise<Kubectl> {
  const { kubectl } = await checkPrerequisites(log);
  const host = await findHost(kubectl, log);
  await provideImage(host, log);
  return host.kubectl;
}

/** A folder of this run; where examples are copied and synthesised to. */
export class Workshop implements AsyncDisposable {
  readonly folder: string;
  readonly #host: Kubectl;
  readonly #opened: Terraform[] = [];

  private constructor(folder: string, host: Kubectl) {
    this.folder = folder;
    this.#host = host;
  }

  static async open(host: Kubectl): Promise<Workshop> {
    // Below the checkout, because a program finds its packages by its place.
    return new Workshop(await mkdtemp(join(outFolder, 'example-')), host);
  }

  /** A copy of an example in plain Terraform, initialised. */
  async configuration(example: string, choice: Installed): Promise<Terraform> {
    const folder = join(this.folder, `${example}-${choice.tool ?? 'terraform'}`);
    await cp(join(root, 'examples', example), folder, { recursive: true });
    return this.#initialised(folder, choice);
  }

  /** The same folder with another choice, such as another environment. */
  async reopened({ folder }: Terraform, choice: Installed): Promise<Terraform> {
    return this.#initialised(folder, choice);
  }

  /** The stack of an example's program, initialised. */
  async program(example: string, stack: string, env: Readonly<Record<string, string>>): Promise<Terraform> {
    return this.#initialised(await this.synthesise(example, stack, env), {});
  }

  /** Synthesises an example's program; again into the same folder when it was done before. */
  synthesise(example: string, stack: string, env: Readonly<Record<string, string>>): Promise<string> {
    const program = join(root, 'examples', example, 'main.ts');
    return synthesise({ program, stack, outdir: join(this.folder, example), env }, this.#host.kubeconfig);
  }

  /** Destroys whatever is still there, then removes the folder; where that fails, the state stays for who has to clean up. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const terraform of this.#opened) {
      if ((await terraform.addresses()).length > 0) await terraform.destroy(log);
      await terraform[Symbol.asyncDispose]();
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  async #initialised(folder: string, choice: Installed): Promise<Terraform> {
    const terraform = await openInstalled(folder, this.#host.kubeconfig, choice);
    this.#opened.push(terraform);
    await terraform.init();
    return terraform;
  }
}

/** Applies; what Terraform says stands in the output of the test run. */
export async function apply(terraform: Terraform): Promise<readonly string[]> {
  const said: string[] = [];
  await terraform.apply((line) => {
    said.push(line);
    log(line);
  });
  return said;
}
