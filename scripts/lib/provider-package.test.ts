/** The provider as registries and mirrors want it. That Terraform and OpenTofu take it is seen in test/provider. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { unzip } from '../../testbed/zip.ts';
import { embeddedNodeVersion } from './provider-executable.ts';
import { completeRelease, installInto, packProgram, platforms, thisPlatform } from './provider-package.ts';
import { settingsText } from './terraform-settings.ts';

const here = `${thisPlatform.os}_${thisPlatform.arch}`;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'provider-package-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function aProgram(text: string): Promise<string> {
  const program = join(folder, 'program');
  await writeFile(program, text);
  return program;
}

test('the zip of this platform holds the program under its name', async () => {
  const file = await packProgram(await aProgram('code'), '1.2.3', folder);
  expect(file).toBe(join(folder, `terraform-provider-vcluster_1.2.3_${here}.zip`));
  const name = `terraform-provider-vcluster_v1.2.3${thisPlatform.os === 'windows' ? '.exe' : ''}`;
  expect(unzip(await readFile(file), name).toString()).toBe('code');
});

test('a release is completed by the program for Node, the manifest, and checksums of all of it', async () => {
  const zips = platforms.map(({ os, arch }) => `terraform-provider-vcluster_1.2.3_${os}_${arch}.zip`);
  for (const name of zips) await writeFile(join(folder, name), name);
  await completeRelease('1.2.3', folder, 'program');
  const manifest = await readFile(join(folder, 'terraform-provider-vcluster_1.2.3_manifest.json'), 'utf8');
  expect(JSON.parse(manifest)).toEqual({ version: 1, metadata: { protocol_versions: ['6.0'] } });
  const sums = await readFile(join(folder, 'terraform-provider-vcluster_1.2.3_SHA256SUMS'), 'utf8');
  const lines = Object.fromEntries(
    sums
      .trim()
      .split('\n')
      .map((line) => line.split('  ').toReversed()),
  );
  expect(Object.keys(lines)).toHaveLength(8);
  for (const name of zips) expect(lines[name]).toBe(createHash('sha256').update(name).digest('hex'));
  expect(lines['terraform-provider-vcluster_1.2.3_node']).toBe(createHash('sha256').update('program').digest('hex'));
});

test('a release that lacks a platform is refused', async () => {
  await writeFile(join(folder, 'terraform-provider-vcluster_1.2.3_linux_amd64.zip'), '');
  await expect(completeRelease('1.2.3', folder, 'program')).rejects.toThrow(
    /lacks: .*_linux_arm64\.zip, .*_windows_arm64\.zip/,
  );
  expect(await readdir(folder)).toHaveLength(1);
});

test('an installation is executable, is there for both registries, and says when it has changed something', async () => {
  const mirror = join(folder, 'mirror');
  const program = await aProgram('one');
  expect(await installInto(mirror, program, '1.2.3')).toBe(false);
  expect(await installInto(mirror, program, '1.2.3')).toBe(false);
  await rm(program);
  expect(await installInto(mirror, await aProgram('two'), '1.2.3')).toBe(true);
  for (const registry of ['registry.terraform.io', 'registry.opentofu.org']) {
    const place = join(mirror, registry, 'cdktf-vcluster/vcluster/1.2.3', here);
    const [name = ''] = await readdir(place);
    expect(await readFile(join(place, name), 'utf8')).toBe('two');
    expect((await stat(join(place, name))).mode & 0o111).not.toBe(0);
  }
});

test('settings: ours from our mirror only, the others never from it', () => {
  const both = settingsText('/ours', ['/theirs']);
  expect(both).toMatch(/path = "\/ours"\n\s+include = \["registry\.terraform\.io\/cdktf-vcluster\/vcluster",/);
  expect(both).toMatch(/path = "\/theirs"\n\s+exclude = /);
  expect(both).not.toContain('direct');
  expect(settingsText('/ours', [])).toMatch(/direct \{\n\s+exclude = /);
  expect(settingsText(undefined, ['/theirs'])).not.toContain('cdktf-vcluster');
});

describe('the release workflow', async () => {
  const workflows = join(import.meta.dirname, '../../.github/workflows');
  const texts = await Promise.all(['ci.yml', 'release.yml'].map((name) => readFile(join(workflows, name), 'utf8')));
  const [, release = ''] = texts;

  test('makes every platform that a release has to have', () => {
    const made = [...release.matchAll(/platform: (\w+),/g)].map(([, platform = '']) => platform);
    expect(made.toSorted()).toEqual(platforms.map(({ os, arch }) => `${os}_${arch}`).toSorted());
  });

  test('runs by the Node that goes into the executables, so that none is downloaded', () => {
    expect(release).toContain(`node-version: ${embeddedNodeVersion},`);
  });

  test('runs no action that somebody could exchange, nor do the checks', () => {
    const actions = texts.flatMap((text) => [...text.matchAll(/uses: (.*)/g)].map(([, action = '']) => action));
    expect(actions.length).toBeGreaterThan(5);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  });
});
