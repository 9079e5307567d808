/** How the syncer's process is, from outside: /proc, and whether it answers (I8, I9). Linux only. */
import { readdir, readFile, readlink } from 'node:fs/promises';

export interface Vitals {
  readonly rssBytes: number;
  readonly files: number;
  readonly sockets: number;
  readonly threads: number;
}

/** Far more than a busy machine needs, far less than anybody would wait before restarting it. */
const answerTimeoutMs = 30_000;

/** undefined when there is no such process (any more). */
export async function vitalsOf(pid: number): Promise<Vitals | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    if (/^State:\s+Z/m.test(status)) return undefined;
    const links = await Promise.all(
      (await readdir(`/proc/${pid}/fd`)).map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => '')),
    );
    return {
      rssBytes: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024,
      files: links.length,
      sockets: links.filter((link) => link.startsWith('socket:')).length,
      threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    };
  } catch {
    return undefined;
  }
}

/** Whether `/healthz` answers in time; a process that runs and does not hangs. */
export async function answers(healthUrl: string): Promise<boolean> {
  const response = await fetch(healthUrl, { signal: AbortSignal.timeout(answerTimeoutMs) }).catch(() => undefined);
  return response?.ok === true;
}
