/** examples/preview on a real node: an environment for a pull request, with its URL and the time until when it is wanted. In order. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { apply, exampleHost, Workshop } from '../support/example.ts';

const problem = hostProblem();
const name = 'pr-4711';
const env = { PR: '4711', EXPIRES: '2026-12-01T18:00:00Z' };

describe.skipIf(problem !== undefined)(`preview${problem ? `, skipped: ${problem}` : ''}`, () => {
  let host: Kubectl;
  let workshop: Workshop;
  let terraform: Terraform;

  beforeAll(async () => {
    host = await exampleHost();
    workshop = await Workshop.open(host);
    terraform = await workshop.program('preview', name, env);
  });

  afterAll(async () => {
    await workshop?.[Symbol.asyncDispose]();
  });

  test('a pull request gets a virtual cluster, the application and a URL', async () => {
    await apply(terraform);
    expect(await terraform.outputs()).toEqual({ url: 'http://pr-4711.preview.example.com/', expires: env.EXPIRES });
    const path = 'jsonpath={.spec.rules[0].http.paths[0].backend.service.name}';
    const service = await host.run(['get', 'ingress', 'web', '-n', name, '-o', path]);
    expect((await host.tryGet('service', service, name))?.spec).toHaveProperty('clusterIP');
  });

  test('the host says until when it is wanted', async () => {
    const annotations = await host.run(['get', 'namespace', name, '-o', 'jsonpath={.metadata.annotations}']);
    expect(JSON.parse(annotations)).toMatchObject({ 'preview.example.com/expires': env.EXPIRES });
  });

  test('a second plan changes nothing, a push changes the application only', async () => {
    expect((await terraform.plan()).text).toContain('No changes.');
    const pushed = { ...env, IMAGE: 'docker.io/library/busybox:1.36.1' };
    await workshop.synthesise('preview', name, pushed);
    expect((await terraform.plan()).text).toContain('0 to add, 1 to change, 0 to destroy');
  });

  test.each([{ PR: 'main' }, { EXPIRES: 'tomorrow' }])('%j is refused at synthesis', async (wrong) => {
    await expect(workshop.synthesise('preview', name, { ...env, ...wrong })).rejects.toThrow(/must be .*, got: /);
  });

  test('closing the pull request leaves nothing on the host', async () => {
    await terraform.destroy();
    expect(await host.tryGet('namespace', name)).toBeUndefined();
    expect(await leftovers(host, name)).toEqual([]);
  });
});
