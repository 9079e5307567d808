/** examples/existing-cluster on a real node: a virtual cluster that Helm has made is taken into Terraform untouched. In order. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { root } from '../../scripts/lib/stack.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { apply, exampleHost, Workshop } from '../support/example.ts';
import { installCluster } from '../support/installed.ts';
import type { InstalledCluster } from '../support/installed.ts';

const problem = hostProblem();
const name = 'ex-there';

describe.skipIf(problem !== undefined)(`existing-cluster${problem ? `, skipped: ${problem}` : ''}`, () => {
  let host: Kubectl;
  let workshop: Workshop;
  let terraform: Terraform;
  let there: InstalledCluster;
  let uid: unknown;

  beforeAll(async () => {
    host = await exampleHost();
    there = await installCluster(name, ['-f', join(root, 'examples/existing-cluster/vcluster.yaml')]);
    uid = (await host.tryGet('pod', `${name}-0`, name))?.metadata.uid;
    workshop = await Workshop.open(host);
    terraform = await workshop.configuration('existing-cluster', {
      env: { TF_VAR_name: name, TF_VAR_namespace: name },
    });
  });

  afterAll(async () => {
    await workshop?.[Symbol.asyncDispose]();
    await there?.[Symbol.asyncDispose]();
  });

  test('it is imported and nothing else', async () => {
    expect((await terraform.plan()).text).toMatch(/1 to import, 0 to add, [01] to change, 0 to destroy/);
    await apply(terraform);
    expect(await terraform.outputs()).toEqual({ phase: 'Running' });
    expect((await host.tryGet('pod', `${name}-0`, name))?.metadata.uid).toBe(uid);
  });

  test('a second plan changes nothing', async () => {
    expect((await terraform.plan()).text).toContain('No changes.');
  });

  test('destroy removes the virtual cluster and keeps the namespace', async () => {
    await terraform.destroy();
    expect(await host.tryGet('statefulset', name, name)).toBeUndefined();
    expect(await host.tryGet('namespace', name)).toBeDefined();
  });
});
