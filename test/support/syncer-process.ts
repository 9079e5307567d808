/** The syncer as a process of its own, so that it can be killed like one. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeFlags, syncerImageName } from '../../scripts/lib/image.ts';
import type { Cluster } from '../../syncer/model/cluster.ts';
import type { Side } from '../../syncer/model/side.ts';
import { freePorts } from '../../testbed/ports.ts';
import { lastLines, mark } from '../../testbed/processes.ts';

/** It takes about a second; on a machine with other things to do, much longer. */
const readyMaxMs = 180_000;

export interface SyncerOptions {
  /** Of the release, and where it is. */
  readonly name: string;
  readonly namespace: string;
  readonly hostKubeconfig: string;
  readonly pki: string;
  readonly egressSocket: string;
  readonly logFile: string;
  readonly program: string;
  readonly logLevel: string;
  /** What the chart hands over of its values. */
  readonly values: object;
  /** What it works between, as a test sees it: past all proxies. */
  readonly clusters: Readonly<Record<Side, Cluster>>;
}

/** What is unusual about one start. */
export interface Circumstances {
  /** Further flags of Node, such as a limit of the heap. */
  readonly nodeFlags?: readonly string[];
  /** A command before it, such as `prlimit --nofile=64`. */
  readonly wrapper?: readonly string[];
  /** Where its log goes instead of the usual file. */
  readonly log?: string;
}

/** The real program in a process of its own, so that it can be killed like one. */
export class SyncerProcess {
  readonly #options: SyncerOptions;
  #child: ChildProcess | undefined;
  #port = 0;

  constructor(options: SyncerOptions) {
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** How it ended; undefined while it runs. */
  get end(): { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined {
    const { exitCode: code, signalCode: signal } = this.#child ?? { exitCode: null, signalCode: null };
    return code === null && signal === null ? undefined : { code, signal };
  }

  get readyUrl(): string {
    return `http://127.0.0.1:${this.#port}/readyz`;
  }

  get healthUrl(): string {
    return `http://127.0.0.1:${this.#port}/healthz`;
  }

  get clusters(): Readonly<Record<Side, Cluster>> {
    return this.#options.clusters;
  }

  get logFile(): string {
    return this.#options.logFile;
  }

  /** Another syncer, for the same release if not told otherwise; not started. */
  twin(suffix: string, changes: Partial<SyncerOptions> = {}): SyncerProcess {
    const { egressSocket, logFile } = this.#options;
    const apart = { egressSocket: `${egressSocket}.${suffix}`, logFile: `${logFile}.${suffix}` };
    return new SyncerProcess({ ...this.#options, ...apart, ...changes });
  }

  async start(circumstances?: Circumstances): Promise<void> {
    await this.launch(circumstances);
    await this.ready();
  }

  async launch({ nodeFlags: moreFlags = [], wrapper = [], log: logPath }: Circumstances = {}): Promise<void> {
    const { name, namespace, hostKubeconfig, pki, egressSocket, logFile, program, logLevel, values } = this.#options;
    [this.#port = 0] = await freePorts(1, '127.0.0.1');
    await rm(egressSocket, { force: true });
    const log = openSync(logPath ?? logFile, 'a');
    const flags = {
      name,
      namespace,
      pki,
      'egress-socket': egressSocket,
      'coredns-image': 'registry.k8s.io/coredns/coredns:v1.13.1',
      'kubernetes-version': '1.36.3',
      'workload-service-account': `vc-workload-${name}`,
      'host-kubeconfig': hostKubeconfig,
      'health-port': String(this.#port),
      'log-level': logLevel,
      image: syncerImageName,
      values: JSON.stringify(values),
    };
    const args = Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`);
    const [command = '', ...rest] = [...wrapper, process.execPath, ...nodeFlags, ...moreFlags, program, 'run', ...args];
    this.#child = spawn(command, rest, {
      stdio: ['ignore', log, log],
      // Should this run crash, the next one finds the process by it.
      env: { ...process.env, [mark]: dirname(logFile) },
    });
    closeSync(log);
  }

  /** Resolves when `/readyz` says so. @throws when the process ends before that, with the last lines of its log */
  async ready(): Promise<void> {
    for (const startedMs = performance.now(); performance.now() - startedMs < readyMaxMs;) {
      if (this.end !== undefined) break;
      const response = await fetch(`http://127.0.0.1:${this.#port}/readyz`).catch(() => undefined);
      if (response?.ok === true) return;
      await sleep(50);
    }
    const { logFile } = this.#options;
    const what = this.end === undefined ? `was not ready after ${readyMaxMs / 1000} s` : 'ended before it was ready';
    throw new Error(`The syncer ${what}. The end of ${logFile}:\n${lastLines(await readFile(logFile, 'utf8'))}`);
  }

  /** Sends a signal and does not wait for anything. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves at the process's end. */
  async ended(): Promise<void> {
    if (this.#child !== undefined && this.end === undefined) await once(this.#child, 'exit');
  }

  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
  }

  /** Ends the process and waits for its end. SIGKILL is a crash. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }
}
