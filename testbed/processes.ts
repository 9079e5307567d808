/**
 * Long-running programs as plain processes: detached, logging to a file, noted in a pid file with their start time.
 * Invariant: what this module starts can be found again by a later run, even after a crash of the run that started it:
 * by its pid file, and by a mark in its environment that names the folder it belongs to.
 */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './errors.ts';
import { tryReadJson, writeJson } from './json-file.ts';
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts';

const pollMs = 25;
const killAfterMs = 10_000;
const lastLinesMax = 8;
const crashLinesMax = 24;
/** The variable that names, in a program's environment, the folder that it belongs to and is swept with. */
export const mark = 'CDKTF_VCLUSTER_TESTBED_DIR';

/** One program to run; `<dir>/<name>.log` and `<dir>/<name>.pid` are its files. */
export interface ProcessSpec {
  readonly dir: string;
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Starts a program that outlives this process; the log file is appended to. */
export async function startProcess({ dir, name, command, args, env = {} }: ProcessSpec): Promise<void> {
  mkdirSync(dir, { recursive: true });
  const log = openSync(logPath(dir, name), 'a');
  const child = spawn(command, args, {
    cwd: dir,
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...process.env, ...env, [mark]: dir },
  });
  closeSync(log);
  const failed = new Promise<never>((_resolve, reject) => {
    child.once('error', reject);
  });
  const started = new Promise<void>((resolve) => {
    child.once('spawn', resolve);
  });
  await Promise.race([started, failed]);
  child.unref();
  if (child.pid !== undefined) await note(dir, name, child.pid);
}

/** The identity of a program that still runs, from its pid file. */
export async function running(dir: string, name: string): Promise<ProcessIdentity | undefined> {
  const noted = await tryReadJson<ProcessIdentity>(pidPath(dir, name));
  return noted !== undefined && (await isAlive(noted)) ? noted : undefined;
}

/** Stops a program and waits for its end; KILL follows when it takes longer than 10 s. Nothing to stop is fine. */
export async function stopProcess(dir: string, name: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const noted = await running(dir, name);
  if (noted !== undefined) await end(noted, signal);
  await rm(pidPath(dir, name), { force: true });
}

/** Stops every program that was started for a folder or one below it, found by the mark in its environment. */
export async function sweep(dir: string, signal: NodeJS.Signals = 'SIGTERM'): Promise<number> {
  const found = await marked(dir);
  await Promise.all(found.map((noted) => end(noted, signal)));
  return found.length;
}

/** The last lines that a program logged, for an error that has to explain itself. */
export async function lastWords(dir: string, name: string): Promise<string> {
  try {
    return lastLines(await readFile(logPath(dir, name), 'utf8'));
  } catch {
    return '(no log)';
  }
}

/** The last lines of a log; when it ends with the stack of a Go program that crashed, from the line that says why. */
export function lastLines(log: string): string {
  const lines = log.trimEnd().split('\n');
  const endsInStack = lines.at(-1)?.startsWith('\t') ?? false;
  const why = endsInStack ? lines.findLastIndex((line) => /^(panic|fatal error): /.test(line)) : -1;
  return (why === -1 ? lines.slice(-lastLinesMax) : lines.slice(why, why + crashLinesMax)).join('\n');
}

/** Where a program logs to. */
export function logPath(dir: string, name: string): string {
  return join(dir, `${name}.log`);
}

/** Waits until something is true; throws, with the last words of the program in question, when it takes too long. */
export async function waitUntil(
  what: string,
  test: () => Promise<boolean>,
  of: { dir: string; name: string; timeoutMs: number },
): Promise<void> {
  const deadlineMs = Date.now() + of.timeoutMs;
  while (!(await test())) {
    const dead = (await running(of.dir, of.name)) === undefined;
    if (dead || Date.now() > deadlineMs) {
      const why = dead ? `${of.name} has ended` : `it took longer than ${of.timeoutMs / 1000} s`;
      throw new Error(
        `Waiting for ${what} failed: ${why}. Last lines of ${logPath(of.dir, of.name)}:\n${await lastWords(of.dir, of.name)}`,
      );
    }
    await sleep(pollMs);
  }
}

async function note(dir: string, name: string, pid: number): Promise<void> {
  try {
    await writeJson(pidPath(dir, name), await identify(pid));
  } catch (error) {
    throw new Error(`${name} ended at once. Its last lines:\n${await lastWords(dir, name)}`, { cause: error });
  }
}

function pidPath(dir: string, name: string): string {
  return join(dir, `${name}.pid`);
}

async function end(noted: ProcessIdentity, signal: NodeJS.Signals): Promise<void> {
  send(noted.pid, signal);
  const deadlineMs = Date.now() + killAfterMs;
  while (await isAlive(noted)) {
    if (Date.now() > deadlineMs) send(noted.pid, 'SIGKILL');
    await sleep(pollMs);
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

async function marked(dir: string): Promise<readonly ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const entry of await readdir('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    if (!belongsTo(await environmentOf(pid), dir)) continue;
    const noted = await identify(pid).catch(() => undefined);
    if (noted !== undefined && (await isAlive(noted))) found.push(noted);
  }
  return found;
}

function belongsTo(environment: string, dir: string): boolean {
  return environment.split('\0').some((entry) => entry === `${mark}=${dir}` || entry.startsWith(`${mark}=${dir}/`));
}

async function environmentOf(pid: number): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/environ`, 'utf8');
  } catch {
    // Ended in the meantime, or another user's.
    return '';
  }
}
