/** What anybody on this machine can see of processes while something runs. */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

const pauseMs = 200;

/** Command lines and environments of all processes that are seen while `work` goes on. */
export async function processList(work: Promise<unknown>): Promise<string> {
  const seen = new Set<string>();
  const ended = work.then(() => 'ended' as const);
  for (let state: 'working' | 'ended' = 'working'; state === 'working';) {
    for (const pid of await pids()) {
      for (const file of ['cmdline', 'environ']) {
        seen.add(await readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => ''));
      }
    }
    state = await Promise.race([ended, sleep(pauseMs, 'working' as const)]);
  }
  return [...seen].join('\n');
}

/** Command lines of the processes of a group that have not ended. */
export async function groupMembers(group: number): Promise<readonly string[]> {
  const found = await Promise.all((await pids()).map((pid) => memberOf(group, pid)));
  return found.filter((line) => line !== undefined);
}

async function memberOf(group: number, pid: string): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '');
  // After the name, which may hold anything: state, parent, group.
  const [state, , itsGroup] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (Number(itsGroup) !== group || state === 'Z') return undefined;
  return (await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')).replaceAll('\0', ' ');
}

async function pids(): Promise<readonly string[]> {
  return (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
}
