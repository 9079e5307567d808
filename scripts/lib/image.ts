/**
 * The image of the syncer: its root file system, and an archive of it that any container runtime imports.
 *
 * The Dockerfile copies the same root file system, so both ways give the same image: Node with the libraries it is linked
 * against, and the bundled JavaScript. No shell, no package manager, nothing to write to.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { buildImageArchive } from '../../testbed/image-archive.ts';
import { withLock } from '../../testbed/lock.ts';
import { silent } from '../../testbed/log.ts';

const root = join(import.meta.dirname, '../..');
const output = join(root, 'dist/image');
const run = promisify(execFile);
/** Raised when the layout of the root file system changes, so that an archive of the old layout is not reused. */
const layoutVersion = 1;

export const syncerImageName = 'ghcr.io/cdktf-vcluster/syncer:0.1.0';

/**
 * A small young generation, and a way to ask for a collection at rest (syncer/service/thrift.ts): the syncer is idle most of the time,
 * and its memory is a tenant's price. What other flags would cost and save is in bench/profiles/flags.md.
 */
export const nodeFlags: readonly string[] = ['--max-semi-space-size=2', '--expose-gc'];

const config = {
  User: '65532:65532',
  WorkingDir: '/',
  Env: ['PATH=/usr/local/bin', 'NODE_ENV=production'],
  Entrypoint: ['/usr/local/bin/node', ...nodeFlags, '/app/syncer.mjs'],
};

export interface SyncerImage {
  readonly name: string;
  /** Path of the archive, as `ctr images import` and `docker load` take it. */
  readonly archive: string;
  /** Nothing had changed since the last time. */
  readonly reused: boolean;
}

/** Builds the archive dist/image/syncer.tar, or reuses it when nothing that goes into it has changed. One process at a time. */
export function buildSyncerImage(): Promise<SyncerImage> {
  return withLock(join(output, '.lock'), silent, buildUnlessDone);
}

async function buildUnlessDone(): Promise<SyncerImage> {
  const archive = join(output, 'syncer.tar');
  const stamp = `${archive}.sha256`;
  const bundles = await bundleSyncer(output);
  await removeFormer(bundles);
  const wanted = await inputHash(bundles);
  const found = existsSync(archive) && existsSync(stamp) ? (await readFile(stamp, 'utf8')).trim() : '';
  if (found === wanted) return { name: syncerImageName, archive, reused: true };
  const rootDir = join(output, 'rootfs');
  await buildRootFileSystem(rootDir);
  await rm(stamp, { force: true });
  await buildImageArchive({ rootDir, name: syncerImageName, config, out: archive });
  await writeFile(stamp, `${wanted}\n`);
  return { name: syncerImageName, archive, reused: false };
}

/** Makes the root file system of the image in an empty folder; what was there is removed. */
export async function buildRootFileSystem(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const node = join(folder, 'usr/local/bin/node');
  await copyInto(process.execPath, node);
  await chmod(node, 0o755);
  for (const library of await linkedLibraries(process.execPath)) await copyInto(library, join(folder, library));
  await bundleSyncer(join(folder, 'app'));
}

/** `syncer.mjs`, and beside it what it imports only when that is asked for. Returns the files that a start may read. */
export async function bundleSyncer(outdir: string): Promise<readonly string[]> {
  const { metafile } = await build({
    entryPoints: { syncer: join(root, 'syncer/main.ts') },
    outdir,
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: 'syncer-[hash]',
    metafile: true,
    absWorkingDir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    minify: false,
    logLevel: 'warning',
    // Packages that are still CommonJS ask for Node's own modules by `require`, which an ES module does not have.
    banner: {
      js: [
        "import { createRequire as createRequireForBundle } from 'node:module';",
        'const require = createRequireForBundle(import.meta.url);',
        'const __filename = import.meta.filename;',
        'const __dirname = import.meta.dirname;',
      ].join('\n'),
    },
  });
  return Object.keys(metafile.outputs)
    .map((file) => join(root, file))
    .toSorted();
}

/** The shared libraries of a program, with the loader; each at the path where the loader looks for it. */
async function linkedLibraries(program: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [program]);
  const missing = /^\s*(\S+) => not found/m.exec(stdout)?.[1];
  if (missing !== undefined) {
    throw new Error(`${program} needs the library ${missing}, which this machine lacks. Install it, then build again.`);
  }
  return [...stdout.matchAll(/(?:=>\s+|^\s*)(\/\S+)\s+\(0x/gm)].map((match) => match[1] ?? '').filter(Boolean);
}

/** Parts of earlier bundles have other names. */
async function removeFormer(bundles: readonly string[]): Promise<void> {
  const former = (await readdir(output)).map((name) => join(output, name)).filter((file) => file.endsWith('.mjs'));
  for (const file of former) if (!bundles.includes(file)) await rm(file, { force: true });
}

async function inputHash(bundles: readonly string[]): Promise<string> {
  const parts = [String(layoutVersion), syncerImageName, JSON.stringify(config), process.version, process.arch];
  const hash = createHash('sha256').update(parts.join('\n'));
  for (const bundle of bundles) hash.update(await readFile(bundle));
  return hash.digest('hex');
}

async function copyInto(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(from, to);
}
