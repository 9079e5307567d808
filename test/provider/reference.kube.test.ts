/** The reference of the provider: every example in it is a configuration that the real Terraform takes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { provider } from '../../provider/provider.ts';
import { attempt } from '../../scripts/lib/command.ts';
import { resolveBinary, toStderr } from '../../testbed/index.ts';
import { attachProvider } from '../support/provider.ts';

const types = [...provider.resources, ...provider.dataSources, ...provider.ephemerals, ...provider.functions];
const examples = [
  ['the provider', provider.example ?? ''] as const,
  ...types.map(({ is, name, definition }) => [`${is} ${name}`, definition.example ?? ''] as const),
];

/** For an example that reads one. */
const kubeconfig = JSON.stringify({
  'current-context': 'c',
  contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
  users: [{ name: 'u', user: { token: 't' } }],
});

test.each(examples)('the example of %s is valid', async (_, example) => {
  expect(example).not.toBe('');
  await using attached = await attachProvider();
  const folder = await mkdtemp(join(tmpdir(), 'reference-'));
  try {
    await writeFile(join(folder, 'main.tf'), complete(example));
    await writeFile(join(folder, 'inner.kubeconfig'), kubeconfig);
    const terraform = await resolveBinary('terraform', toStderr);
    const env = { ...attached.env, CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: undefined, TF_LOG: undefined };
    const { stdout } = await attempt(terraform, ['validate', '-json', '-no-color'], { cwd: folder, env });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: unknown };
    expect(diagnostics).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

/**
 * An example with what it leaves to the reader: which providers there are, and the cluster it is about. Other providers are not
 * here to say whether their arguments are right, so these become local values, whose expressions are looked at all the same.
 */
function complete(example: string): string {
  const needed = [
    [
      'required_providers',
      'terraform {\n  required_providers {\n    vcluster = { source = "cdktf-vcluster/vcluster" }\n  }\n}\n',
    ],
    ['resource "vcluster_cluster" "team_a"', 'resource "vcluster_cluster" "team_a" {\n  name = "team-a"\n}\n'],
  ] as const;
  return needed.reduce(
    (text, [sign, added]) => (text.includes(sign) ? text : `${text}\n${added}`),
    example.replaceAll(/^provider "(kubernetes|helm)" /gm, 'locals '),
  );
}
