/**
 * Debian packages that a node needs and a plain machine lacks; they are installed once and stay.
 * A machine without apt-get is told which programs are missing.
 */
import { execFile } from 'node:child_process';
import { access, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { codeOf, messageOf } from './errors.ts';
import { type Log, step } from './log.ts';

const run = promisify(execFile);
const timeoutMs = 600_000;
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Package → a file that shows that it is there; a bare name is looked for where system programs lie. */
const nodePackages: Readonly<Record<string, string>> = {
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  runc: 'runc',
  iptables: 'iptables',
  conntrack: 'conntrack',
  iproute2: 'ip',
  'libcap2-bin': 'setcap',
};

let updated = false;

/** Installs what a node needs and is not there. */
export async function ensureNodePackages(log: Log): Promise<void> {
  const missing: string[] = [];
  for (const [name, file] of Object.entries(nodePackages)) if (!(await exists(file))) missing.push(name);
  if (missing.length === 0) return;
  log(`Debian packages to install: ${missing.join(', ')}`);
  await step(log, 'Debian packages', async () => {
    await update();
    await apt(['install', '-y', '--no-install-recommends', ...missing], `install the packages ${missing.join(', ')}`);
  });
}

/** Unpacks one Debian package into a folder without installing it. */
export async function unpackPackage(name: string, target: string): Promise<void> {
  await update();
  const workDir = await mkdtemp(join(tmpdir(), 'testbed-deb-'));
  try {
    await apt(['-o', 'APT::Sandbox::User=root', 'download', name], `download the package ${name}`, workDir);
    const [file] = (await readdir(workDir)).filter((entry) => entry.endsWith('.deb'));
    if (file === undefined) throw new Error(`apt-get downloaded no file for the package ${name}`);
    await run('dpkg-deb', ['-x', join(workDir, file), target]);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

async function update(): Promise<void> {
  if (updated) return;
  await apt(['update'], 'update the package lists');
  updated = true;
}

async function apt(args: readonly string[], what: string, cwd = '/'): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  try {
    await run('apt-get', ['-q', ...args], { cwd, env, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const why =
      codeOf(error) === 'ENOENT'
        ? `this machine has no apt-get. A node needs ${Object.values(nodePackages).join(', ')}: install them by hand`
        : `${messageOf(error)}\nTry it by hand: apt-get ${args.join(' ')}`;
    throw new Error(`Could not ${what}: ${why}`, { cause: error });
  }
}

async function exists(file: string): Promise<boolean> {
  const candidates = file.startsWith('/') ? [file] : folders.map((folder) => join(folder, file));
  for (const candidate of candidates) {
    try {
      await access(candidate);
      return true;
    } catch {
      // Look at the next folder.
    }
  }
  return false;
}
