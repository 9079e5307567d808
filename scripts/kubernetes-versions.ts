/**
 * Writes config/kubernetes-releases.json: which Kubernetes releases exist for each supported minor version.
 *
 * Run by hand when a release appears (`node scripts/kubernetes-versions.ts`), never by a build: the file is committed. The
 * truth is asked of the Go module k8s.io/kubernetes, whose tags are the releases. A module proxy may list only some of
 * the versions it has and not serve every one, so the newest listed patch is where asking one by one begins, and only three
 * missing in a row end it: the project gives patch numbers without gaps.
 */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';

const supportedMinors = ['1.34', '1.35', '1.36'];
const missesMax = 3;
const moduleName = 'k8s.io/kubernetes';
const run = promisify(execFile);

const listed = (await goList('-versions', moduleName)).split(/\s+/);
const releases: Record<string, readonly string[]> = {};
for (const minor of supportedMinors) {
  let newest = Math.max(0, ...listed.map((version) => patchOf(version, minor)));
  for (let patch = newest + 1; patch <= newest + missesMax; patch += 1) {
    if (await exists(`${minor}.${patch}`)) newest = patch;
  }
  releases[minor] = Array.from({ length: newest + 1 }, (_, patch) => `${minor}.${patch}`);
  console.log(`Kubernetes ${minor}: newest release is ${minor}.${newest}`);
}
const file = new URL('../config/kubernetes-releases.json', import.meta.url);
await writeFile(file, `${JSON.stringify(releases, undefined, 2)}\n`);

/** The patch number of a full release of that minor, else -1; pre-releases do not count. */
function patchOf(version: string, minor: string): number {
  const match = /^v(\d+\.\d+)\.(\d+)$/.exec(version);
  return match?.[1] === minor ? Number(match[2]) : -1;
}

async function exists(version: string): Promise<boolean> {
  try {
    await goList(`${moduleName}@v${version}`);
    return true;
  } catch (error) {
    const text = String((error as { stderr?: unknown }).stderr ?? error);
    if (/not available|unknown revision|404|410/.test(text)) return false;
    throw new Error(`Asking whether Kubernetes ${version} exists failed: ${text}`, { cause: error });
  }
}

/** Runs outside any module, so that the answer does not depend on this checkout. */
async function goList(...args: readonly string[]): Promise<string> {
  const { stdout } = await run('go', ['list', '-m', ...args], { cwd: tmpdir() });
  return stdout;
}
