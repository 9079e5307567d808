/**
 * Which process a pid meant when it was noted: pids are used again, so a pid counts only together with the moment its
 * process started and the boot of the machine. Linux only (/proc).
 */
import { readFile } from 'node:fs/promises';

/** A process as noted in a file. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTicks: string;
  readonly boot: string;
}

/** Describes a living process; throws when there is none with this pid. */
export async function identify(pid: number): Promise<ProcessIdentity> {
  const stat = await readStat(pid);
  if (stat === undefined) throw new Error(`Process ${pid} ended before it could be noted`);
  return { pid, startTicks: stat.startTicks, boot: await bootId() };
}

/** Whether the very process that was noted still runs. */
export async function isAlive(noted: ProcessIdentity): Promise<boolean> {
  const stat = await readStat(noted.pid);
  return (
    stat !== undefined && !hasEnded(stat) && stat.startTicks === noted.startTicks && noted.boot === (await bootId())
  );
}

interface Stat {
  readonly state: string;
  readonly threads: number;
  readonly startTicks: string;
}

/** A zombie has ended, unless other threads of it have not: until then its ports and files are still open. */
export function hasEnded({ state, threads }: Stat): boolean {
  return state === 'Z' && threads <= 1;
}

async function readStat(pid: number): Promise<Stat | undefined> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Reads state, number of threads and start time out of /proc/<pid>/stat, whose second field may itself hold spaces and parentheses. */
export function parseStat(line: string): Stat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', threads: Number(fields[17]), startTicks: fields[19] ?? '' };
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}
