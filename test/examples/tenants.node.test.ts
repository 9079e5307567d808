/**
 * examples/tenants on a real node, with the first three tenants of the list; TENANTS=20 makes all of them. In order.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import { root } from '../../scripts/lib/stack.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { apply, exampleHost, Workshop } from '../support/example.ts';

const problem = hostProblem();
const count = Number(process.env['TENANTS'] ?? 3);

describe.skipIf(problem !== undefined)(`${count} tenants${problem ? `, skipped: ${problem}` : ''}`, () => {
  let host: Kubectl;
  let workshop: Workshop;
  let terraform: Terraform;
  let tenants: { name: string; group: string }[];
  let env: Record<string, string>;

  async function write(list: readonly object[]): Promise<void> {
    await writeFile(join(workshop.folder, 'tenants.yaml'), stringify(list));
  }

  beforeAll(async () => {
    host = await exampleHost();
    workshop = await Workshop.open(host);
    const all: typeof tenants = parse(await readFile(join(root, 'examples/tenants/tenants.yaml'), 'utf8'));
    // Names that nobody else on this host has.
    tenants = all.slice(0, count).map((tenant) => ({ ...tenant, name: `ex-${tenant.name}` }));
    env = { TENANTS_FILE: join(workshop.folder, 'tenants.yaml') };
    await write(tenants);
    terraform = await workshop.program('tenants', 'tenants', env);
  });

  afterAll(async () => {
    await workshop?.[Symbol.asyncDispose]();
  });

  test('one apply makes them all', { timeout: 60_000 * (3 + count) }, async () => {
    await apply(terraform);
    const { endpoints } = await terraform.outputs();
    expect(Object.keys(endpoints as object).toSorted()).toEqual(tenants.map(({ name }) => name).toSorted());
    for (const { name } of tenants) {
      expect((await host.tryGet('secret', `vc-${name}`, name))?.data).toHaveProperty('config');
    }
  });

  test('a second plan changes nothing', async () => {
    expect((await terraform.plan()).text).toContain('No changes.');
  });

  test('a tenant who leaves is removed with what is inside, and no other is touched', async () => {
    const [, leaving] = tenants;
    await write(tenants.toSpliced(1, 1));
    await workshop.synthesise('tenants', 'tenants', { ...env, LEAVING: leaving?.name ?? '' });
    const { text } = await terraform.plan();
    expect(text).toMatch(/0 to add, 0 to change, \d+ to destroy/);
    const touched = [...text.matchAll(/# \S+\.fleet_(ex-[a-z]+)_\S+ will be/g)].map(([, name]) => name);
    expect(new Set(touched)).toEqual(new Set([leaving?.name]));
    const lines = await apply(terraform);
    const at = (what: RegExp): number => lines.findIndex((line) => what.test(line));
    const inside = at(/^kubernetes_cluster_role_binding_v1\.\S+ Destruction complete/);
    expect(inside).toBeGreaterThanOrEqual(0);
    expect(at(/^helm_release\.\S+ Destroying/)).toBeGreaterThan(inside);
    expect(at(/^kubernetes_namespace_v1\.\S+ Destroying/)).toBeGreaterThan(
      at(/^helm_release\.\S+ Destruction complete/),
    );
    expect(await host.tryGet('namespace', leaving?.name ?? '')).toBeUndefined();
    await workshop.synthesise('tenants', 'tenants', env);
    expect((await terraform.plan()).text).toContain('No changes.');
  });

  test('a wrong line is named with file and line before anything is changed', async () => {
    await write([...tenants, { name: 'ex-wrong', group: 'oidc:wrong', cpu: 'many' }]);
    const line = tenants.reduce((sum, tenant) => sum + Object.keys(tenant).length, 0) + 3;
    await expect(workshop.synthesise('tenants', 'tenants', env)).rejects.toThrow(
      new RegExp(`tenants\\.yaml:${line}[^]*ex-wrong[^]*a quantity such as`),
    );
  });

  test('destroy leaves nothing on the host', { timeout: 60_000 * (3 + count) }, async () => {
    await write(tenants);
    await workshop.synthesise('tenants', 'tenants', env);
    await terraform.destroy();
    for (const { name } of tenants) {
      expect(await host.tryGet('namespace', name)).toBeUndefined();
      expect(await leftovers(host, name)).toEqual([]);
    }
  });
});
