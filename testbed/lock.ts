/**
 * A lock between processes: one file that names its holder by pid and start time.
 * Invariants: the file is complete from the moment it exists (it is linked into place), and a lock whose holder is no
 * longer alive is free, so a crash never blocks the next run. Not re-entrant.
 */
import { link, mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.ts';
import { tryReadJson, writeJson } from './json-file.ts';
import type { Log } from './log.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const pollMs = 250;

/** Runs something while no other process holds the same lock file; tells once that it has to wait, and for what. */
export async function withLock<T>(path: string, log: Log, run: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await tryTake(path))) {
    const holder = await livingHolder(path);
    if (holder === undefined) {
      await removeStale(path);
      continue;
    }
    if (!told) log(`Waiting for another run (process ${holder.pid}) that holds ${path}`);
    told = true;
    await sleep(pollMs);
  }
  try {
    return await run();
  } finally {
    await rm(path, { force: true });
  }
}

async function tryTake(path: string): Promise<boolean> {
  const own = `${path}.${process.pid}`;
  await writeJson(own, await identify(process.pid));
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(own, { force: true });
  }
}

async function livingHolder(path: string): Promise<ProcessIdentity | undefined> {
  const holder = await tryReadJson<ProcessIdentity>(path);
  return holder !== undefined && (await isAlive(holder)) ? holder : undefined;
}

// Moved aside first: of two runs that find the same stale lock only one gets it, and when a third has taken the lock
// in the meantime, what was moved is a living one and goes back.
async function removeStale(path: string): Promise<void> {
  const aside = `${path}.stale-${process.pid}`;
  try {
    await rename(path, aside);
    if ((await livingHolder(aside)) !== undefined) await link(aside, path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  }
  await rm(aside, { force: true });
}
