/**
 * examples/plain-terraform by Terraform and by OpenTofu, on a real node: one apply makes a virtual cluster and an application in it.
 * The tests of a tool build on each other, in order.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { apply, exampleHost, Workshop } from '../support/example.ts';
import { secretWords } from '../support/secret-words.ts';
import { tools } from '../support/terraform.ts';

const problem = hostProblem();

describe.skipIf(problem !== undefined).each(tools)(
  `plain-terraform by %s${problem ? `, skipped: ${problem}` : ''}`,
  (tool) => {
    const name = `ex-${tool}`;
    const env: Record<string, string> = { TF_VAR_name: name };
    let host: Kubectl;
    let workshop: Workshop;
    let terraform: Terraform;

    async function podsOnHost(): Promise<readonly string[]> {
      const names = await host.run(['get', 'pods', '-n', name, '-o', 'jsonpath={.items[*].metadata.name}']);
      return names.split(' ').filter((each) => each.startsWith('web-') && each.endsWith(`-x-app-x-${name}`));
    }

    beforeAll(async () => {
      host = await exampleHost();
      workshop = await Workshop.open(host);
      terraform = await workshop.configuration('plain-terraform', { tool, env });
    });

    afterAll(async () => {
      await workshop?.[Symbol.asyncDispose]();
    });

    test('one apply makes the virtual cluster and the application in it', async () => {
      await apply(terraform);
      expect(await terraform.outputs()).toMatchObject({
        version: expect.stringMatching(/^1\.36\./),
        web_on_the_host: `web-x-app-x-${name}`,
      });
      expect(await podsOnHost()).toHaveLength(2);
    });

    test('a second plan and a second apply change nothing', async () => {
      const plan = await terraform.plan();
      expect(plan.text).toContain('No changes.');
      expect(plan.changes).toBe(false);
      expect((await apply(terraform)).join('\n')).toMatch(/0 added, 0 changed, 0 destroyed/);
    });

    test('no byte of a key, certificate or token stands in state or plan', async () => {
      const file = join(terraform.folder, 'kept.plan');
      await terraform.plan(file);
      const texts = [
        await readFile(join(terraform.folder, 'terraform.tfstate'), 'utf8'),
        await terraform.show(file),
        (await readFile(file)).toString('latin1'),
      ];
      const words = await secretWords(host, name, [`vc-${name}`, `${name}-certs`]);
      expect(words.length).toBeGreaterThan(20);
      for (const text of texts) expect(words.filter((word) => text.includes(word))).toEqual([]);
    });

    test('a change inside leaves the virtual cluster alone', async () => {
      env['TF_VAR_replicas'] = '1';
      const changed = await workshop.reopened(terraform, { tool, env });
      const { text } = await changed.plan();
      expect(text).toContain('0 to add, 1 to change, 0 to destroy');
      await apply(changed);
      await expect.poll(podsOnHost, { timeout: 30_000 }).toHaveLength(1);
    });

    test('destroy leaves nothing on the host', async () => {
      await terraform.destroy();
      expect(await host.tryGet('namespace', name)).toBeUndefined();
      expect(await leftovers(host, name)).toEqual([]);
    });
  },
);
