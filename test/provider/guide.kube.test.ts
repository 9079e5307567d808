/** Every configuration in docs/terraform.md is whole, and the real Terraform takes it with the provider as it is given out. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../../scripts/lib/stack.ts';
import { openInstalled, writeConfiguration } from '../support/terraform.ts';

const guide = await readFile(join(root, 'docs/terraform.md'), 'utf8');

/** What stands under each heading that shows a configuration. */
const configurations = guide.split(/^## /m).flatMap((chapter): [string, string][] => {
  const [title = ''] = chapter.split('\n', 1);
  const main = /^```hcl\n([\s\S]*?)^```$/m.exec(chapter)?.[1];
  return main === undefined ? [] : [[title, main]];
});

test('there is something to check', () => {
  expect(configurations.length).toBeGreaterThan(3);
});

test.each(configurations)('%s', async (_, main) => {
  const folder = await mkdtemp(join(tmpdir(), 'guide-'));
  try {
    await writeConfiguration(folder, { 'main.tf': main });
    await using terraform = await openInstalled(folder, '/dev/null');
    await terraform.init();
    await expect(terraform.validate()).resolves.toBeUndefined();
  } finally {
    await rm(folder, { recursive: true });
  }
});
