/**
 * The quickstart where the providers of the registry cannot be had: it says so and goes on with the provider of this checkout. The
 * registry is made unreachable by a proxy that is not there. The tests of this file build on each other, in order.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../scripts/lib/host.ts';
import { Inside } from '../scripts/lib/inside.ts';
import type { Kubectl } from '../scripts/lib/kubectl.ts';
import { leftovers } from '../scripts/lib/leftovers.ts';
import { checkPrerequisites } from '../scripts/lib/prerequisites.ts';
import { openQuickstart } from '../scripts/lib/quickstart-stack.ts';
import { outFolder, quickstartStack, root } from '../scripts/lib/stack.ts';
import type { Terraform } from '../scripts/lib/terraform.ts';
import { exampleHost } from './support/example.ts';

const problem = hostProblem();
const place = { name: 'qs-native', namespace: 'qs-native' } as const;
const blocked = { HTTPS_PROXY: 'http://127.0.0.1:9', TERRAFORM_MIRROR: '' };

let folder: string;
let host: Kubectl;
let notes: string[];

/** Opens the quickstart's stacks, in folders of this test, with the registry blocked. */
async function open(mirror = ''): Promise<Terraform> {
  const former = Object.keys(blocked).map((name) => [name, process.env[name]] as const);
  const { terraform: binary } = await checkPrerequisites(() => undefined);
  notes = [];
  try {
    Object.assign(process.env, blocked, { TERRAFORM_MIRROR: mirror });
    return await openQuickstart({
      binary,
      kubeconfig: host.kubeconfig,
      note: (line) => notes.push(line),
      stock: { ...quickstartStack, outdir: join(folder, 'stock') },
      native: {
        program: join(root, 'test/support/native-cluster.ts'),
        stack: 'quickstart',
        outdir: join(folder, 'native'),
      },
    });
  } finally {
    for (const [name, value] of former) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

describe.skipIf(problem !== undefined)(`quickstart without a registry${problem ? `, skipped: ${problem}` : ''}`, () => {
  beforeAll(async () => {
    host = await exampleHost();
    folder = await mkdtemp(join(outFolder, 'quickstart-native-'));
    await host.run(['delete', 'namespace', place.namespace, '--ignore-not-found']);
  });

  afterAll(async () => {
    await host?.run(['delete', 'namespace', place.namespace, '--ignore-not-found']);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('a mirror that was named and lacks the providers is a mistake, and stays one', async () => {
    await expect(open(folder)).rejects.toThrow(/in the folder that TERRAFORM_MIRROR names/);
    expect(notes.join('\n')).not.toContain('own provider');
  });

  test("says why, and makes the virtual cluster by this project's own provider", async () => {
    await using terraform = await open();
    expect(notes.join('\n')).toMatch(/cannot be had: could not connect to registry\.terraform\.io: .*127\.0\.0\.1:9/);
    expect(notes.join('\n')).toContain("made by this project's own provider, built here");
    await terraform.apply();
    expect(await terraform.addresses()).toEqual([expect.stringMatching(/^vcluster_cluster\./)]);
    await using inside = await Inside.open(host, place, join(folder, 'inside.kubeconfig'));
    expect(await inside.kubectl.run(['get', 'namespaces'])).toContain('kube-system');
  });

  test('a second run goes on with it without asking the registry, and changes nothing', async () => {
    await using terraform = await open();
    expect(notes.join('\n')).toContain('goes on with it');
    expect((await terraform.plan()).changes).toBe(false);
  });

  test('destroy leaves nothing on the host', async () => {
    await using terraform = await open();
    await terraform.destroy();
    expect(await host.tryGet('namespace', place.namespace)).toBeUndefined();
    expect(await leftovers(host, place.namespace)).toEqual([]);
  });
});
