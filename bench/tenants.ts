/**
 * One stack with many tenants through its whole life, on a real node. The control planes of all tenants run on the machine that
 * Terraform runs on, so beside the time of a plan stands what Terraform and its providers computed for it.
 *
 *   npm run bench -- tenants [count] [--stack=FORM]
 */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findHost, provideImage } from '../scripts/lib/host.ts';
import { provideProvider } from '../scripts/lib/provider-mirror.ts';
import { outFolder, synthesise } from '../scripts/lib/stack.ts';
import { Terraform } from '../scripts/lib/terraform.ts';
import type { TerraformOptions } from '../scripts/lib/terraform.ts';
import { weighContainers } from '../testbed/cgroups.ts';
import { toStderr } from '../testbed/index.ts';
import { loadNow, record } from './results.ts';
import { repeat, seconds, spread, timed } from './timing.ts';
import type { Row } from './timing.ts';

/** What the stack consists of (bench/tenants-stack.ts). */
const forms = {
  clusters: 'a virtual cluster each, our provider',
  'fleet-native': 'an environment each, our provider',
  'fleet-helm': "an environment each, Helm's provider",
} as const;
type StackForm = keyof typeof forms;

interface TenantsBench {
  readonly count?: number | undefined;
  /** Only this form of stack. */
  readonly only: string | undefined;
  readonly keep: boolean;
}

/** Measures and, unless told not to, records. */
export async function benchTenants({ count = 20, only, keep }: TenantsBench): Promise<void> {
  const all = Object.keys(forms) as StackForm[];
  const chosen = all.filter((form) => only === undefined || form === only);
  if (chosen.length === 0) throw new Error(`--stack must be one of ${all.join(', ')}, got: ${only}`);
  for (const form of chosen) {
    const loadBefore = loadNow();
    const rows = await measure(count, form);
    const how =
      'Once, on the node-level testbed, images present; plans three times: smallest · median. Computed: user and system time of Terraform and all its providers. Terraform first: containers get what it leaves of the processors, as if it ran on a machine of its own.';
    const title = `${count} tenants, ${forms[form]}`;
    await record({ title, how, table: { head: ['what', 'figure', 'aim'], rows } }, loadBefore, { keep });
  }
}

async function measure(count: number, form: StackForm): Promise<readonly Row[]> {
  const host = await findHost('kubectl', toStderr);
  await provideImage(host, toStderr);
  const providerMirror = await provideProvider('bundle', toStderr);
  const outdir = await mkdtemp(join(outFolder, 'bench-tenants-'));
  const names = Array.from({ length: count }, (_, index) => `bench-${index + 1}`);
  const program = join(import.meta.dirname, 'tenants-stack.ts');
  const env = { TENANTS: names.join(','), FORM: form };
  const { kubeconfig } = host.kubectl;
  const synthesis = (): Promise<string> => synthesise({ program, stack: 'tenants', outdir, env }, kubeconfig);
  try {
    const synth = await timed(synthesis);
    const folder = join(outdir, 'stacks', 'tenants');
    const open = (options: TerraformOptions): Promise<Terraform> =>
      Terraform.open(folder, kubeconfig, { providerMirror, ...options });
    await using terraform = await open({});
    await using counted = await open({ binary: await countingTerraform(outdir) });
    await terraform.init();
    return [['synthesis', seconds(synth), ''], ...(await wholeLife(terraform, counted))];
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

/** Writes beside itself what Terraform and the providers it started and waited for have computed. */
async function countingTerraform(folder: string): Promise<string> {
  const binary = join(folder, 'terraform');
  const script = `#!/bin/sh\nterraform "$@"\nended=$?\ntimes > "$0.times"\nexit $ended\n`;
  await writeFile(binary, script, { mode: 0o755 });
  return binary;
}

async function computedMs(folder: string): Promise<number> {
  const text = await readFile(join(folder, 'terraform.times'), 'utf8');
  // Two lines of user and system time, as 0m1.230000s: of the shell, then of what it ran.
  const [, ofChildren = ''] = text.split('\n');
  const parts = [...ofChildren.matchAll(/(\d+)m([\d.]+)s/g)].map(
    ([, minutes, rest]) => Number(minutes) * 60 + Number(rest),
  );
  return parts.reduce((sum, part) => sum + part, 0) * 1000;
}

async function wholeLife(terraform: Terraform, counted: Terraform): Promise<readonly Row[]> {
  try {
    const plan = await repeat(3, () => timed(() => terraform.plan()));
    const apply = await timed(() => terraform.apply(toStderr));
    const noChange = await repeat(3, () => timed(() => unchanged(terraform)));
    await unchanged(counted);
    const computed = await computedMs(join(terraform.folder, '..', '..'));
    const alone = await terraformFirst(() => repeat(3, () => timed(() => unchanged(terraform))));
    const { size } = await stat(join(terraform.folder, 'terraform.tfstate'));
    const destroy = await timed(() => terraform.destroy(toStderr));
    return [
      ['plan of all', spread(plan), '≤ 10 s'],
      ['apply, until the last is ready', seconds(apply), ''],
      ['plan without changes', spread(noChange), '≤ 10 s'],
      ['plan without changes, Terraform first', spread(alone), '≤ 10 s'],
      ['plan without changes, computed', seconds(computed), ''],
      ['state', `${(size / 1e3).toFixed(0)} kB`, ''],
      ['destroy', seconds(destroy), ''],
    ];
  } catch (error) {
    // What was made is taken away; why it failed is what is told.
    await terraform.destroy(toStderr).catch((second: unknown) => toStderr(String(second)));
    throw error;
  }
}

async function terraformFirst<T>(work: () => Promise<T>): Promise<T> {
  await weighContainers('least');
  try {
    return await work();
  } finally {
    await weighContainers('normal');
  }
}

async function unchanged(terraform: Terraform): Promise<void> {
  const { changes, text } = await terraform.plan();
  if (changes) throw new Error(`A second plan wants changes:\n${text}`);
}
