/**
 * `npm run provider:install`: builds the provider of this checkout and puts it where Terraform and OpenTofu find it, then says
 * what to write to use it.
 *
 *   (nothing)       into the folder in which both look by themselves; nothing needs to be configured
 *   --dir FOLDER    into a filesystem mirror of your own
 *   --executable    the form with a Node inside, instead of the one file that runs by the machine's Node
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf } from '../testbed/errors.ts';
import {
  bundleProvider,
  providerName,
  providerNamespace,
  providerVersion,
  withLauncher,
} from './lib/provider-bundle.ts';
import { buildExecutable } from './lib/provider-executable.ts';
import { impliedMirror, installInto, programName } from './lib/provider-package.ts';

interface Choice {
  /** The mirror. */
  readonly folder: string;
  readonly isImplied: boolean;
  readonly executable: boolean;
}

const source = `${providerNamespace}/${providerName}`;
const log = (line: string): void => void process.stdout.write(`${line}\n`);

async function install({ folder, isImplied, executable }: Choice): Promise<void> {
  const version = await providerVersion();
  const work = await mkdtemp(join(tmpdir(), 'provider-'));
  try {
    const program = join(work, programName(version));
    const bundle = await bundleProvider();
    if (executable) await buildExecutable(bundle, program, log);
    else await writeFile(program, await withLauncher(bundle, process.execPath), { mode: 0o755 });
    const replaced = await installInto(folder, program, version);
    log(`${source} ${version} is in ${folder}`);
    if (replaced) log(changedHint);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  log(`\nUse it with:\n\n${requirement(version)}`);
  if (!isImplied) log(`\nand in ~/.terraformrc (OpenTofu: ~/.tofurc):\n\n${installation(folder)}`);
}

const changedHint =
  'It was there in the same version with other content. Where `terraform init` has written it into .terraform.lock.hcl already, ' +
  `remove its block from that file and run \`terraform init\` again; else Terraform says "does not match any of the checksums".`;

function requirement(version: string): string {
  return `terraform {\n  required_providers {\n    ${providerName} = { source = "${source}", version = "${version}" }\n  }\n}`;
}

function installation(folder: string): string {
  const mine = JSON.stringify([`registry.terraform.io/${source}`, `registry.opentofu.org/${source}`]);
  const path = JSON.stringify(folder);
  return `provider_installation {\n  filesystem_mirror {\n    path    = ${path}\n    include = ${mine}\n  }\n  direct {\n    exclude = ${mine}\n  }\n}`;
}

try {
  if (process.platform === 'win32' && !process.argv.includes('--executable')) process.argv.push('--executable');
  const { values } = parseArgs({
    options: { executable: { type: 'boolean', default: false }, dir: { type: 'string' } },
  });
  const folder = values.dir === undefined ? impliedMirror() : resolve(values.dir);
  await install({ folder, isImplied: values.dir === undefined, executable: values.executable });
} catch (error) {
  process.stderr.write(`Error: ${messageOf(error)}\n`);
  process.exitCode = 1;
}
