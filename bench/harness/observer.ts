/** The observer process as its parent sees it: starts it, collects its news, waits for them. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Side } from '../../syncer/model/side.ts';
import { Sightings } from './sightings.ts';
import type { Sight, Sighting } from './sightings.ts';

const program = join(import.meta.dirname, 'observer-process.ts');
const defaultLimitMs = 300_000;
const shown = 3;

/** What is waited for, of every one of some pods on one side. */
export interface Expectation {
  readonly side: Side;
  readonly ids: readonly string[];
  readonly what: string;
  readonly holds: (sight: Sight, id: string) => boolean;
  readonly limitMs?: number;
}

interface Wait {
  readonly check: () => void;
  readonly fail: (error: Error) => void;
}

export class Observer {
  readonly sightings: Sightings = new Sightings();
  readonly #child: ChildProcess;
  readonly #waits = new Set<Wait>();

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts observing; resolves when every side has been listed once. */
  static async start(kubeconfigs: Readonly<Partial<Record<Side, string>>>): Promise<Observer> {
    const sides = Object.keys(kubeconfigs) as readonly Side[];
    const child = fork(program, [kubeconfigs.host ?? '', kubeconfigs.virtual ?? ''], {
      execArgv: ['--conditions=source'],
      serialization: 'advanced',
    });
    const observer = new Observer(child);
    const missing = new Set<Side>(sides);
    await new Promise<void>((resolve, reject) => {
      child.once('exit', () => {
        const error = new Error('The observer has ended; nothing can be measured without it.');
        reject(error);
        observer.#fail(error);
      });
      child.on('message', (message: readonly Sighting[] | { readonly observing: Side }) => {
        if ('observing' in message) {
          missing.delete(message.observing);
          if (missing.size === 0) resolve();
        } else observer.#take(message);
      });
    });
    return observer;
  }

  /** @throws when some pod does not fulfil it in time, naming the first of them */
  async until({ side, ids, what, holds, limitMs = defaultLimitMs }: Expectation): Promise<void> {
    const waiting = new Set(ids);
    await new Promise<void>((resolve, reject) => {
      const check = (): void => {
        for (const id of waiting) if (holds(this.sightings.at(side, id), id)) waiting.delete(id);
        if (waiting.size > 0) return;
        end();
        resolve();
      };
      const fail = (error: Error): void => {
        end();
        reject(error);
      };
      const timer = setTimeout(() => {
        const some = [...waiting].slice(0, shown).join(', ');
        fail(
          new Error(
            `Of ${ids.length} pods, ${waiting.size} are not ${what} on the ${side} side after ${limitMs / 1000} s: ${some}`,
          ),
        );
      }, limitMs);
      const wait = { check, fail };
      const end = (): void => {
        clearTimeout(timer);
        this.#waits.delete(wait);
      };
      this.#waits.add(wait);
      check();
    });
  }

  untilReady(side: Side, ids: readonly string[], limitMs?: number): Promise<void> {
    const limit = limitMs === undefined ? {} : { limitMs };
    return this.until({
      side,
      ids,
      what: 'Running and Ready',
      holds: ({ readyMs }) => readyMs !== undefined,
      ...limit,
    });
  }

  untilGone(side: Side, ids: readonly string[], limitMs?: number): Promise<void> {
    const limit = limitMs === undefined ? {} : { limitMs };
    return this.until({ side, ids, what: 'gone', holds: ({ goneMs }) => goneMs !== undefined, ...limit });
  }

  async stop(): Promise<void> {
    this.#child.removeAllListeners('exit');
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }

  #take(news: readonly Sighting[]): void {
    for (const each of news) this.sightings.take(each);
    for (const { check } of this.#waits) check();
  }

  #fail(error: Error): void {
    for (const { fail } of this.#waits) fail(error);
  }
}
