/** What Terraform itself reads in what the constructs write: a user's text letter by letter, and an attribute for every option. */
import { join } from 'node:path';
import { App, LocalBackend, TerraformOutput, TerraformVariable } from 'cdktf';
import type { TerraformStack } from 'cdktf';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isOption } from '../../config/option.ts';
import type { Option, OptionTree, OptionType } from '../../config/option.ts';
import { options } from '../../config/options.ts';
import { optionProblems } from '../../config/parse.ts';
import { Provisioner, VirtualCluster } from '../../constructs/index.ts';
import { valuesText, verbatimText } from '../../constructs/values.ts';
import { Terraform } from '../../scripts/lib/terraform.ts';
import { resolveBinary, silent } from '../../testbed/index.ts';
import { openInstalled } from '../support/terraform.ts';
import { inFolder, inTheFolder, newStack } from './program.ts';

inFolder();

/** Nobody is asked by it. */
const kubeconfig = '/nowhere.kubeconfig';

/** Writes the program; returns the stack's folder. */
function written(stack: TerraformStack): string {
  new LocalBackend(stack, { path: 'terraform.tfstate' });
  App.of(stack).synth();
  return inTheFolder(join('out', 'stacks', stack.node.id));
}

/** What only Terraform knows, and where it stands in a text. */
const known = 'a"b\\c\n\t$';
const place = '<what Terraform knows>';

/** Texts with all that could mean something to Terraform, Helm, JSON or CDKTF. */
const texts = fc
  .array(
    fc.oneof(
      fc.constantFrom('${', '%{', '$${', '%%{', '$', '%', '{', '}', '"', '\\', '\n', '\t', '\u2028', '{{ .Values.a }}'),
      fc.constantFrom('${HOME}', '${file("/etc/hostname")}', '%{ if true }', '\\"', '\\u0024{a}', place),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 8 },
  )
  // Terraform writes every text in this form.
  .map((parts) => parts.join('').normalize());

const samples = fc.sample(texts, { numRuns: 300, seed: 5 });

test('a text of the values is what the chart gets, whatever it looks like', { timeout: 120_000 }, async () => {
  const stack = newStack();
  const token = new TerraformVariable(stack, 'v', { default: known }).stringValue;
  const given = samples.map((text) => text.replaceAll(place, token));
  for (const [index, text] of given.entries()) {
    const tree = { before: { text }, [`key ${samples[index]}`]: [text, token, 1, true, null], after: { text } };
    new TerraformOutput(stack, `values-${index}`, { value: valuesText(tree) });
    new TerraformOutput(stack, `text-${index}`, { value: verbatimText(text) });
  }
  await using terraform = await Terraform.open(written(stack), kubeconfig, {
    binary: await resolveBinary('terraform', silent),
  });
  await terraform.init();
  await terraform.apply();
  const outputs = await terraform.outputs();
  for (const [index, sample] of samples.entries()) {
    const text = sample.replaceAll(place, known);
    expect(outputs[`text-${index}`]).toBe(text);
    expect(JSON.parse(String(outputs[`values-${index}`]))).toEqual({
      before: { text },
      [`key ${sample}`]: [text, known, 1, true, null],
      after: { text },
    });
  }
});

/** Values that are no default, so that nothing is left out. */
const values: Readonly<Record<OptionType, readonly unknown[]>> = {
  string: ['example.org/a', 'example', '0.5'],
  version: ['1.36'],
  boolean: [true],
  quantity: [5],
  strings: [['example'], ['a=b:NoExecute']],
  stringMap: [{ 'example.org/someKey': 'b' }],
  resources: [{ requests: { cpu: 1 }, limits: { memory: '1Gi' } }],
  tolerations: [[{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }]],
  references: [[{ name: 'a' }]],
};

function everyOption(tree: OptionTree): Record<string, unknown> {
  const entries = Object.entries(tree).map(([key, node]) => [key, isOption(node) ? valueOf(node) : everyOption(node)]);
  return Object.fromEntries(entries);
}

function valueOf(option: Option): unknown {
  const all = option.values ?? values[option.type];
  return all.find((value) => [...optionProblems(value, option, '')].length === 0);
}

test('our provider knows an attribute for every option of a construct', { timeout: 120_000 }, async () => {
  const stack = newStack();
  new VirtualCluster(stack, 'team-a', { provisioner: Provisioner.native(), values: everyOption(options) });
  await using terraform = await openInstalled(written(stack), kubeconfig);
  await terraform.init();
  await expect(terraform.validate()).resolves.toBeUndefined();
});
