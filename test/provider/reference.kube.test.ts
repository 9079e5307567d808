/** The reference of the provider: every example in it is a configuration that the real Terraform takes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { provider } from '../../provider/provider.ts';
import { attempt } from '../../scripts/lib/command.ts';
import { resolveBinary } from '../../testbed/index.ts';
import { attachProvider } from '../support/provider.ts';

const types = [...provider.resources, ...provider.dataSources, ...provider.ephemerals, ...provider.functions];
const examples = [
  ['the provider', provider.example ?? ''] as const,
  ...types.map(({ is, name, definition }) => [`${is} ${name}`, definition.example ?? ''] as const),
];

test.each(examples)('the example of %s is valid', async (_, example) => {
  expect(example).not.toBe('');
  await using attached = await attachProvider();
  const folder = await mkdtemp(join(tmpdir(), 'reference-'));
  try {
    await writeFile(join(folder, 'main.tf'), complete(example));
    const terraform = await resolveBinary('terraform', (line) => process.stderr.write(`${line}\n`));
    const env = { ...attached.env, CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: undefined, TF_LOG: undefined };
    const { stdout } = await attempt(terraform, ['validate', '-json', '-no-color'], { cwd: folder, env });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: readonly Problem[] };
    expect(diagnostics.filter((one) => !isMissingProvider(one))).toEqual([]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

interface Problem {
  readonly summary: string;
}

/** Examples show other providers too, which are not installed here; then nothing but that is found. */
function isMissingProvider({ summary }: Problem): boolean {
  return summary === 'Missing required provider';
}

/** An example with what it leaves to the reader: which providers there are, and the cluster it is about. */
function complete(example: string): string {
  const needed = [
    [
      'required_providers',
      'terraform {\n  required_providers {\n    vcluster = { source = "cdktf-vcluster/vcluster" }\n  }\n}\n',
    ],
    ['resource "vcluster_cluster" "team_a"', 'resource "vcluster_cluster" "team_a" {\n  name = "team-a"\n}\n'],
  ] as const;
  return needed.reduce((text, [sign, added]) => (text.includes(sign) ? text : `${text}\n${added}`), example);
}
