/**
 * What has to be on the machine before anything is begun. A missing program is named together with the command that installs
 * it; nothing is installed behind the user's back.
 */
import { delimiter, join } from 'node:path';
import { access, constants } from 'node:fs/promises';
import { resolveBinary } from '../../testbed/index.ts';
import { run } from './command.ts';

/** Release that is recommended when there is none. */
const TERRAFORM_VERSION = '1.11.4';

/** Versions of Terraform before this one do not know what the stack uses. */
const TERRAFORM_OLDEST = [1, 5];

/** The programs of the story, found. */
export interface Prerequisites {
  readonly kubectl: string;
  readonly terraformVersion: string;
}

/** Finds everything or throws with what is missing and how to get it. */
export async function checkPrerequisites(log: (line: string) => void): Promise<Prerequisites> {
  const terraformVersion = await findTerraform();
  const kubectl =
    process.env['KUBECTL'] ?? ((await isOnPath('kubectl')) ? 'kubectl' : await resolveBinary('kubectl', log));
  return { kubectl, terraformVersion };
}

async function findTerraform(): Promise<string> {
  if (!(await isOnPath('terraform')))
    throw new Error(`terraform is not installed. Install it with:\n  ${installTerraform()}`);
  const told: { terraform_version: string } = JSON.parse(await run('terraform', ['version', '-json']));
  const [major = 0, minor = 0] = told.terraform_version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = TERRAFORM_OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return told.terraform_version;
  throw new Error(
    `terraform ${told.terraform_version} is too old, ${TERRAFORM_OLDEST.join('.')} is needed. Update it with:\n  ${installTerraform()}`,
  );
}

function installTerraform(): string {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const file = `terraform_${TERRAFORM_VERSION}_${process.platform}_${arch}.zip`;
  const url = `https://releases.hashicorp.com/terraform/${TERRAFORM_VERSION}/${file}`;
  return `curl -fsSLO ${url} && unzip -o ${file} terraform -d /usr/local/bin`;
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
