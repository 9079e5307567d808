/**
 * A lock between processes: one file that names its holder by pid and start time.
 * Invariant: a lock whose holder is no longer alive is free, so a crash never blocks the next run. Not re-entrant.
 */
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.ts';
import { tryReadJson } from './json-file.ts';
import type { Log } from './log.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const pollMs = 500;

/** Runs something while no other process holds the same lock file; tells once that it has to wait, and for what. */
export async function withLock<T>(path: string, log: Log, run: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  let told = false;
  while (!(await tryTake(path))) {
    if (!told) log(`Waiting for another run (process ${(await holder(path))?.pid ?? 'unknown'}) that holds ${path}`);
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
  try {
    const file = await open(path, 'wx');
    await file.writeFile(JSON.stringify(await identify(process.pid)));
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
  }
  const other = await holder(path);
  if (other !== undefined && !(await isAlive(other))) await rm(path, { force: true });
  return false;
}

// Undefined: gone in the meantime, or not written yet; then look again.
function holder(path: string): Promise<ProcessIdentity | undefined> {
  return tryReadJson(path);
}
