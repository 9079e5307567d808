/**
 * The framework against the real Terraform: what configurations and states may hold, shown with the toy provider.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { box, everything, flat, ToyStack } from './toy-stack.ts';

let stack: ToyStack;

beforeEach(async () => {
  stack = await ToyStack.open();
});

afterEach(async () => {
  await stack[Symbol.asyncDispose]();
});

describe('validation', () => {
  test.each([
    ['a word that is none of the allowed', 'color = "gren"', 'color = "gren"', 'Did you mean "green"?'],
    ['a number out of its range', 'size = 11', 'size = 11', 'It must be a whole number from 1 to 10, got: 11.'],
    [
      'a duration',
      'timeouts = { create = "5 min" }',
      'timeouts = { cr',
      'timeouts.create: It must be a duration such as',
    ],
    [
      'what is deep inside',
      'lid = { hinges = [{ side = "top" }] }',
      'lid = {',
      'lid.hinges[0].side: It must be one of',
    ],
    ['two attributes together', 'size = 7\ncolor = "green"', 'size = 7', 'A green box cannot have size 7.'],
    ['a number that cannot be held', 'weight = 0.12345678901234567890123', 'weight', 'more digits than'],
  ])('refuses %s, at its place', async (_, attributes, line, words) => {
    await stack.write(box(attributes));
    const { text, exitCode } = await stack.run('validate');
    expect(exitCode).toBe(1);
    expect(flat(text)).toContain(words);
    expect(text).toContain(line);
  });

  test('passes over what is unknown, and meets it again when it is known', async () => {
    const unknown = `resource "terraform_data" "one" { input = "grey" }
      ${box('color = terraform_data.one.output\ntags = { id = terraform_data.one.id }')}`;
    await stack.write(unknown);
    expect((await stack.run('validate')).exitCode).toBe(0);
    const planned = await stack.run('plan');
    expect(planned.text).toMatch(/color +=.*known after apply/);
    const refused = await stack.run('apply', '-auto-approve');
    expect(flat(refused.text)).toContain('It must be one of "red", "green", "blue", got: "grey".');
    expect(stack.hasBox('one')).toBe(false);
    expect((await stack.apply(unknown.replace('"grey"', '"blue"'))).exitCode).toBe(0);
    expect(await stack.isSettled()).toBe(true);
  });

  test('an unknown provider configuration is tolerated until something is asked', async () => {
    await stack.write(box(''));
    const main = join(stack.folder, 'main.tf');
    const hcl = (await readFile(main, 'utf8')).replace(/folder = .*/, 'folder = terraform_data.folder.output');
    await writeFile(main, `${hcl}\nresource "terraform_data" "folder" { input = ${JSON.stringify(stack.boxes)} }\n`);
    expect((await stack.run('plan')).text).toContain('2 to add');
    expect((await stack.run('apply', '-auto-approve')).text).toContain('2 added');
    expect(await stack.isSettled()).toBe(true);
  });
});

describe('states', () => {
  test('of earlier versions are upgraded step by step; what is no attribute any more is dropped', async () => {
    await stack.apply(box('color = "blue"\nsize = 3'));
    await editState(stack, (instance) => {
      const { color: _, ...rest } = instance.attributes;
      return { ...instance, schema_version: 0, attributes: { ...rest, colour: 'blue', size: '3', old: true } };
    });
    expect(await stack.isSettled()).toBe(true);
    await stack.run('apply', '-refresh-only', '-auto-approve');
    await stack.apply(box('color = "blue"\nsize = 4'));
    expect(await stack.instance()).toMatchObject({ schema_version: 2, attributes: { color: 'blue', size: 4 } });
  });

  test('of later versions are refused with what to do', async () => {
    await stack.apply(box(''));
    await editState(stack, (instance) => ({ ...instance, schema_version: 3 }));
    const { text } = await stack.run('plan');
    expect(flat(text)).toMatch(/newer/);
  });

  test('and plans never hold what is write-only; what is sensitive is hidden in the output', async () => {
    stack.variables = { TF_VAR_key: 'never-in-state-1' };
    await stack.write(
      `variable "key" { ephemeral = true }\n${box(everything.replace('"never-in-state-1"', 'var.key'))}`,
    );
    const planned = await stack.run('plan', '-out=plan');
    expect(planned.text).toContain('(write-only attribute)');
    await stack.run('apply', 'plan');
    expect(await stack.box('one')).toMatchObject({ key: 'never-in-state-1' });
    const plan = await readFile(join(stack.folder, 'plan'), 'latin1');
    const shown = await stack.run('show', '-json', 'plan');
    const state = await stack.stateText();
    for (const text of [plan, shown.text, state, planned.text, stack.log]) {
      expect(text).not.toContain('never-in-state-1');
    }
    expect(planned.text + stack.log).not.toContain('hunter2-hunter2');
    expect(stack.log).toContain('"key":"[secret]"');
  });
});

type Change = (instance: Record<string, unknown> & { attributes: Record<string, unknown> }) => object;

async function editState({ folder }: ToyStack, change: Change): Promise<void> {
  const path = join(folder, 'terraform.tfstate');
  const state = JSON.parse(await readFile(path, 'utf8')) as {
    serial: number;
    resources: { instances: Parameters<Change>[0][] }[];
  };
  const [resource] = state.resources;
  const [instance] = resource?.instances ?? [];
  if (resource === undefined || instance === undefined) throw new Error('There is no instance in the state.');
  const edited = { ...state, serial: state.serial + 1, resources: [{ ...resource, instances: [change(instance)] }] };
  await writeFile(path, JSON.stringify(edited));
}
