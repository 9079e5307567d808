/** Turns the declared options into the reference page docs/configuration.md. Pure; the emitted file is committed. */
import { docOf, optionsOf } from './option.ts';
import type { Option, OptionTree } from './option.ts';
import type { KubernetesReleases } from './kubernetes-versions.ts';

/** The whole page. */
export function configurationPage(tree: OptionTree, releases: KubernetesReleases): string {
  const rows = [...optionsOf(tree)].map(
    ([path, option]) =>
      `| \`${path}\` | ${typeText(option)} | \`${JSON.stringify(option.default)}\` | ${docOf(option)} |`,
  );
  const versions = Object.entries(releases).map(([minor, patches]) => `| ${minor} | ${patches.join(', ')} |`);
  return [
    '# Configuration',
    '',
    'Generated from config/options.ts by `npm run generate`; do not edit.',
    '',
    'These are the values of the Helm chart, the properties of the construct `VirtualCluster`, and in snake_case the attributes of the resource',
    '`vcluster_cluster`.',
    'A key that is not listed here, or a value of another type, is refused before anything is created.',
    '',
    '| Option | Type | Default | |',
    '|---|---|---|---|',
    ...rows,
    '',
    '## Kubernetes versions',
    '',
    'A minor version alone means the release this project was tested with, else the newest listed.',
    '',
    '| Minor | Releases |',
    '|---|---|',
    ...versions,
    '',
  ].join('\n');
}

function typeText(option: Option): string {
  if (option.values) return option.values.map((value) => `\`${value}\``).join(' \\| ');
  const words: Readonly<Record<Option['type'], string>> = {
    string: 'string',
    boolean: 'boolean',
    quantity: 'quantity, such as `500m` or `5Gi`',
    version: 'string',
    strings: 'list of strings',
    stringMap: 'map of strings',
    resources: '`{ requests, limits }`',
    tolerations: 'list of tolerations',
    references: 'list of `{ name }`',
  };
  return words[option.type];
}
