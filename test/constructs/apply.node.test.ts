/**
 * The constructs applied for real, by both provisioners in one stack: virtual cluster and what is inside in one apply, nothing to do in a
 * second one, an update that leaves the inside alone, no key anywhere, and nothing left in the end. The tests build on each other, in order.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findHost, hostProblem, provideImage } from '../../scripts/lib/host.ts';
import { Inside } from '../../scripts/lib/inside.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import { checkPrerequisites } from '../../scripts/lib/prerequisites.ts';
import { outFolder, root, synthesise } from '../../scripts/lib/stack.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { secretWords } from '../support/secret-words.ts';
import { openInstalled } from '../support/terraform.ts';
import { toStderr as log } from '../../testbed/index.ts';

const problem = hostProblem();
const names = ['cx-helm', 'cx-native'] as const;

let folder: string;
let host: Kubectl;
let terraform: Terraform;

/** Synthesises, again into the same folder; returns where. */
function stackWith(env: Readonly<Record<string, string>> = {}): Promise<string> {
  const program = join(root, 'test', 'constructs', 'apply-program.ts');
  return synthesise({ program, stack: 'both', outdir: join(folder, 'out'), env }, host.kubeconfig);
}

/** Addresses of what the state holds, with their attributes. */
async function state(): Promise<ReadonlyMap<string, Readonly<Record<string, unknown>>>> {
  const shown = JSON.parse(await terraform.show());
  const all: { address: string; values: Record<string, unknown> }[] = shown.values?.root_module.resources ?? [];
  return new Map(all.map(({ address, values }) => [address, values]));
}

/** UIDs of the applications inside, and how often they were changed. */
async function applications(): Promise<readonly unknown[]> {
  const found = [...(await state())].filter(([address]) => address.startsWith('kubernetes_deployment_v1'));
  return found.map(([address, { metadata }]) => {
    const [{ uid, generation } = {} as Record<string, unknown>] = metadata as Record<string, unknown>[];
    return { address, uid, generation };
  });
}

/** What a plan would do, from Terraform's own words. */
function planned(text: string): readonly string[] {
  return [...text.matchAll(/# (\S+) (?:will|must) be (.+)$/gm)].map(
    ([, address = '', what = '']) => `${address}: ${what}`,
  );
}

describe.skipIf(problem !== undefined)(`constructs${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    mkdirSync(outFolder, { recursive: true });
    folder = await mkdtemp(join(outFolder, 'constructs-'));
    const { kubectl } = await checkPrerequisites(log);
    const found = await findHost(kubectl, log);
    await provideImage(found, log);
    host = found.kubectl;
    await host.run(['delete', 'namespace', ...names, '--ignore-not-found']);
    terraform = await openInstalled(await stackWith(), host.kubeconfig);
    await terraform.init();
  });

  afterAll(async () => {
    await terraform?.[Symbol.asyncDispose]();
    if (host !== undefined) await host.run(['delete', 'namespace', ...names, '--ignore-not-found', '--wait=false']);
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  test('one apply makes the virtual clusters and what is inside', async () => {
    await terraform.apply(log);
    expect(await applications()).toHaveLength(2);
    expect(await terraform.outputs()).toEqual(
      Object.fromEntries(
        names.map((name) => [
          `of-${name}`,
          {
            secret: { name: `vc-${name}`, namespace: name },
            endpoint: `https://${name}.${name}:443`,
            host: `motd-x-default-x-${name}`,
          },
        ]),
      ),
    );
  });

  test.each(names)('the application of %s runs on the host, in its namespace and in no other', async (name) => {
    const pods = await host.list('pods', name, 'vcluster.loft.sh/managed-by');
    const running = pods.map(({ metadata }) => metadata.name).filter((pod) => pod.endsWith(`-x-default-x-${name}`));
    expect(running).toEqual([expect.stringMatching(/^web-/)]);
    expect(await host.tryGet('deployment', 'web', 'default')).toBeUndefined();
    expect(await host.tryGet('configmap', 'motd', 'default')).toBeUndefined();
  });

  test.each(names)('a manifest of %s arrives letter by letter, with what only Terraform knew', async (name) => {
    await using inside = await Inside.open(host, { name, namespace: name }, join(folder, `${name}.kubeconfig`));
    expect((await inside.kubectl.tryGet('configmap', 'motd', 'default'))?.['data']).toEqual({
      run: 'echo "${HOME}" %{ if } \\d\n',
      server: `at "https://${name}.${name}:443"`,
    });
  });

  test('a second plan has nothing to do', async () => {
    expect((await terraform.plan()).text).toContain('No changes.');
  });

  test('nor with an environment that names another cluster and another token', async () => {
    const env = { KUBE_CONFIG_PATHS: host.kubeconfig, KUBE_CONFIG_PATH: undefined, KUBE_TOKEN: 'of-the-host' };
    await using other = await openInstalled(terraform.folder, host.kubeconfig, { env });
    expect((await other.plan()).text).toContain('No changes.');
  });

  test('no byte of a key or token stands in state or plan', async () => {
    const planFile = join(folder, 'plan');
    await terraform.plan(planFile);
    const texts = [
      await readFile(join(terraform.folder, 'terraform.tfstate'), 'utf8'),
      await terraform.show(),
      await terraform.show(planFile),
    ];
    for (const name of names) {
      const words = await secretWords(host, name, [`vc-${name}`, `${name}-certs`]);
      expect(words.length).toBeGreaterThan(10);
      for (const text of texts) expect(words.filter((word) => text.includes(word))).toEqual([]);
    }
  });

  test('an update of the virtual clusters leaves alone what is inside', async () => {
    const before = await applications();
    await stackWith({ LEVEL: 'debug' });
    const { text } = await terraform.plan();
    expect(planned(text).toSorted()).toEqual([
      expect.stringMatching(/^helm_release\.cx-helm_cluster_release_\w+: updated in-place$/),
      expect.stringMatching(/^vcluster_cluster\.cx-native_cluster_\w+: updated in-place$/),
    ]);
    await terraform.apply(log);
    expect(await applications()).toEqual(before);
    expect((await terraform.plan()).text).toContain('No changes.');
  });

  test('destroy takes everything away, the inside first', async () => {
    await terraform.destroy(log);
    expect(await terraform.addresses()).toEqual([]);
    for (const name of names) {
      expect(await host.tryGet('namespace', name)).toBeUndefined();
      expect(await leftovers(host, name)).toEqual([]);
    }
  });
});
