/** examples/application on a real node: one apply makes a virtual cluster, a Deployment and a Helm release in it. In order. */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import { Inside } from '../../scripts/lib/inside.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { apply, exampleHost, Workshop } from '../support/example.ts';

const problem = hostProblem();
const team = { name: 'ex-app', namespace: 'ex-app' } as const;
const env = { TEAM: team.name };

describe.skipIf(problem !== undefined)(`application${problem ? `, skipped: ${problem}` : ''}`, () => {
  let host: Kubectl;
  let workshop: Workshop;
  let terraform: Terraform;

  /** UID of what must not be touched while something else changes. */
  async function uid(kind: string, name: string): Promise<unknown> {
    return (await host.tryGet(kind, name, team.namespace))?.metadata.uid;
  }

  beforeAll(async () => {
    host = await exampleHost();
    workshop = await Workshop.open(host);
    terraform = await workshop.program('application', 'application', env);
  });

  afterAll(async () => {
    await workshop?.[Symbol.asyncDispose]();
  });

  test('one apply makes the virtual cluster, the application and the Helm release in it', async () => {
    await apply(terraform);
    expect(await terraform.outputs()).toEqual({ web_on_the_host: 'web-x-shop-x-ex-app' });
    await using inside = await Inside.open(host, team, join(workshop.folder, 'kubeconfig'));
    for (const name of ['web', 'greeter']) {
      await inside.kubectl.run(['rollout', 'status', `deployment/${name}`, '-n', 'shop', '--timeout=120s']);
    }
    const page = ['get', 'configmap', 'greeter', '-n', 'shop', '-o', 'jsonpath={.data.index\\.html}'];
    expect(await inside.kubectl.run(page)).toContain('hello from a chart');
    expect(await uid('service', 'web-x-shop-x-ex-app')).toBeDefined();
  });

  test('a second plan and a second apply change nothing', async () => {
    const plan = await terraform.plan();
    expect(plan.text).toContain('No changes.');
    expect((await apply(terraform)).join('\n')).toMatch(/0 added, 0 changed, 0 destroyed/);
  });

  test('a change inside leaves the virtual cluster and all else inside alone', async () => {
    const before = await uid('statefulset', team.name);
    await workshop.synthesise('application', 'application', { ...env, REPLICAS: '1' });
    const { text } = await terraform.plan();
    expect(text).toContain('0 to add, 1 to change, 0 to destroy');
    await apply(terraform);
    expect(await uid('statefulset', team.name)).toBe(before);
  });

  test('destroy leaves nothing on the host', async () => {
    await terraform.destroy();
    expect(await host.tryGet('namespace', team.namespace)).toBeUndefined();
    expect(await leftovers(host, team.namespace)).toEqual([]);
  });
});
