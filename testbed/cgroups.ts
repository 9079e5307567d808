/**
 * The control groups and mounts of the node's containers. All pods live below one cgroup of the testbed's own, so every
 * process of every container can be found, and ended, without asking containerd, which may have crashed.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tryCommand } from './command.ts';
import { exists } from './exists.ts';

const groupName = 'cdktf-vcluster-testbed';
const killTimeoutMs = 20_000;

/** The cgroup below which the kubelet puts pods, as it names it. */
export const podCgroup: string = `/${groupName}`;

/** One line of /proc/self/mountinfo. */
export interface Mount {
  readonly point: string;
  readonly type: string;
}

/** Makes the cgroup in every hierarchy; the kubelet insists that it is there. */
export async function createPodCgroup(): Promise<void> {
  for (const { point, type } of await hierarchies()) {
    if (type === 'cgroup2') await enableControllers(point);
    await mkdir(join(point, groupName), { recursive: true });
  }
}

/** What the containers together count against one other process: about as much, or next to nothing. */
const weights: Readonly<Record<string, Readonly<Record<'normal' | 'least', string>>>> = {
  'cpu.shares': { normal: '1024', least: '2' },
  'cpu.weight': { normal: '100', least: '1' },
};

/** With `least`, containers get what everything else leaves of the processors, as if the rest ran on another machine. */
export async function weighContainers(weight: 'normal' | 'least'): Promise<void> {
  for (const group of await groups()) {
    for (const [name, text] of Object.entries(weights)) {
      const file = join(group, name);
      if (await exists(file)) await writeFile(file, text[weight]);
    }
  }
}

/** Ends every process of every container, waits for it, and removes the cgroup. */
export async function removePodCgroup(): Promise<void> {
  const deadlineMs = Date.now() + killTimeoutMs;
  let pids = await processes();
  while (pids.length > 0) {
    if (Date.now() > deadlineMs) throw new Error(`Processes of containers do not end: ${pids.join(' ')}`);
    for (const pid of pids) kill(pid);
    await sleep(50);
    pids = await processes();
  }
  for (const group of await groups()) await removeTree(group);
}

/** Unmounts everything below the given folders, the innermost first. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  const below = (await mounts()).filter(({ point }) =>
    folders.some((folder) => point === folder || point.startsWith(`${folder}/`)),
  );
  for (const { point } of below.toReversed()) {
    if (!(await tryCommand('umount', [point]))) await tryCommand('umount', ['-l', point]);
  }
}

/** Reads mount points and file-system types, in the order of mounting. */
export function parseMounts(mountinfo: string): readonly Mount[] {
  return mountinfo
    .trim()
    .split('\n')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      const point = (before.split(' ')[4] ?? '').replaceAll(/\\(\d{3})/g, (_match, octal: string) =>
        String.fromCodePoint(Number.parseInt(octal, 8)),
      );
      return { point, type: after.split(' ')[0] ?? '' };
    });
}

async function mounts(): Promise<readonly Mount[]> {
  return parseMounts(await readFile('/proc/self/mountinfo', 'utf8'));
}

async function groups(): Promise<readonly string[]> {
  return (await hierarchies()).map(({ point }) => join(point, groupName));
}

// A mount point can be listed twice, one mounted over the other.
async function hierarchies(): Promise<readonly Mount[]> {
  const found = (await mounts()).filter(({ type }) => type === 'cgroup' || type === 'cgroup2');
  return [...new Map(found.map((mount) => [mount.point, mount])).values()];
}

// With cgroup v2 a group has only the controllers that its parent hands down.
async function enableControllers(point: string): Promise<void> {
  const controllers = (await readFile(join(point, 'cgroup.controllers'), 'utf8')).split(/\s+/).filter(Boolean);
  for (const controller of controllers) {
    await writeFile(join(point, 'cgroup.subtree_control'), `+${controller}`).catch(() => undefined);
  }
}

async function processes(): Promise<readonly number[]> {
  const found = new Set<number>();
  for (const group of await groups()) for (const pid of await processesOf(group)) found.add(pid);
  return [...found];
}

async function processesOf(group: string): Promise<readonly number[]> {
  try {
    const own = (await readFile(join(group, 'cgroup.procs'), 'utf8')).split('\n').filter(Boolean).map(Number);
    const below = await Promise.all((await children(group)).map(processesOf));
    return [...own, ...below.flat()];
  } catch {
    // No such group, or gone while looking.
    return [];
  }
}

async function children(group: string): Promise<readonly string[]> {
  const entries = await readdir(group, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map((entry) => join(group, entry.name));
}

async function removeTree(group: string): Promise<void> {
  try {
    for (const child of await children(group)) await removeTree(child);
    await rmdir(group);
  } catch {
    // Never made, or the kernel has not let go of it yet; an empty cgroup holds nothing.
  }
}

function kill(pid: number): void {
  // 0 is a process of another pid namespace that has no number here.
  if (pid <= 0) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Ended by itself.
  }
}
