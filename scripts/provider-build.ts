/**
 * `npm run provider:build`: the Terraform provider into dist/provider.
 *
 *   (nothing)          one file behind a launcher, for machines with Node 22.19 or later
 *   --executable       also one executable with a Node inside, for this platform, and its zip as the registry wants it
 *   --complete FOLDER  a release: beside the zips of all platforms the one file, the manifest and SHA256SUMS
 */
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../testbed/errors.ts';
import { bundleProvider, providerVersion, withLauncher } from './lib/provider-bundle.ts';
import { buildExecutable } from './lib/provider-executable.ts';
import { completeRelease, packProgram, programName, thisPlatform } from './lib/provider-package.ts';

const output = join(import.meta.dirname, '../dist/provider');
const log = (line: string): void => void process.stdout.write(`${line}\n`);

async function buildAll(withExecutable: boolean): Promise<void> {
  const version = await providerVersion();
  const bundle = await bundleProvider();
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });
  const file = join(output, programName(version, { os: 'any', arch: 'any' }));
  await writeFile(file, await withLauncher(bundle), { mode: 0o755 });
  await tell(file);
  if (!withExecutable) return;
  const { os, arch } = thisPlatform;
  const executable = join(output, `${os}_${arch}`, programName(version));
  await buildExecutable(bundle, executable, log);
  await tell(executable);
  await tell(await packProgram(executable, version, output));
}

async function complete(folder: string): Promise<void> {
  log(await completeRelease(await providerVersion(), folder, await withLauncher(await bundleProvider())));
}

async function tell(file: string): Promise<void> {
  log(`${file} (${((await stat(file)).size / 1e6).toFixed(1)} MB)`);
}

try {
  const { values } = parseArgs({
    options: { executable: { type: 'boolean', default: false }, complete: { type: 'string' } },
  });
  if (values.complete === undefined) await buildAll(values.executable);
  else await complete(values.complete);
} catch (error) {
  process.stderr.write(`Error: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
