/** What a program synthesises to, as the JSON that Terraform reads, for assertions on single values. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, TerraformStack, Testing } from 'cdktf';
import { afterAll, beforeAll, expect, vi } from 'vitest';

export type Block = Readonly<Record<string, unknown>>;

/** The synthesised program. */
export interface Program {
  readonly resource?: Readonly<Record<string, Readonly<Record<string, Block>>>>;
  readonly ephemeral?: Readonly<Record<string, Readonly<Record<string, Block>>>>;
  readonly provider?: Readonly<Record<string, readonly Block[]>>;
  readonly output?: Readonly<Record<string, { readonly value: unknown }>>;
  readonly terraform?: { readonly required_providers?: Readonly<Record<string, Block>> };
}

let folder: string;

/** Registers what these tests share: a folder for assets, and an environment that names no real cluster. */
export function inFolder(): void {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'constructs-'));
    vi.stubEnv('KUBE_CONFIG_PATH', '/host.kubeconfig');
  });
  afterAll(() => {
    rmSync(folder, { recursive: true });
    vi.unstubAllEnvs();
  });
}

/** A path in the folder of this test file. */
export function inTheFolder(name: string): string {
  return join(folder, name);
}

export function newStack(): TerraformStack {
  return new TerraformStack(Testing.fakeCdktfJsonPath(new App({ outdir: join(folder, 'out') })), 'stack');
}

export function synthesised(stack: TerraformStack): Program {
  return JSON.parse(Testing.synth(stack, true));
}

/** All resources of a type, with what is not an attribute left out. */
export function resources(program: Program, type: string): readonly Block[] {
  return Object.values(program.resource?.[type] ?? {}).map(({ '//': _comment, ...block }) => block);
}

/** The only resource of a type. */
export function theResource(program: Program, type: string): Block {
  const all = resources(program, type);
  expect(all, type).toHaveLength(1);
  return all[0] ?? {};
}

/** The chart values of a release, or of our provider's resource. */
export function valuesOf(resource: Block): unknown {
  expect(resource['values']).toEqual([expect.any(String)]);
  return JSON.parse(String((resource['values'] as readonly string[])[0]));
}
