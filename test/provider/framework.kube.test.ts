/**
 * The framework against the real Terraform: what it promises resources, shown with the toy provider. Needs no cluster; it is at
 * this level because it needs a program.
 */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../support/eventually.ts';
import { box, everything, flat, ToyStack } from './toy-stack.ts';

let stack: ToyStack;

beforeEach(async () => {
  stack = await ToyStack.open();
});

afterEach(async () => {
  await stack[Symbol.asyncDispose]();
});

describe('a resource', () => {
  test('is created with defaults, computed and nested values; then there is nothing to do', async () => {
    const { exitCode, text } = await stack.apply(box(everything));
    expect(text).toContain('1 added');
    expect(exitCode).toBe(0);
    const { attributes } = await stack.instance();
    expect(attributes).toMatchObject({
      color: 'red',
      weight: 0.1,
      id: 'one',
      serial: '1',
      drift: [],
      key_wo: null,
      lid: { material: 'wood', hinges: [{ side: 'left', screws: [1, 2.5], number: 'no-0' }, { number: 'no-1' }] },
    });
    expect(await stack.isSettled()).toBe(true);
  });

  test('is updated in place: what was made stays known unless the resource says otherwise', async () => {
    await stack.apply(`${box('color = "red"\nsize = 1')}
      output "serial" { value = toy_box.one.serial }`);
    await stack.write(box('color = "blue"\nsize = 1'));
    const recoloured = await stack.run('plan');
    expect(recoloured.text).toContain('~ color');
    expect(recoloured.text).not.toContain('known after apply');
    await stack.write(box('color = "blue"\nsize = 2'));
    expect((await stack.run('plan')).text).toMatch(/~ serial +=.*known after apply/);
    expect((await stack.run('apply', '-auto-approve')).text).toContain('1 changed');
    expect((await stack.instance()).attributes).toMatchObject({ color: 'blue', size: 2, serial: '2' });
    expect(await stack.isSettled()).toBe(true);
  });

  test('gets new elements of nested lists numbered and keeps the numbers of those that stay', async () => {
    await stack.apply(box('lid = { hinges = [{ side = "left" }] }'));
    await stack.apply(box('lid = { hinges = [{ side = "left" }, { side = "right" }], material = "steel" }'));
    expect((await stack.instance()).attributes['lid']).toMatchObject({
      material: 'steel',
      hinges: [{ number: 'no-0' }, { number: 'no-1' }],
    });
    expect(await stack.isSettled()).toBe(true);
  });

  test('is replaced with the reason as a warning, declared or found by its plan', async () => {
    await stack.apply(box('size = 5'));
    await stack.write(box('size = 4'));
    const shrunk = await stack.run('plan');
    expect(shrunk.text).toContain('forces replacement');
    expect(flat(shrunk.text)).toContain('Warning: toy_box must be replaced');
    expect(flat(shrunk.text)).toContain('size changes: a box cannot shrink. It will be destroyed and created anew.');
    const renamed = await stack.apply(box('size = 5').replace('name = "one"', 'name = "two"'));
    expect(flat(renamed.text)).toContain('name changes: a box cannot be renamed.');
    expect(renamed.text).toContain('1 added, 0 changed, 1 destroyed');
    expect([stack.hasBox('one'), stack.hasBox('two')]).toEqual([false, true]);
    expect((await stack.instance()).attributes['id']).toBe('two');
  });

  test('is imported, by a block too, and an id that is none is refused', async () => {
    await stack.apply(box('color = "green"'));
    await rm(join(stack.folder, 'terraform.tfstate'));
    expect((await stack.run('import', 'toy_box.one', 'ONE')).text).toContain('Not the id of a box');
    const imported = await stack.run('import', 'toy_box.one', 'one');
    expect(imported.text).toContain('Import successful');
    expect((await stack.instance()).attributes).toMatchObject({ name: 'one', color: 'green', id: 'one' });
    expect(await stack.isSettled()).toBe(true);
  });

  test('that is gone is created again; that others changed shows it and is repaired', async () => {
    await stack.apply(box('color = "green"'));
    await writeFile(join(stack.boxes, 'one.json'), JSON.stringify({ writes: 1, color: 'black' }));
    const drifted = await stack.run('plan');
    expect(drifted.text).toContain('color: green → black');
    expect(drifted.text).toContain('1 to change');
    expect((await stack.run('apply', '-auto-approve')).exitCode).toBe(0);
    expect(await stack.box('one')).toMatchObject({ color: 'green' });
    expect(await stack.isSettled()).toBe(true);
    await rm(join(stack.boxes, 'one.json'));
    expect((await stack.run('plan')).text).toContain('1 to add');
  });

  test('refuses its destruction when it is planned, with a path', async () => {
    await stack.apply(box('tags = { protected = "yes" }'));
    const refused = await stack.run('destroy', '-auto-approve');
    expect(refused.text).toContain('Box is protected');
    expect(stack.hasBox('one')).toBe(true);
    await stack.apply(box(''));
    const gone = await stack.run('destroy', '-auto-approve');
    expect(gone.text).toContain('Box goes');
    expect(stack.hasBox('one')).toBe(false);
    expect(gone.exitCode).toBe(0);
  });
});

