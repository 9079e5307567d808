/**
 * `npm run generate`: writes every file that follows from a declaration. With `--check` it writes nothing and exits with 1
 * when a committed file differs, naming it.
 *
 * Sources: config/ (options, Kubernetes releases), syncer/resources/ (what is synced, rights on the host), syncer/service/ (metrics),
 * provider/ (reference of the Terraform provider). The emitted
 * files are committed, so that the chart and the documentation can be read and used without running anything.
 */
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { configurationPage } from '../config/emit-docs.ts';
import { valuesSchema } from '../config/emit-schema.ts';
import { valuesModule } from '../config/emit-types.ts';
import { defaultReleases, kubernetesReleases } from '../config/kubernetes-versions.ts';
import { options } from '../config/options.ts';
import { referencePages } from '../provider/framework/docs.ts';
import { provider } from '../provider/provider.ts';
import { copied, resources } from '../syncer/resources/index.ts';
import { constructsPage, emitDeclarations } from './lib/constructs-page.ts';
import { dashboard } from './lib/dashboard.ts';
import { metricsPage } from './lib/metrics-page.ts';
import { resourcesPage } from './lib/resources-page.ts';
import { mergeRules, standingRules } from './lib/rules.ts';

const root = join(import.meta.dirname, '..');
const guide = await readFile(join(root, 'constructs', 'guide.md'), 'utf8');

const emitted: readonly { readonly path: string; readonly text: string }[] = [
  { path: 'config/values.ts', text: valuesModule(options) },
  { path: 'chart/values.schema.json', text: json(valuesSchema(options)) },
  {
    path: 'chart/files/kubernetes-versions.json',
    text: json({ defaults: defaultReleases(), releases: kubernetesReleases }),
  },
  {
    path: 'chart/files/rules.json',
    text: json(mergeRules([...standingRules, ...resources.flatMap(({ hostRules }) => hostRules)])),
  },
  { path: 'chart/dashboards/vcluster.json', text: json(dashboard()) },
  { path: 'docs/configuration.md', text: configurationPage(options, kubernetesReleases) },
  { path: 'docs/constructs.md', text: constructsPage(guide, await emitDeclarations(root)) },
  { path: 'docs/metrics.md', text: metricsPage() },
  { path: 'docs/resources.md', text: resourcesPage(resources, copied) },
  ...referencePages(provider).map(({ path, text }) => ({ path: `docs/provider/${path}`, text })),
];

const check = process.argv.includes('--check');
const stale: string[] = [];
for (const { path, text } of emitted) {
  const file = join(root, path);
  const before = existsSync(file) ? await readFile(file, 'utf8') : undefined;
  if (before === text) continue;
  stale.push(path);
  if (check) continue;
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}
if (check && stale.length > 0) {
  console.error(`Not up to date: ${stale.join(', ')}. Run \`npm run generate\` and commit the result.`);
  process.exitCode = 1;
} else {
  console.log(stale.length === 0 ? 'Generated files are up to date.' : `Wrote ${stale.join(', ')}.`);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
