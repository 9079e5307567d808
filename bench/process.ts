/** What a process costs, from /proc (Linux). */
import { readFile } from 'node:fs/promises';

/** The kernel counts in ticks of 10 ms, the only value that Linux shows to programs. */
const tickMs = 10;

/** User and system time since its start. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

export interface Memory {
  readonly rssMib: number;
  readonly pssMib: number;
}

export async function memory(pid: number): Promise<Memory> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (field: string): number => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) / 1024;
  return { rssMib: mib('Rss'), pssMib: mib('Pss') };
}
