/** A running contender: started by its command with the documented environment, measured from outside, stopped or killed. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mark } from '../../testbed/processes.ts';
import { clockMs } from './clock.ts';
import type { Contender } from './contenders.ts';
import { cpuMs, memory } from './process.ts';
import type { Memory } from './process.ts';

const stopMaxMs = 15_000;

export interface LoopDelay {
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What every command finds in its environment; the names are those of bench/README.md. */
export type ContenderEnv = Readonly<Record<`BENCH_${string}`, string>>;

export class ContenderProcess {
  readonly #contender: Contender;
  readonly #env: ContenderEnv;
  readonly #dir: string;
  #child: ChildProcess | undefined;

  constructor(contender: Contender, env: ContenderEnv, dir: string) {
    this.#contender = contender;
    this.#env = env;
    this.#dir = dir;
  }

  get log(): string {
    return join(this.#dir, 'contender.log');
  }

  /** Starts it and says when; that it is ready must be seen elsewhere. */
  start(): number {
    const [command = '', ...args] = this.#contender.command;
    const log = openSync(this.log, 'a');
    const startedMs = clockMs();
    this.#child = spawn(command, args, {
      cwd: this.#dir,
      // A process group of its own, which is what is measured.
      detached: true,
      stdio: ['ignore', log, log],
      // Should this run crash, the next one finds the process by the mark.
      env: { ...process.env, ...this.#contender.env, ...this.#env, [mark]: this.#dir },
    });
    closeSync(log);
    return startedMs;
  }

  /** @throws when the contender has ended */
  get group(): number {
    const { pid, exitCode, signalCode } = this.#child ?? {};
    if (pid === undefined || exitCode !== null || signalCode !== null) {
      throw new Error(`Contender ${this.#contender.name} has ended; its log: ${this.log}`);
    }
    return pid;
  }

  cpuMs(): Promise<number> {
    return cpuMs(this.group);
  }

  memory(): Promise<Memory> {
    return memory(this.group);
  }

  /** How late its event loop was while a task ran; undefined for what is no Node process. */
  async loopDelayDuring(task: () => Promise<void>): Promise<LoopDelay | undefined> {
    if (!this.#contender.tellsLoopDelay) {
      await task();
      return undefined;
    }
    const file = join(this.#dir, 'loop-delay.json');
    await rm(file, { force: true });
    process.kill(this.group, 'SIGUSR2');
    await task();
    process.kill(this.group, 'SIGUSR2');
    for (;;) {
      const text = await readFile(file, 'utf8').catch(() => '');
      if (text !== '') return JSON.parse(text) as LoopDelay;
      await sleep(20);
      if (this.group === 0) return undefined;
    }
  }

  /** A crash. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** Ends it as a kubelet would; one that does not obey is killed. */
  async stop(): Promise<void> {
    const killer = setTimeout(() => void this.kill(), stopMaxMs);
    await this.#end('SIGTERM');
    clearTimeout(killer);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    process.kill(-child.pid, signal);
    await ended;
  }
}
