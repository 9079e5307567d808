/**
 * Finds every program of the testbed, in this order: a path in the environment (KUBE_APISERVER=/path), PATH when the
 * version fits, the cache, the official release with its checksum, `go build` from the module under testbed/go.
 * Invariant: a file in the cache is complete (it gets its name by rename) and of the version its folder names; two runs
 * at once never fetch the same thing twice (one lock).
 */
import { execFile } from 'node:child_process';
import { access, chmod, constants, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { download, DownloadError } from './download.ts';
import { goBuild } from './go-build.ts';
import { withLock } from './lock.ts';
import { type Log, seconds } from './log.ts';
import { cacheDir } from './paths.ts';
import { type Program, type ProgramName, programs } from './pins.ts';
import { unzip } from './zip.ts';

const run = promisify(execFile);
const binDir = join(cacheDir, 'bin');
const resolved = new Map<ProgramName, string>();

/** Finds one program, fetching or building it when the machine does not have it; returns its absolute path. */
export async function resolveBinary(name: ProgramName, log: Log): Promise<string> {
  return (await resolveBinaries([name], log))(name);
}

/** Finds several programs; says which are there and, for the others, what is being done, n of m. Returns name → path. */
export async function resolveBinaries<N extends ProgramName>(
  names: readonly N[],
  log: Log,
): Promise<(name: N) => string> {
  const missing: N[] = [];
  for (const name of names) if ((await find(name)) === undefined) missing.push(name);
  if (missing.length > 0) {
    log(`Programs: ${names.length - missing.length} of ${names.length} are there; to fetch: ${missing.join(', ')}`);
    await withLock(join(binDir, '.lock'), log, () => obtainAll(missing, log));
  }
  return (name) => resolved.get(name) ?? cachePath(name);
}

/** Where the cache keeps a program. */
export function cachePath(name: ProgramName): string {
  const { component, version } = programs[name];
  return join(binDir, `${component}-${version}`, name);
}

/** The environment variable that names a program's path, e.g. KUBE_APISERVER. */
export function environmentName(name: ProgramName): string {
  return name.toUpperCase().replaceAll('-', '_');
}

async function find(name: ProgramName): Promise<string | undefined> {
  const known = resolved.get(name);
  if (known !== undefined) return known;
  const path = (await fromEnvironment(name)) ?? (await fromPath(name)) ?? (await fromCache(name));
  if (path !== undefined) resolved.set(name, path);
  return path;
}

async function fromEnvironment(name: ProgramName): Promise<string | undefined> {
  const variable = environmentName(name);
  const path = process.env[variable];
  if (path === undefined || path === '') return undefined;
  if (await isExecutable(path)) return path;
  throw new Error(
    `${variable} names ${path} as the ${name} to use, but that is no executable file. Correct or unset ${variable}`,
  );
}

async function fromPath(name: ProgramName): Promise<string | undefined> {
  const program: Program = programs[name];
  if (program.versionArgs === undefined) return undefined;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, name);
    if ((await isExecutable(path)) && (await reportsVersion(path, program.versionArgs, program.version))) return path;
  }
  return undefined;
}

async function reportsVersion(path: string, args: readonly string[], version: string): Promise<boolean> {
  try {
    // Terraform would ask its maker for news.
    const env = { ...process.env, CHECKPOINT_DISABLE: '1' };
    const { stdout, stderr } = await run(path, args, { timeout: 5000, env });
    return mentionsVersion(stdout + stderr, version);
  } catch {
    // A program that cannot even tell its version is not one to use.
    return false;
  }
}

/** Whether a program's own words name exactly this version (1.36.3 is not 1.36.30 and not 11.36.3). */
export function mentionsVersion(output: string, version: string): boolean {
  return new RegExp(`(^|[^0-9.])${version.replaceAll('.', String.raw`\.`)}($|[^0-9.]|\\.($|\\s))`, 'm').test(output);
}

async function fromCache(name: ProgramName): Promise<string | undefined> {
  const path = cachePath(name);
  return (await isExecutable(path)) ? path : undefined;
}

async function obtainAll(names: readonly ProgramName[], log: Log): Promise<void> {
  for (const [index, name] of names.entries()) {
    // Whoever held the lock before may have fetched it.
    if ((await find(name)) !== undefined) continue;
    await obtain(name, `[${index + 1}/${names.length}] ${name} ${programs[name].version}`, log);
    resolved.set(name, cachePath(name));
  }
}

async function obtain(name: ProgramName, title: string, log: Log): Promise<void> {
  const startedMs = Date.now();
  const program: Program = programs[name];
  await mkdir(join(binDir, `${program.component}-${program.version}`), { recursive: true });
  const workDir = await mkdtemp(join(binDir, '.partial-'));
  try {
    const file = (await released(program, { workDir, title, log })) ?? (await built(program, { workDir, title, log }));
    await chmod(file, 0o755);
    await rename(file, cachePath(name));
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
  log(`${title}: ready after ${seconds(startedMs)}`);
}

interface Attempt {
  readonly workDir: string;
  readonly title: string;
  readonly log: Log;
}

async function released({ release }: Program, { workDir, title, log }: Attempt): Promise<string | undefined> {
  if (release === undefined) return undefined;
  const file = join(workDir, 'download');
  try {
    log(`${title}: downloading ${release.url}`);
    await download(release, file, log);
    if (release.member === undefined) return file;
    return await unpack(file, release.member, workDir);
  } catch (error) {
    if (!(error instanceof DownloadError)) throw error;
    log(`${title}: no download (${error.message})`);
    return undefined;
  }
}

async function unpack(archive: string, member: string, folder: string): Promise<string> {
  const target = join(folder, member);
  const content = await readFile(archive);
  // The first two bytes of every zip archive.
  if (content.toString('latin1', 0, 2) === 'PK') await writeFile(target, unzip(content, member));
  else await run('tar', ['-xzf', archive, '-C', folder, member]);
  return target;
}

async function built(program: Program, { workDir, title, log }: Attempt): Promise<string> {
  log(`${title}: building from source with go (minutes when nothing is compiled yet)`);
  const file = join(workDir, 'built');
  await goBuild(program, file, log);
  return file;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