describe('a creation that fails', () => {
  test('before anything was made leaves nothing', async () => {
    const { text, exitCode } = await stack.apply(box('fail = "before"'));
    expect(exitCode).toBe(1);
    expect(flat(text)).toMatch(/Error: No box with toy_box.one, on main.tf line \d+.*Because of fail = "before"/);
    expect(await stack.stateText()).not.toContain('toy_box');
  });

  test('half-way leaves a tainted object, which the next apply replaces', async () => {
    const { text } = await stack.apply(box('fail = "after"\nkey_wo = "never-in-state-2"'));
    expect(flat(text)).toContain('Half a box');
    expect(text + (await stack.stateText())).not.toContain('never-in-state-2');
    const { status, attributes } = await stack.instance();
    expect(status).toBe('tainted');
    expect(attributes).toMatchObject({ id: 'one', serial: null });
    const repaired = await stack.apply(box(''));
    expect(repaired.text).toContain('1 added, 0 changed, 1 destroyed');
    expect((await stack.instance()).status).toBeUndefined();
  });

  test('in an unforeseen way is a bug with its stack in the log, and no secret in either', async () => {
    const { text } = await stack.apply(box('fail = "bug"\npassword = "hunter2-hunter2"'));
    expect(flat(text)).toContain('Bug of the provider: could not create toy_box');
    expect(text).not.toContain('cannot read');
    expect(stack.log).toMatch(/TypeError: cannot read \[secret\].*toy\.ts/);
    expect(text + stack.log).not.toContain('hunter2-hunter2');
    expect((await stack.instance()).status).toBe('tainted');
  });

  test('to keep to its plan is said by us, with the attribute, before Terraform would', async () => {
    const { text } = await stack.apply(box('fail = "inconsistent"'));
    expect(flat(text)).toContain('color: it was planned as "red" and became "blue".');
    expect(text).not.toContain('Provider produced inconsistent result');
    const unknown = await stack.apply(box('fail = "unknown"'));
    expect(flat(unknown.text)).toContain('It did not say what serial is after the operation');
    expect(unknown.text).not.toContain('Provider returned invalid result object');
  });

  test('because it was interrupted keeps what was made', async () => {
    await stack.write(box('wait = true'));
    const { child, ended } = stack.start('apply', '-auto-approve');
    await until('the box to be made', async () => stack.hasBox('one'));
    process.kill(-Number(child.pid), 'SIGINT');
    const { text, exitCode } = await ended;
    expect(exitCode).toBe(1);
    expect(flat(text)).toContain('Interrupted: could not create toy_box');
    expect(await stack.instance()).toMatchObject({ status: 'tainted', attributes: { id: 'one' } });
    expect((await stack.apply(box(''))).text).toContain('1 added, 0 changed, 1 destroyed');
  });

  test('after its time is up says so', async () => {
    // The time is so short that the grace after it is all there is to wait for.
    const { text } = await stack.apply(box('wait = true\ntimeouts = { create = "1ms" }'));
    expect(flat(text)).toContain('Could not create toy_box within 0.001s');
  });
});
