import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareVersions, describeChart } from './chart-files.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chart-files-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('describeChart()', () => {
  test.each([
    ['nothing', '', 'is no folder with a Helm chart: its Chart.yaml is empty'],
    ['a word', 'hello', 'is no folder with a Helm chart: its Chart.yaml is empty'],
    ['another chart', 'name: other\nversion: 1.0.0', 'holds the chart "other", not the one of this project'],
    ['an old chart', 'name: vcluster\nversion: 0.0.9', 'is version 0.0.9, and'],
    ['no version', 'name: vcluster', 'is version undefined, and'],
    ['no number', 'name: vcluster\nversion: latest', 'is version latest, and'],
  ])('refuses %s', async (_, text, words) => {
    await writeFile(join(folder, 'Chart.yaml'), text);
    await expect(describeChart(folder)).rejects.toThrow(words);
  });

  test('takes a newer one', async () => {
    await writeFile(join(folder, 'Chart.yaml'), 'name: vcluster\nversion: 9.0.0\nappVersion: 9.0.1');
    expect(await describeChart(folder)).toMatchObject({ version: '9.0.0', appVersion: '9.0.1' });
  });
});

test('compareVersions() counts numbers, and puts a prerelease before its release', () => {
  expect(compareVersions('0.10.0', '0.9.0')).toBeGreaterThan(0);
  expect(compareVersions('v1.0.0-rc.1', '1.0.0')).toBeLessThan(0);
  expect(compareVersions('1.0.0+build', '1.0.0')).toBe(0);
});
