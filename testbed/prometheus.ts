/**
 * A real Prometheus as a process, for tests of metrics, alerts and dashboards. The program comes from PATH or from the Debian
 * package `prometheus`, unpacked into the cache: installed, the package would start a service of its own.
 */
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { command } from './command.ts';
import { unpackPackage } from './debian.ts';
import { messageOf } from './errors.ts';
import { exists } from './exists.ts';
import { withLock } from './lock.ts';
import type { Log } from './log.ts';
import { cacheDir } from './paths.ts';
import { freePorts } from './ports.ts';
import { startProcess, stopProcess, waitUntil } from './processes.ts';

const unpacked = join(cacheDir, 'debian/prometheus');
const startTimeoutMs = 30_000;

/** The two programs, or why they cannot be had on this machine. */
export type PrometheusPrograms =
  | { readonly prometheus: string; readonly promtool: string }
  | { readonly obstacle: string };

/** One element of an instant query's answer. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

export interface Prometheus {
  /** @throws with Prometheus' own words when the expression is wrong */
  query(expression: string): Promise<readonly Sample[]>;
  alerts(): Promise<readonly ActiveAlert[]>;
  stop(): Promise<void>;
}

export interface PrometheusOptions {
  readonly program: string;
  /** For its data, log and pid file; removed when it starts. */
  readonly dir: string;
  /** The configuration file; JSON is YAML. */
  readonly config: object;
}

/** Finds Prometheus, fetching it when the machine does not have it. */
export async function findPrometheus(log: Log): Promise<PrometheusPrograms> {
  const onPath = await Promise.all(['prometheus', 'promtool'].map((name) => command('which', [name]).catch(() => '')));
  const [prometheus = '', promtool = ''] = onPath.map((path) => path.trim());
  if (prometheus !== '' && promtool !== '') return { prometheus, promtool };
  const folder = join(unpacked, 'usr/bin');
  try {
    await withLock(`${unpacked}.lock`, log, () => unpack(log));
  } catch (error) {
    return { obstacle: messageOf(error) };
  }
  return { prometheus: join(folder, 'prometheus'), promtool: join(folder, 'promtool') };
}

async function unpack(log: Log): Promise<void> {
  if (await exists(unpacked)) return;
  log('Fetching the Debian package prometheus');
  await mkdir(dirname(unpacked), { recursive: true });
  const partial = await mkdtemp(join(dirname(unpacked), '.partial-'));
  try {
    await unpackPackage('prometheus', partial);
    await rename(partial, unpacked);
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Starts Prometheus on a free port of the loopback address and waits until it answers. */
export async function startPrometheus({ program, dir, config }: PrometheusOptions): Promise<Prometheus> {
  await stopProcess(dir, 'prometheus');
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const [port = 0] = await freePorts(1, '127.0.0.1');
  const url = `http://127.0.0.1:${port}`;
  await writeFile(join(dir, 'prometheus.json'), JSON.stringify(config));
  const args = [
    `--config.file=${join(dir, 'prometheus.json')}`,
    `--storage.tsdb.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  await startProcess({ dir, name: 'prometheus', command: program, args });
  const ready = (): Promise<boolean> =>
    fetch(`${url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await waitUntil('Prometheus', ready, { dir, name: 'prometheus', timeoutMs: startTimeoutMs });
  return {
    query: async (expression) => {
      const { result } = await ask<Vector>(
        `${url}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
      );
      return result.map(({ metric, value }) => ({ labels: metric, value: Number(value[1]) }));
    },
    alerts: async () => (await ask<{ readonly alerts: readonly ActiveAlert[] }>(`${url}/api/v1/alerts`)).alerts,
    stop: () => stopProcess(dir, 'prometheus'),
  };
}

interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }[];
}

async function ask<T>(url: string): Promise<T> {
  const answer = (await (await fetch(url)).json()) as { readonly data: T; readonly error?: string };
  if (answer.error !== undefined) throw new Error(`Prometheus refuses ${decodeURIComponent(url)}: ${answer.error}`);
  return answer.data;
}
