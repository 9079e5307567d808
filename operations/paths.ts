/** Where files of ours lie on the machine of a user: a cache that may be lost at any time, and private folders that go at the end. */
import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

/** Of this user: $VCLUSTER_CACHE, else the place that the system has for caches. */
export function userCache(env: Readonly<Record<string, string | undefined>> = process.env): string {
  const given = env['VCLUSTER_CACHE'];
  if (given) return given;
  return join(systemCache(env), 'cdktf-vcluster');
}

function systemCache(env: Readonly<Record<string, string | undefined>>): string {
  if (process.platform === 'win32') return env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches');
  return env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
}

/** Begins the path of every temporary folder of this process: by it a later one knows whose it was (`removeAbandoned`). */
export function temporaryPrefix(): string {
  return join(tmpdir(), `vcluster-${process.pid}-`);
}

/** A folder that only this user may enter; removed with all that is in it when it is disposed of. */
export class PrivateFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** `prefix` begins its path; by default it is among the system's temporary files. */
  static async open(prefix: string = temporaryPrefix()): Promise<PrivateFolder> {
    // Whoever makes such a folder may well be killed too; and nobody waits for the clearing up.
    void removeAbandoned(tmpdir());
    // Made with mode 0700.
    return new PrivateFolder(await mkdtemp(prefix));
  }

  /** Writes a file that only this user may read; returns its path. */
  async write(name: string, content: string): Promise<string> {
    const path = join(this.path, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}

/** Longer than any command: seen from a container, the process of another one seems to be gone. */
const abandonedAfterMs = 24 * 3_600_000;

/**
 * Removes the temporary folders of this user's processes that were killed: a kubeconfig may be in them. Never fails; what
 * cannot be told for sure stays.
 */
export async function removeAbandoned(parent: string): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = /^vcluster-(\d+)-/.exec(name)?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    const path = join(parent, name);
    if (await isOldAndOurs(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function isOldAndOurs(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true) return false;
  // On Windows, where users have no numbers, the folder for temporary files is the user's own.
  const isOurs = found.uid === (process.getuid?.() ?? found.uid);
  return isOurs && Date.now() - found.mtimeMs > abandonedAfterMs;
}
