/**
 * From where Terraform and OpenTofu get providers when they are driven by our scripts and tests: ours from a filesystem mirror,
 * all others from the folder that TERRAFORM_MIRROR names, or else from their registry. Written as a settings file of its own,
 * so the user's settings are left alone. Where there is nothing to say, the user's own settings hold.
 */
import { existsSync } from 'node:fs';
import { copyFile, link, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { providerName, providerNamespace } from './provider-bundle.ts';
import { registries } from './provider-package.ts';

/** Where providers come from. */
export interface Sources {
  /** A filesystem mirror with our provider in it, as provider-mirror.ts makes one. */
  readonly ours?: string | undefined;
  /** A filesystem mirror with all other providers, as TERRAFORM_MIRROR names it. */
  readonly others?: string | undefined;
}

const [terraformRegistry, tofuRegistry] = registries;
const ourAddresses = JSON.stringify(registries.map((registry) => `${registry}/${providerNamespace}/${providerName}`));

/** Writes settings into a new folder; returns it, or undefined when none are needed. The caller removes it. */
export async function writeSettings({ ours, others }: Sources): Promise<string | undefined> {
  if (!ours && !others) return undefined;
  const folder = await mkdtemp(join(tmpdir(), 'terraform-settings-'));
  const mirrors = others ? [resolve(others), await forTofu(resolve(others), join(folder, 'tofu'))] : [];
  await writeFile(join(folder, 'terraformrc'), settingsText(ours && resolve(ours), mirrors));
  return folder;
}

/** The settings themselves. Pure. Without a mirror for the others they come from their registry. */
export function settingsText(ours: string | undefined, mirrors: readonly string[]): string {
  const mine =
    ours === undefined ? [] : [block('filesystem_mirror', { path: JSON.stringify(ours), include: ourAddresses })];
  const except = ours === undefined ? {} : { exclude: ourAddresses };
  const theirs = mirrors.map((path) => block('filesystem_mirror', { path: JSON.stringify(path), ...except }));
  const methods = [...mine, ...(mirrors.length > 0 ? theirs : [block('direct', except)])];
  return `provider_installation {\n${methods.join('')}}\n`;
}

function block(name: string, values: Readonly<Record<string, string>>): string {
  const lines = Object.entries(values).map(([key, value]) => `    ${key} = ${value}\n`);
  return `  ${name} {\n${lines.join('')}  }\n`;
}

/**
 * The same mirror under the name of OpenTofu's registry, which is where OpenTofu looks for `hashicorp/kubernetes`: both
 * registries serve the same builds. Links where the file system can.
 */
async function forTofu(mirror: string, folder: string): Promise<string> {
  const from = join(mirror, terraformRegistry);
  await mkdir(folder, { recursive: true });
  if (!existsSync(from) || existsSync(join(mirror, tofuRegistry))) return folder;
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const source = join(entry.parentPath, entry.name);
    const target = join(folder, tofuRegistry, source.slice(from.length));
    await mkdir(dirname(target), { recursive: true });
    await link(source, target).catch(() => copyFile(source, target));
  }
  return folder;
}
