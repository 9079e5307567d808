/**
 * The provider of this checkout in a filesystem mirror of the checkout, for the quickstart, tests and benchmarks: what a user
 * has after `npm run provider:install --dir`. Made anew when the code has changed, by one process at a time.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleProvider, providerVersion, withLauncher } from './provider-bundle.ts';
import { buildExecutable } from './provider-executable.ts';
import { installInto, programName } from './provider-package.ts';

/** How the provider is packed: behind a launcher for the machine's Node, or with a Node inside. */
export type ProviderForm = 'bundle' | 'executable';

type Log = (line: string) => void;

const MAYBE_IN_USE_MS = 3_600_000;
const mirrors = join(import.meta.dirname, '../../out/providers');

/** Builds the provider unless that was done; returns the mirror. Same code, same folder. */
export async function provideProvider(form: ProviderForm = 'bundle', log: Log = silent): Promise<string> {
  const version = await providerVersion();
  const bundle = await bundleProvider();
  const text = await withLauncher(bundle, process.execPath);
  const hash = createHash('sha256').update(`${form}\n${version}\n${text}`).digest('hex').slice(0, 16);
  const mirror = join(mirrors, `${form}-${hash}`);
  if (existsSync(mirror)) {
    // Its age is counted from its last use.
    await utimes(mirror, new Date(), new Date());
    return mirror;
  }
  await mkdir(mirrors, { recursive: true });
  await removeFormer(form);
  const work = await mkdtemp(join(mirrors, '.partial-'));
  try {
    const program = join(work, programName(version));
    if (form === 'bundle') await writeFile(program, text, { mode: 0o755 });
    else await buildExecutable(bundle, program, log);
    await installInto(join(work, 'mirror'), program, version);
    // Whoever was faster has made the same.
    await rename(join(work, 'mirror'), mirror).catch((error: unknown) => {
      if (!existsSync(mirror)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return mirror;
}

/** Of former code; what is younger may be in use. */
async function removeFormer(form: ProviderForm): Promise<void> {
  for (const name of await readdir(mirrors)) {
    if (!name.startsWith(`${form}-`)) continue;
    const folder = join(mirrors, name);
    // Somebody else may have removed it just now.
    const found = await stat(folder).catch(() => undefined);
    if (found !== undefined && Date.now() - found.mtimeMs > MAYBE_IN_USE_MS)
      await rm(folder, { recursive: true, force: true });
  }
}

function silent(): void {
  // Nobody asked.
}
