/** What killed processes leave in the folder for temporary files, and who removes it. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PrivateFolder, removeAbandoned } from './paths.ts';

const hourMs = 3_600_000;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'paths-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** The number of a process that has ended. */
function pastPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

/** A folder as a process leaves it that is killed while it uses it. */
async function left(name: string, ageMs: number): Promise<void> {
  await mkdir(join(folder, name), { mode: 0o700 });
  await writeFile(join(folder, name, 'kubeconfig'), 'secret');
  const then = new Date(Date.now() - ageMs);
  await utimes(join(folder, name), then, then);
}

test('removeAbandoned() removes what a process has left that is gone since a day, and nothing else', async () => {
  const gone = pastPid();
  await left(`vcluster-${gone}-aaaaaa`, 25 * hourMs);
  const kept = [`vcluster-${gone}-young`, `vcluster-${process.pid}-mine`, 'vcluster-abc', `other-${gone}-aaaaaa`];
  await left(`vcluster-${gone}-young`, hourMs);
  for (const name of kept.slice(1)) await left(name, 25 * hourMs);
  await symlink(join(folder, 'vcluster-abc'), join(folder, `vcluster-${gone}-link`));
  await removeAbandoned(folder);
  expect((await readdir(folder)).toSorted()).toEqual([...kept, `vcluster-${gone}-link`].toSorted());
  expect(await readdir(join(folder, 'vcluster-abc'))).toEqual(['kubeconfig']);
});

test('removeAbandoned() minds neither a folder that is not there nor one that goes meanwhile', async () => {
  await expect(removeAbandoned(join(folder, 'absent'))).resolves.toBeUndefined();
});

test('opening a private folder, whose name tells its process, has abandoned ones removed', async () => {
  const abandoned = `vcluster-${pastPid()}-aaaaaa`;
  await left(abandoned, 25 * hourMs);
  vi.stubEnv('TMPDIR', folder);
  await using own = await PrivateFolder.open();
  expect(basename(own.path)).toMatch(new RegExp(`^vcluster-${process.pid}-`));
  await expect.poll(() => readdir(folder)).toEqual([basename(own.path)]);
});
