/**
 * What has to be on the machine before anything is begun: kubectl and terraform. What is missing goes into the testbed's cache,
 * as an official release or built from source; nothing is installed into the system.
 */
import { delimiter, join } from 'node:path';
import { access, constants } from 'node:fs/promises';
import { resolveBinary } from '../../testbed/index.ts';
import { run } from './command.ts';

/** Versions of Terraform before this one do not know what the stack uses. */
const TERRAFORM_OLDEST = [1, 5] as const;

/** The programs of the story, found. */
export interface Prerequisites {
  readonly kubectl: string;
  readonly terraform: string;
  readonly terraformVersion: string;
}

/** Finds everything, fetching or building what is missing; throws with what is missing and how to get it. */
export async function checkPrerequisites(log: (line: string) => void): Promise<Prerequisites> {
  const terraform = await findTerraform(log);
  const kubectl =
    process.env['KUBECTL'] ?? ((await isOnPath('kubectl')) ? 'kubectl' : await resolveBinary('kubectl', log));
  return { kubectl, terraform, terraformVersion: await versionOf(terraform) };
}

/** The one of the PATH when it is new enough, whatever its version; else the pinned one. */
async function findTerraform(log: (line: string) => void): Promise<string> {
  if (!process.env['TERRAFORM'] && (await isOnPath('terraform'))) {
    const version = await versionOf('terraform');
    if (isNewEnough(version)) return 'terraform';
    log(`terraform ${version} of the PATH is too old (${TERRAFORM_OLDEST.join('.')} is needed) and stays unused`);
  }
  return resolveBinary('terraform', log);
}

async function versionOf(terraform: string): Promise<string> {
  const env = { CHECKPOINT_DISABLE: '1' };
  const told: { terraform_version: string } = JSON.parse(await run(terraform, ['version', '-json'], { env }));
  return told.terraform_version;
}

function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = TERRAFORM_OLDEST;
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
}

async function isOnPath(program: string): Promise<boolean> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter(Boolean);
  const found = await Promise.all(folders.map((folder) => isExecutable(join(folder, program))));
  return found.includes(true);
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
