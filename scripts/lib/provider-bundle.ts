/**
 * The Terraform provider as one file of JavaScript, the chart within, for the two forms in which it is given to people: behind a
 * launcher for the Node of the machine, and in an executable of its own (provider-executable.ts).
 * Invariant: at run time nothing is loaded from beside the file; what Terraform's lock has hashed is all that runs.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import type { ChartFiles } from '../../operations/bundled-chart.ts';

const root = join(import.meta.dirname, '../..');

/** The provider's name, as it stands in file names and addresses. */
export const providerName = 'vcluster';

/** Where the provider is found in a registry, without the registry's host. */
export const providerNamespace = 'cdktf-vcluster';

/** Version of the provider, which is the version of the package. */
export async function providerVersion(): Promise<string> {
  const { version }: { version: string } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  return version;
}

/** All code and the chart as one CommonJS text, which Node takes without looking at any package.json. */
export async function bundleProvider(entry: string = join(root, 'provider/main.ts')): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    write: false,
    bundle: true,
    absWorkingDir: root,
    platform: 'node',
    format: 'cjs',
    target: 'node22',
    // Names and lines stay, so that a stack trace in a bug report can be read without a source map.
    minifySyntax: true,
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'warning',
    // CommonJS has no import.meta.
    define: { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' },
    plugins: [carryChart],
  });
  const [{ text } = { text: '' }] = outputFiles;
  return text;
}

/** The bundle behind the launcher: one executable file. `installedNode` is tried before PATH. */
export async function withLauncher(bundle: string, installedNode = ''): Promise<string> {
  const launcher = await readFile(join(import.meta.dirname, 'provider-launcher.sh'), 'utf8');
  if (installedNode.includes("'"))
    throw new Error(`The path of Node, ${installedNode}, has a quote in it. Move Node to another folder.`);
  return launcher.replace("installed_node=''", () => `installed_node='${installedNode}'`) + bundle;
}

/** Puts the files of the chart in the place of operations/bundled-chart.ts. */
const carryChart: Plugin = {
  name: 'chart',
  setup(bundler) {
    bundler.onLoad({ filter: /operations[/\\]bundled-chart\.ts$/ }, async () => ({
      contents: `export const bundledChart = ${JSON.stringify(await readChart())};`,
      loader: 'js',
    }));
  },
};

/** Every file of the chart that Helm would package. */
export async function readChart(): Promise<ChartFiles> {
  const chart = join(root, 'chart');
  const entries = await readdir(chart, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'));
  const names = paths.map((entry) => relative(chart, join(entry.parentPath, entry.name)).split(sep).join('/'));
  const files = names.toSorted().map(async (name) => [name, await readFile(join(chart, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(files));
}
