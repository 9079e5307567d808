/**
 * Terraform and OpenTofu with our provider installed as a user has it: built, in a filesystem mirror, found by `init` and started
 * by them. For tests of what is given out; test/support/provider.ts attaches to a provider in a process of the test instead,
 * which starts faster and can be debugged.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { provideProvider } from '../../scripts/lib/provider-mirror.ts';
import type { ProviderForm } from '../../scripts/lib/provider-mirror.ts';
import { Terraform } from '../../scripts/lib/terraform.ts';
import { resolveBinary, toStderr } from '../../testbed/index.ts';

/** Whom a configuration is given to. */
export type Tool = 'terraform' | 'tofu';

export const tools: readonly Tool[] = ['terraform', 'tofu'];

/** What a test chooses. */
export interface Installed {
  readonly tool?: Tool;
  readonly form?: ProviderForm;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Opens a folder with a configuration, with the provider of this checkout installed. `init()` is still to be called. */
export async function openInstalled(folder: string, kubeconfig: string, choice: Installed = {}): Promise<Terraform> {
  const { tool = 'terraform', form = 'bundle', env = {} } = choice;
  const binary = await resolveBinary(tool, toStderr);
  const providerMirror = await provideProvider(form, toStderr);
  return Terraform.open(folder, kubeconfig, { binary, providerMirror, env });
}

/** Writes files of a configuration, path → text. */
export async function writeConfiguration(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
