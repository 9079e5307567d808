import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { writeKubeconfig } from './inside.ts';

const config = `
current-context: in-cluster
clusters:
  - { name: in-cluster, cluster: { server: "https://a.b" } }
  - { name: port-forward, cluster: { server: "https://localhost:8443" } }
`;

test('writeKubeconfig() points every cluster at the server, for the owner only, also over an open file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'inside-'));
  const file = join(folder, 'config');
  try {
    await writeFile(file, 'old', { mode: 0o644 });
    await writeKubeconfig(file, config, 'https://127.0.0.1:9');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const written = parse(await readFile(file, 'utf8'));
    expect(written.clusters.map((entry: { cluster: { server: string } }) => entry.cluster.server)).toEqual([
      'https://127.0.0.1:9',
      'https://127.0.0.1:9',
    ]);
    expect(written['current-context']).toBe('in-cluster');
  } finally {
    await rm(folder, { recursive: true });
  }
});
