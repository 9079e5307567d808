/** A Prometheus that scrapes the syncer of a pair, with the chart's alerts on a quicker clock. */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startPrometheus } from '../../testbed/prometheus.ts';
import type { Prometheus } from '../../testbed/prometheus.ts';
import { until } from './eventually.ts';
import { hostNamespace, releaseName } from './pair.ts';
import type { SyncerProcess } from './syncer-process.ts';

export const alertsFile: string = join(import.meta.dirname, '../../chart/alerts/vcluster.yaml');

/** Starts it in a folder of its own. It follows the syncer from start to start, each of which has another port. */
export async function startScraping(program: string, dir: string, syncer: SyncerProcess): Promise<Prometheus> {
  await mkdir(dir, { recursive: true });
  const rules = join(dir, 'alerts.yaml');
  await writeFile(rules, quick(await readFile(alertsFile, 'utf8')));
  // Asked every second. A file would need an inotify instance, of which a machine with a kubelet may have none left.
  const discovery = createServer((_, response) => {
    const labels = { namespace: hostNamespace, release: releaseName, instance: `${releaseName}-0` };
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify([{ targets: [new URL(syncer.healthUrl).host], labels }]));
  });
  discovery.listen(0, '127.0.0.1');
  await once(discovery, 'listening');
  const { port } = discovery.address() as AddressInfo;
  const prometheus = await startPrometheus({
    program,
    dir: join(dir, 'prometheus'),
    config: {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [
        { job_name: 'vcluster', http_sd_configs: [{ url: `http://127.0.0.1:${port}`, refresh_interval: '1s' }] },
      ],
    },
  });
  // What counted up before the first scrape has not, in its eyes.
  await until('the first scrape', async () => (await prometheus.query('vcluster_build_info')).length > 0);
  return {
    ...prometheus,
    stop: async () => {
      await prometheus.stop();
      discovery.closeAllConnections();
      discovery.close();
    },
  };
}

/** With the alerts' own times a test would take ten minutes. */
function quick(alerts: string): string {
  return (
    alerts
      .replaceAll(/for: \d+m/gu, 'for: 1s')
      // What a tenant is refused is counted once, so it must not be out of sight before it is looked for.
      .replace('[10m])) > 50', '[1m])) > 0')
      .replaceAll(/\[(?:5|10)m\]|\[1h\]/gu, '[5s]')
  );
}

export interface AlertRule {
  readonly alert: string;
  readonly expr: string;
}

/** The alerts as the chart ships them. */
export async function alertRules(): Promise<readonly AlertRule[]> {
  const { groups } = parse(await readFile(alertsFile, 'utf8')) as { groups: { rules: AlertRule[] }[] };
  return groups.flatMap(({ rules }) => rules);
}
