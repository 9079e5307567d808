/** Where files of ours lie on the machine of a user: a cache that may be lost at any time, and private folders that go at the end. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
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

/** A folder that only this user may enter; removed with all that is in it when it is disposed of. */
export class PrivateFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async open(parent: string = tmpdir(), prefix = 'vcluster-'): Promise<PrivateFolder> {
    // Made with mode 0700.
    return new PrivateFolder(await mkdtemp(join(parent, prefix)));
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
