/** The auditor as tests use it: started beside a pair of control planes, asked as often as wanted, stopped at the end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Question, Report } from './audit.ts';
import { readable } from './report.ts';

export type { Report } from './audit.ts';

export interface AuditorOptions {
  readonly hostKubeconfig: string;
  readonly virtualKubeconfig: string;
  readonly name: string;
  readonly namespace: string;
  readonly hostAuditLog?: string;
  readonly virtualAuditLog?: string;
}

const program = fileURLToPath(new URL('main.ts', import.meta.url));

export class AuditorProcess {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  /** One question at a time. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /** Starts it and waits until it sees everything: from then on nothing happens unseen. */
  static async start(options: AuditorOptions): Promise<AuditorProcess> {
    const { hostKubeconfig, virtualKubeconfig, name, namespace, hostAuditLog, virtualAuditLog } = options;
    const flags = {
      'host-kubeconfig': hostKubeconfig,
      'virtual-kubeconfig': virtualKubeconfig,
      name,
      namespace,
      'host-audit-log': hostAuditLog,
      'virtual-audit-log': virtualAuditLog,
    };
    const args = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
    const child = spawn(process.execPath, [program, '--serve', ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const auditor = new AuditorProcess(child, lines);
    await auditor.#answer();
    return auditor;
  }

  /** What the auditor finds; it waits no longer than the question says. */
  report(question: Question): Promise<Report> {
    const answer = this.#turn.then(async () => {
      this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
      return (await this.#answer()) as Report;
    });
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  /** The same where nothing may be wrong. @throws with the whole report */
  async expectWell(question: Question): Promise<Report> {
    const report = await this.report(question);
    if (!report.ok) throw new Error(`The auditor: ${readable(report)}`);
    return report;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill();
    await ended;
  }

  async #answer(): Promise<unknown> {
    const { value, done } = (await this.#lines.next()) as IteratorResult<string, undefined>;
    if (done === true) throw new Error('The auditor has ended; its last words are above.');
    return JSON.parse(value ?? '');
  }
}
