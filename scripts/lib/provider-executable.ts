/**
 * The provider as one executable that needs no Node: a Node with the bundle inside (a "single executable application"). It is
 * made by a Node that can do so by itself (`--build-sea`), which is newer than the one of this repository: npm brings it,
 * pinned, into the cache. Made for the machine that this runs on; the release workflow runs it on each platform.
 */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDir } from '../../testbed/index.ts';
import { run } from './command.ts';

/** The Node inside. The first with `--build-sea` was 25.5; 26 becomes the next long-term release. */
export const embeddedNodeVersion = '26.10.0';

type Log = (line: string) => void;

/** Writes an executable with the bundle in it, for this platform. Takes half a minute; about 150 MB. */
export async function buildExecutable(bundle: string, file: string, log: Log): Promise<void> {
  const node = await nodeWithin(log);
  await mkdir(dirname(file), { recursive: true });
  const folder = await mkdtemp(join(dirname(file), '.partial-'));
  try {
    const output = join(folder, 'provider');
    await writeFile(join(folder, 'provider.cjs'), bundle);
    await writeFile(join(folder, 'sea.json'), JSON.stringify(configuration(join(folder, 'provider.cjs'), output)));
    await run(node, ['--build-sea', join(folder, 'sea.json')], { cwd: folder });
    // macOS runs no binary of Apple silicon without a signature, and putting the bundle in has broken the one it had.
    if (process.platform === 'darwin') await run('codesign', ['--force', '--sign', '-', output]);
    await rename(output, file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function configuration(main: string, output: string): object {
  return {
    main,
    output,
    mainFormat: 'commonjs',
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: true,
    // As in the launcher: options of Node from outside would load other code.
    execArgvExtension: 'none',
  };
}

async function nodeWithin(log: Log): Promise<string> {
  if (process.versions.node === embeddedNodeVersion) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const folder = join(cacheDir, 'embedded-node', embeddedNodeVersion);
  const binary = process.platform === 'win32' ? 'node.exe' : 'node';
  const node = join(folder, 'node_modules', name, 'bin', binary);
  if (existsSync(node)) return node;
  log(`fetching Node ${embeddedNodeVersion}, which goes into the executable (npm package ${name})`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  const args = ['install', '--prefix', folder, '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact'];
  await npm([...args, `${name}@${embeddedNodeVersion}`], folder);
  await verifyVersion(node);
  return node;
}

/** Below `npm run` by the script that npm names: on Windows `npm` itself is no program that can be started. */
async function npm(args: readonly string[], cwd: string): Promise<void> {
  const script = process.env['npm_execpath'];
  if (script?.endsWith('npm-cli.js')) await run(process.execPath, [script, ...args], { cwd });
  else await run('npm', args, { cwd });
}

async function verifyVersion(node: string): Promise<void> {
  const version = (await run(node, ['--version'])).trim();
  if (version === `v${embeddedNodeVersion}`) return;
  throw new Error(
    `${node} is Node ${version}, and ${embeddedNodeVersion} was asked for. Remove its folder and run this again.`,
  );
}
