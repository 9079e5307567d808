/**
 * The framework against the real Terraform and OpenTofu: data sources, ephemeral resources and functions, in which the two differ,
 * and one life of a resource.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tools } from '../support/terraform.ts';
import { box, everything, flat, ToyStack } from './toy-stack.ts';

describe.each(tools)('with %s', (tool) => {
  let stack: ToyStack;

  beforeEach(async () => {
    stack = await ToyStack.open(tool);
  });

  afterEach(async () => {
    await stack[Symbol.asyncDispose]();
  });

  test('a resource is created, updated and destroyed, and its plan is empty in between', async () => {
    const { text } = await stack.apply(box(everything));
    expect(text).toContain('1 added');
    expect(await stack.isSettled()).toBe(true);
    expect((await stack.apply(box(everything.replace('size     = 2', 'size = 3')))).text).toContain('1 changed');
    expect(await stack.isSettled()).toBe(true);
    expect(await stack.stateText()).not.toContain('never-in-state-1');
    expect((await stack.run('destroy', '-auto-approve')).text).toContain('1 destroyed');
  });

  test('a data source reads; its error is at the attribute', async () => {
    await stack.apply(box('color = "blue"'));
    const data = `${box('color = "blue"')}
      data "toy_box" "it" { name = "one" }
      output "color" { value = data.toy_box.it.color }`;
    expect((await stack.apply(data)).text).toContain('color = "blue"');
    const { text } = await stack.apply(data.replace('"it" { name = "one"', '"it" { name = "none"'));
    expect(flat(text)).toMatch(/No such box with data.toy_box.it.*name = "none".*none is not there/);
  });

  test('an ephemeral is opened, renewed in time, closed, and leaves no trace', async () => {
    await stack.apply(box('key_wo = "never-in-state-3"'));
    await stack.apply(`${box('key_wo = "never-in-state-3"')}
      ephemeral "toy_view" "it" {
        box            = toy_box.one.id
        renew_after_ms = 500
      }
      resource "terraform_data" "slow" {
        provisioner "local-exec" {
          command = "while ! grep -q 'renew one' boxes/ephemeral.log; do sleep 0.2; done; test -n \\"$KEY\\""
          environment = { KEY = ephemeral.toy_view.it.key }
        }
      }`);
    const lines = (await readFile(join(stack.boxes, 'ephemeral.log'), 'utf8')).trim().split('\n');
    expect(lines[0]).toBe('open one');
    expect(lines).toContain('renew one');
    expect(lines.at(-1)).toBe('close one');
    expect(lines.filter((line) => line === 'open one')).toHaveLength(
      lines.filter((line) => line === 'close one').length,
    );
    expect(await stack.stateText()).not.toContain('never-in-state-3');
  });

  test('an ephemeral whose configuration is unknown waits for it', async () => {
    const { exitCode, text } = await stack.apply(`${box('')}
      ephemeral "toy_view" "it" { box = toy_box.one.id }`);
    expect(text).toContain('1 added');
    expect(exitCode).toBe(0);
  });

  test('a function returns an object, and an error that points at its argument', async () => {
    const call = (id: string, side: string): string =>
      `output "split" { value = provider::toy::split_id(${JSON.stringify(id)}, ${side}) }`;
    expect((await stack.apply(call('one/left', 'null'))).text).toMatch(/box += "one"\s+\+? *side += "left"/);
    expect((await stack.apply(call('one', '"right"'))).text).toContain('"right"');
    const { text } = await stack.apply(call('one', 'null'));
    expect(flat(text)).toContain('Invalid value for "id" parameter: must be "box/side", got: "one"');
  });
});
