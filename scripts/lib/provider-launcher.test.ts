/** The launcher in front of a bundle: which Node it takes, what it says when there is none, and what it lets through. */
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withLauncher } from './provider-bundle.ts';

const program =
  'console.log(JSON.stringify({ version: process.version, path: process.execPath, kind: typeof module, options: process.env.NODE_OPTIONS ?? null, nodePath: process.env.NODE_PATH ?? null, args: process.argv.slice(2) }));\n';
const system = '/usr/bin:/bin';
const cookie = { TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2' };

let folder: string;
let file: string;

interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the file with this environment and no other. */
function start(env: Readonly<Record<string, string>>, path = file, args: readonly string[] = []): Promise<Said> {
  return new Promise((resolve) => {
    execFile(path, args, { env: { HOME: folder, ...env }, cwd: folder }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

/** A folder whose `node` says that it is this version and does nothing else. */
async function folderWithNode(version: string): Promise<string> {
  const path = join(folder, version);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'node'), `#!/bin/sh\necho ${version}\n`);
  await chmod(join(path, 'node'), 0o755);
  return path;
}

async function folderWithThisNode(): Promise<string> {
  const path = join(folder, 'this');
  await mkdir(path, { recursive: true });
  await symlink(process.execPath, join(path, 'node')).catch(() => undefined);
  return path;
}

describe.skipIf(process.platform === 'win32')('launcher', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'launcher-'));
    file = join(folder, 'terraform-provider-vcluster_v0.0.1');
    await writeFile(file, await withLauncher(program), { mode: 0o755 });
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('takes the Node of VCLUSTER_NODE', async () => {
    const { stdout, code } = await start({ VCLUSTER_NODE: process.execPath, PATH: system });
    expect(JSON.parse(stdout)).toMatchObject({ version: process.version, kind: 'object' });
    expect(code).toBe(0);
  });

  test('passes arguments on, and not to Node', async () => {
    const { stdout } = await start({ VCLUSTER_NODE: process.execPath, PATH: system }, file, ['--debug', 'two words']);
    expect(JSON.parse(stdout)).toMatchObject({ args: ['--debug', 'two words'] });
  });

  test('runs below a package.json with "type": "module"', async () => {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
    const { stdout } = await start({ VCLUSTER_NODE: process.execPath, PATH: system });
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'object' });
    await rm(join(folder, 'package.json'));
  });

  test('passes over what is too old on PATH, and over what is no Node', async () => {
    const old = [await folderWithNode('v20.20.2'), await folderWithNode('v22.18.9'), await folderWithNode('hello')];
    const PATH = [...old, await folderWithThisNode(), system].join(delimiter);
    expect(JSON.parse((await start({ PATH })).stdout)).toMatchObject({ version: process.version });
  });

  test('takes the Node it was installed with before PATH', async () => {
    const installed = join(folder, 'installed');
    await writeFile(installed, await withLauncher(program, process.execPath), { mode: 0o755 });
    const PATH = [await folderWithNode('v20.20.2'), system].join(delimiter);
    expect(JSON.parse((await start({ PATH }, installed)).stdout)).toMatchObject({ path: process.execPath });
  });

  test('says on one line of standard output, where Terraform reads it, what it looked for and what to do', async () => {
    const PATH = [await folderWithNode('v20.20.2'), await folderWithNode('v22.18.9')].join(delimiter);
    const { stdout, code } = await start({ PATH, ...cookie });
    expect(stdout).toMatch(/^The provider vcluster .* needs Node 22\.19 or later; .*\n$/);
    expect(stdout).toContain('v20.20.2/node is v20.20.2, ');
    expect(stdout).toContain('set VCLUSTER_NODE');
    // Terraform takes four parts for a handshake.
    expect(stdout.split('|').length).toBe(1);
    expect(code).toBe(1);
  });

  test('does not look elsewhere when VCLUSTER_NODE cannot be used, and tells a person on standard error', async () => {
    const VCLUSTER_NODE = join(await folderWithNode('v20.20.2'), 'node');
    const PATH = [await folderWithThisNode(), system].join(delimiter);
    const tooOld = await start({ VCLUSTER_NODE, PATH });
    expect(tooOld).toMatchObject({ code: 1, stdout: '' });
    expect(tooOld.stderr).toContain(`Error: The provider vcluster`);
    expect(tooOld.stderr).toContain(`(${VCLUSTER_NODE} is v20.20.2)`);
    const absent = await start({ VCLUSTER_NODE: join(folder, 'absent'), PATH });
    expect(absent.stderr).toContain('which cannot be used. Correct or unset VCLUSTER_NODE');
  });

  test('options of Node from outside load nothing into it', async () => {
    const evil = join(folder, 'evil.cjs');
    await writeFile(evil, "console.log('loaded')\n");
    const env = { VCLUSTER_NODE: process.execPath, PATH: system, NODE_PATH: folder, NODE_OPTIONS: `--require=${evil}` };
    const { stdout } = await start(env);
    expect(stdout).not.toContain('loaded');
    expect(JSON.parse(stdout)).toMatchObject({ options: '', nodePath: null });
    const chosen = await start({ ...env, VCLUSTER_NODE_OPTIONS: `--require=${evil}` });
    expect(chosen.stdout).toContain('loaded');
  });

  test('options of Node from outside that this Node does not take are no reason to pass it over', async () => {
    const env = { VCLUSTER_NODE: process.execPath, PATH: system, NODE_OPTIONS: '--no-such-option' };
    expect(JSON.parse((await start(env)).stdout)).toMatchObject({ version: process.version });
  });
});
