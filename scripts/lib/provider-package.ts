/**
 * The provider as a registry and a filesystem mirror want it: names of files and folders, zips, checksums, the manifest.
 * Invariant: the same program gives the same zip, byte for byte.
 */
import { createHash } from 'node:crypto';
import { chmod, copyFile, link, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { zip } from '../../testbed/zip.ts';
import { providerName, providerNamespace } from './provider-bundle.ts';

/** Terraform and OpenTofu each look in a registry of their own when the source names none. */
export const registries = ['registry.terraform.io', 'registry.opentofu.org'] as const;

/** A system and processor, in Go's words. */
export interface Platform {
  readonly os: string;
  readonly arch: string;
}

/** What a release consists of. */
export const platforms: readonly Platform[] = ['linux', 'darwin', 'windows'].flatMap((os) =>
  ['amd64', 'arm64'].map((arch) => ({ os, arch })),
);

/** The platform that this runs on. */
export const thisPlatform: Platform = {
  os: process.platform === 'win32' ? 'windows' : process.platform,
  arch: process.arch === 'x64' ? 'amd64' : process.arch,
};

/** Name of the program within zips and mirrors. */
export function programName(version: string, { os }: Platform = thisPlatform): string {
  return `terraform-provider-${providerName}_v${version}${os === 'windows' ? '.exe' : ''}`;
}

/** Path of the program below a filesystem mirror, in the unpacked layout. */
export function placeInMirror(registry: string, version: string): string {
  const { os, arch } = thisPlatform;
  const folder = join(registry, providerNamespace, providerName, version, `${os}_${arch}`);
  return join(folder, programName(version));
}

/** The folder in which Terraform and OpenTofu look without being told. */
export function impliedMirror(): string {
  const { APPDATA } = process.env;
  if (process.platform === 'win32')
    return join(APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'terraform.d', 'plugins');
  return join(homedir(), '.terraform.d', 'plugins');
}

/** Puts a program into a mirror for both registries. Returns whether another program of the same version was there before. */
export async function installInto(mirror: string, program: string, version: string): Promise<boolean> {
  const wanted = await readFile(program);
  let replaced = false;
  for (const registry of registries) {
    const target = join(mirror, placeInMirror(registry, version));
    await mkdir(dirname(target), { recursive: true });
    const former = await readFile(target).catch(() => undefined);
    replaced ||= former !== undefined && !former.equals(wanted);
    await place(program, target);
  }
  return replaced;
}

/** By rename: a Terraform that runs just now keeps the file that it has. */
async function place(program: string, target: string): Promise<void> {
  const partial = `${target}.partial`;
  await rm(partial, { force: true });
  // One file on disk where the file system allows it: an executable has 150 MB.
  await link(program, partial).catch(() => copyFile(program, partial));
  await chmod(partial, 0o755);
  await rename(partial, target);
}

/** Writes the zip of one platform into `folder`; returns its path. */
export async function packProgram(program: string, version: string, folder: string): Promise<string> {
  const { os, arch } = thisPlatform;
  const content = await readFile(program);
  const license = await readFile(join(import.meta.dirname, '../../LICENSE'));
  const file = join(folder, `terraform-provider-${providerName}_${version}_${os}_${arch}.zip`);
  await mkdir(folder, { recursive: true });
  const entries = [
    { name: 'LICENSE', content: license },
    { name: programName(version), content, mode: 0o755 },
  ];
  await writeFile(file, zip(entries));
  return file;
}

/**
 * Completes a release from the zips in `folder`: beside them the one file for machines that have a Node (`program`), the manifest and
 * SHA256SUMS, in the layout of https://developer.hashicorp.com/terraform/registry/providers/publishing. Returns the path of
 * SHA256SUMS, which is what gets signed.
 * @throws when the zip of a platform is missing
 */
export async function completeRelease(version: string, folder: string, program: string): Promise<string> {
  const prefix = `terraform-provider-${providerName}_${version}`;
  const zips = platforms.map(({ os, arch }) => `${prefix}_${os}_${arch}.zip`);
  const found = new Set(await readdir(folder));
  const missing = zips.filter((name) => !found.has(name));
  if (missing.length > 0) throw new Error(`The release of ${version} in ${folder} lacks: ${missing.join(', ')}`);
  const others = {
    [`${prefix}_node`]: program,
    [`${prefix}_manifest.json`]: JSON.stringify({ version: 1, metadata: { protocol_versions: ['6.0'] } }),
  };
  for (const [name, text] of Object.entries(others)) await writeFile(join(folder, name), text);
  const names = [...zips, ...Object.keys(others)].toSorted();
  const lines = names.map(async (name) => `${await sha256(join(folder, name))}  ${name}\n`);
  const sums = join(folder, `${prefix}_SHA256SUMS`);
  await writeFile(sums, (await Promise.all(lines)).join(''));
  return sums;
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex');
}
