/**
 * `npm run provider:install`: what it says is enough for Terraform and for OpenTofu to find the provider and to run it. Needs no
 * cluster; it is at this level because it needs their programs.
 */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../scripts/lib/command.ts';
import { root } from '../../scripts/lib/stack.ts';
import { resolveBinary, silent } from '../../testbed/index.ts';
import { tools } from '../support/terraform.ts';
import type { Tool } from '../support/terraform.ts';

const answer = 'output "there" {\n  value = provider::vcluster::host_name("web-0", "default", "team-a")\n}\n';

let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'install-'));
});

afterAll(() => rm(home, { recursive: true, force: true }));

/** Runs the installer as a user whose home this is; returns what it says to write. */
async function install(...args: readonly string[]): Promise<{ readonly main: string; readonly settings: string }> {
  const said = await run(process.execPath, ['scripts/provider-install.ts', ...args], {
    cwd: root,
    env: { HOME: home },
  });
  const [, main = '', settings = ''] = said.split(/^\S.*:\n$/m);
  return { main, settings };
}

/** Initialises and applies as that user, whose settings are the given ones; returns the output. */
async function used(tool: Tool, main: string, settings: string): Promise<string> {
  const folder = await mkdtemp(join(home, `${tool}-`));
  const file = join(folder, 'settings');
  await mkdir(join(folder, 'work'));
  await writeFile(join(folder, 'work/main.tf'), `${main}\n${answer}`);
  await writeFile(file, settings);
  const program = await resolveBinary(tool, silent);
  // Without settings nothing is named at all: that the provider is found then is what is tested.
  const env = { HOME: home, CHECKPOINT_DISABLE: '1', TF_CLI_CONFIG_FILE: settings === '' ? undefined : file };
  const options = { cwd: join(folder, 'work'), env };
  await run(program, ['init', '-input=false'], options);
  await run(program, ['apply', '-auto-approve', '-input=false'], options);
  return run(program, ['output', '-raw', 'there'], options);
}

describe.each(tools)('%s', (tool) => {
  test('finds it where it looks by itself', async () => {
    const { main, settings } = await install();
    expect(settings).toBe('');
    expect(await used(tool, main, settings)).toBe('web-0-x-default-x-team-a');
  });

  test('finds it in a mirror of the user, by the settings that the installer prints', async () => {
    const { main, settings } = await install('--dir', join(home, 'a mirror'));
    expect(settings).toContain('filesystem_mirror');
    expect(await used(tool, main, settings)).toBe('web-0-x-default-x-team-a');
  });
});
