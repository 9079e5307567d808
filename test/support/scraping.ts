/** A Prometheus that scrapes the syncer of a pair, with the chart's alerts on a quicker clock. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { startPrometheus } from '../../testbed/prometheus.ts';
import type { Prometheus } from '../../testbed/prometheus.ts';
import { hostNamespace, releaseName } from './pair.ts';
import type { SyncerProcess } from './syncer-process.ts';

export const alertsFile: string = join(import.meta.dirname, '../../chart/alerts/vcluster.yaml');

/** Starts it in a folder of its own. With the alerts' own times a test would take ten minutes. */
export async function startScraping(program: string, dir: string, syncer: SyncerProcess): Promise<Prometheus> {
  const text = await readFile(alertsFile, 'utf8');
  const quick = text
    .replaceAll(/for: \d+m/gu, 'for: 1s')
    .replaceAll(/\[\d+[mh]\]/gu, '[15s]')
    .replace('> 50', '> 0');
  const rules = join(dir, 'alerts.yaml');
  await writeFile(rules, quick);
  await retarget(dir, syncer);
  const targets = { files: [join(dir, 'targets.json')], refresh_interval: '1s' };
  return startPrometheus({
    program,
    dir: join(dir, 'prometheus'),
    config: {
      global: { scrape_interval: '1s', evaluation_interval: '1s' },
      rule_files: [rules],
      scrape_configs: [{ job_name: 'vcluster', file_sd_configs: [targets] }],
    },
  });
}

/** To be called after a start of the syncer: each has a port of its own. */
export async function retarget(dir: string, syncer: SyncerProcess): Promise<void> {
  const labels = { namespace: hostNamespace, release: releaseName, instance: `${releaseName}-0` };
  await writeFile(join(dir, 'targets.json'), JSON.stringify([{ targets: [new URL(syncer.healthUrl).host], labels }]));
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
