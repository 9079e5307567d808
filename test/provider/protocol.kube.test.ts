/**
 * The wire against the real Terraform and the real OpenTofu: the provider is a process that they start, encrypt to, ask, interrupt
 * and end. What the framework does with the requests is in framework.kube.test.ts.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually, until } from '../support/eventually.ts';
import { tools } from '../support/terraform.ts';
import { isRunning, ToyProgram } from './toy-program.ts';

const box = (name: string, attributes = ''): string =>
  `resource "toy_box" "${name}" {\n  name = "${name}"\n  ${attributes}\n}\n`;

describe.each(tools)('%s', (tool) => {
  let toy: ToyProgram;

  beforeEach(async () => {
    toy = await ToyProgram.open(tool);
  });

  afterEach(async () => {
    await toy[Symbol.asyncDispose]();
  });

  /** Nothing of ours is there any more: no process, no socket. */
  async function expectNothingLeft(): Promise<void> {
    await until('all providers to end', async () => (await toy.pids()).every((pid) => !isRunning(pid)));
    expect(await toy.sockets()).toEqual([]);
  }

  test('accepts the schema', async () => {
    await toy.write('');
    const { stdout, stderr } = await toy.run(['providers', 'schema', '-json']);
    expect(stderr).toBe('');
    const { provider_schemas: schemas } = JSON.parse(stdout) as { provider_schemas: Record<string, object> };
    const [schema] = Object.values(schemas);
    expect(schema).toMatchObject({
      resource_schemas: {
        toy_box: { version: 2, block: { attributes: { name: { type: 'string', required: true } } } },
      },
      functions: { split_id: { return_type: ['object', { box: 'string', side: 'string' }] } },
    });
    await expectNothingLeft();
  });

  test('validates, and shows an error with its place', async () => {
    await toy.write(box('one', 'size = 3'));
    expect(await toy.run(['validate'])).toMatchObject({ exitCode: 0 });
    await toy.write(box('one', 'size = 7\n  color = "green"'));
    const wrong = await toy.run(['validate']);
    expect(wrong.exitCode).toBe(1);
    expect(wrong.stderr).toContain('Ugly box');
    expect(wrong.stderr).toMatch(/on main\.tf line \d+, in resource "toy_box" "one":\s+\d+: +size += 7/);
    await expectNothingLeft();
  });

  test('applies, finds nothing to do, destroys; no process and no socket is left', async () => {
    await toy.write(box('one', 'weight = 0.1\n  anything = { list = [1, "two", null] }'));
    expect(await toy.run(['apply', '-auto-approve'])).toMatchObject({ exitCode: 0 });
    expect(toy.hasBox('one')).toBe(true);
    expect(await toy.run(['plan', '-detailed-exitcode'])).toMatchObject({ exitCode: 0 });
    expect(await toy.run(['destroy', '-auto-approve'])).toMatchObject({ exitCode: 0 });
    expect(toy.hasBox('one')).toBe(false);
    expect((await toy.pids()).length).toBeGreaterThan(3);
    await expectNothingLeft();
  });

  test('gets values of megabytes through, in both directions', async () => {
    // 6 MB: more than the windows of HTTP/2, and than the 4 MiB that gRPC allows where nobody has said more.
    await writeFile(join(toy.folder, 'big.txt'), 'ä'.repeat(3_000_000));
    await toy.write(box('one', 'tags = { big = file("big.txt") }'));
    expect(await toy.run(['apply', '-auto-approve'])).toMatchObject({
      exitCode: 0,
    });
    const state = await readFile(join(toy.folder, 'terraform.tfstate'), 'utf8');
    expect(state).toContain('ä'.repeat(3_000_000));
  });

  test('two commands side by side have a process each', async () => {
    await using other = await ToyProgram.open(tool);
    await toy.write(box('one'));
    await other.write(box('two'));
    const runs = await Promise.all([toy, other].map((each) => each.run(['apply', '-auto-approve'])));
    expect(runs.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect([toy.hasBox('one'), toy.hasBox('two'), other.hasBox('two')]).toEqual([true, false, true]);
  });

  test('ten resources are made at once', async () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
    await toy.write(
      `resource "toy_box" "all" {\n  for_each = toset(${JSON.stringify(names)})\n  name = each.key\n  wait = true\n}\n`,
    );
    const { pid, ended } = toy.start(['apply', '-auto-approve']);
    await until('ten boxes', async () => names.every((name) => toy.hasBox(name)), 50_000);
    process.kill(-pid, 'SIGINT');
    expect((await ended).exitCode).toBe(1);
    await expectNothingLeft();
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'is interrupted, by %s to the whole group: what the provider has half made is recorded, and nothing is left',
    async (signal) => {
      await toy.write(box('one', 'wait = true'));
      const { pid, ended } = toy.start(['apply', '-auto-approve']);
      await until('the box', async () => toy.hasBox('one'), 50_000);
      process.kill(-pid, signal);
      expect((await ended).exitCode).toBe(1);
      const state = JSON.parse(await readFile(join(toy.folder, 'terraform.tfstate'), 'utf8')) as {
        resources: readonly { instances: readonly { status?: string; attributes: object }[] }[];
      };
      expect(state.resources[0]?.instances[0]).toMatchObject({ status: 'tainted', attributes: { name: 'one' } });
      await expectNothingLeft();
    },
  );

  test('is killed: the provider ends by itself', async () => {
    await toy.write(box('one', 'wait = true'));
    const { pid, ended } = toy.start(['apply', '-auto-approve']);
    await until('the box', async () => toy.hasBox('one'), 50_000);
    process.kill(pid, 'SIGKILL');
    expect((await ended).exitCode).toBeNull();
    await expectNothingLeft();
  });

  test('is killed with its provider: nothing is left', async () => {
    await toy.write(box('one', 'wait = true'));
    const { pid, ended } = toy.start(['apply', '-auto-approve']);
    await until('the box', async () => toy.hasBox('one'), 50_000);
    process.kill(-pid, 'SIGKILL');
    expect((await ended).exitCode).toBeNull();
    await expectNothingLeft();
  });

  test('reads the lines of the log with their levels, and shows no others', async () => {
    await toy.write(box('one'));
    const { stderr } = await toy.run(['apply', '-auto-approve'], { TF_LOG_PROVIDER: 'INFO' });
    const line = await eventually('the line', async () =>
      stderr.split('\n').find((each) => each.includes('Making a box')),
    );
    expect(line).toMatch(/^\d{4}-\d\d-\d\dT\S+ \[INFO\] +provider\S*: Making a box: .*name=one/);
    expect(stderr).not.toMatch(/\[(TRACE|DEBUG)\]|"@level"/);
  });

  test('a provider that cannot be loaded is an error of each RPC with its reason, not a hang', async () => {
    await toy.write('');
    const { stderr, exitCode } = await toy.run(['providers', 'schema', '-json'], {
      TOY_BROKEN: 'the module is damaged',
    });
    expect(exitCode).toBe(1);
    expect(stderr.replaceAll(/\s+/g, ' ')).toContain('the module is damaged');
    await expectNothingLeft();
  });
});
