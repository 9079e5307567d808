/** What a program costs, from /proc (Linux). A program is a process group: a contender may be more than one process. */
import { readdir, readFile } from 'node:fs/promises';

/** The kernel counts in ticks of 10 ms, the only value that Linux shows to programs. */
const tickMs = 10;

/** Fields of /proc/PID/stat after the command, which may hold spaces and brackets. */
const field = { group: 2, userTicks: 11, systemTicks: 12, childUserTicks: 13, childSystemTicks: 14 } as const;

export interface Memory {
  readonly rssMib: number;
  readonly pssMib: number;
}

/** User and system time of a process group since its start; of ended members, what their parents have been told. */
export async function cpuMs(group: number): Promise<number> {
  const members = await membersOf(group);
  return members.reduce((sum, stat) => sum + ticksOf(stat), 0) * tickMs;
}

/** PSS counts pages that several processes share by halves, thirds…, so it can be added up. */
export async function memory(group: number): Promise<Memory> {
  const pids = (await membersOf(group)).map(({ pid }) => pid);
  const rollups = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')));
  const mib = (name: string): number =>
    rollups.reduce((sum, text) => sum + Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1] ?? 0), 0) /
    1024;
  return { rssMib: mib('Rss'), pssMib: mib('Pss') };
}

interface Stat {
  readonly pid: number;
  readonly fields: readonly number[];
}

async function membersOf(group: number): Promise<readonly Stat[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger);
  const stats = await Promise.all(pids.map(statOf));
  return stats.filter((stat) => stat !== undefined && stat.fields[field.group] === group) as readonly Stat[];
}

async function statOf(pid: number): Promise<Stat | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  return text === undefined
    ? undefined
    : {
        pid,
        fields: text
          .slice(text.lastIndexOf(')') + 2)
          .split(' ')
          .map(Number),
      };
}

function ticksOf({ fields }: Stat): number {
  const { userTicks, systemTicks, childUserTicks, childSystemTicks } = field;
  return [userTicks, systemTicks, childUserTicks, childSystemTicks].reduce((sum, at) => sum + (fields[at] ?? 0), 0);
}
