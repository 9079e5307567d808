/**
 * What the provider costs a user: its size, how long Terraform waits for it to start, and how long it takes over many virtual
 * clusters in one stack. The start is what Terraform sees, from starting the process to the line of the handshake, with the
 * certificate that Terraform sends; the rest is the real Terraform, with the provider installed as a user has it.
 *
 *   npm run bench -- provider [tenants]      0 leaves the stack of many tenants out, which needs a node (root)
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeServerCertificate } from '../provider/wire/certificate.ts';
import { findHost, provideImage } from '../scripts/lib/host.ts';
import { providerVersion } from '../scripts/lib/provider-bundle.ts';
import { packProgram, placeInMirror, registries } from '../scripts/lib/provider-package.ts';
import { provideProvider } from '../scripts/lib/provider-mirror.ts';
import type { ProviderForm } from '../scripts/lib/provider-mirror.ts';
import { outFolder, synthesise } from '../scripts/lib/stack.ts';
import { Terraform } from '../scripts/lib/terraform.ts';
import { toStderr } from '../testbed/index.ts';
import { loadNow, record } from './results.ts';

const starts = 20;
const commands = 5;
const defaultTenants = 20;
const forms = ['bundle', 'executable'] as const satisfies readonly ProviderForm[];

const smallest = `
terraform {
  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster" }
  }
}

provider "vcluster" {}

resource "vcluster_cluster" "team" {
  name = "team-a"
}
`;

type Row = readonly string[];

/** Measures and, unless told not to, records. */
export async function benchProvider(
  tenants: number = defaultTenants,
  { keep }: { readonly keep: boolean } = { keep: true },
): Promise<void> {
  const loadBefore = loadNow();
  const rows: Row[] = [];
  for (const form of forms) rows.push(...(await measureForm(form)));
  if (tenants > 0) rows.push(...(await measureTenants(tenants)));
  const how = `Starts ${starts} times, commands ${commands} times: smallest · median. Many virtual clusters once, on the node-level testbed, images present.`;
  await record({ title: 'Provider', how, table: { head: ['what', 'figure', 'aim'], rows } }, loadBefore, { keep });
}

async function measureForm(form: ProviderForm): Promise<readonly Row[]> {
  const version = await providerVersion();
  const mirror = await provideProvider(form, toStderr);
  const program = join(mirror, placeInMirror(registries[0], version));
  const work = await mkdtemp(join(tmpdir(), 'bench-provider-'));
  try {
    const zip = await packProgram(program, version, work);
    const handshakes = await repeat(starts, () => handshakeMs(program));
    await writeFile(join(work, 'main.tf'), smallest);
    await using terraform = await Terraform.open(work, '/dev/null', { providerMirror: mirror });
    await terraform.init();
    const validates = await repeat(commands, () => timed(() => terraform.validate()));
    const plans = await repeat(commands, () => timed(() => terraform.plan()));
    return [
      [`${form}: size · zipped`, `${await megabytes(program)} · ${await megabytes(zip)} MB`, ''],
      [`${form}: start to handshake`, spread(handshakes), '≤ 0.5 s'],
      [`${form}: \`terraform validate\`, one virtual cluster`, spread(validates), ''],
      [`${form}: \`terraform plan\`, one virtual cluster to create`, spread(plans), ''],
    ];
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Starts the program as Terraform does; ends it as soon as it has said where it listens. */
async function handshakeMs(program: string): Promise<number> {
  const env = {
    ...process.env,
    TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2',
    PLUGIN_PROTOCOL_VERSIONS: '5,6',
    PLUGIN_CLIENT_CERT: client.certificate,
  };
  const startedMs = performance.now();
  const child = spawn(program, [], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = once(child, 'exit');
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  const tookMs = performance.now() - startedMs;
  child.kill('SIGTERM');
  await ended;
  if (!line.startsWith('1|6|')) throw new Error(`${program} said instead of a handshake: ${line}`);
  return tookMs;
}

const client = makeServerCertificate();

/** One stack with so many virtual clusters through its whole life. */
async function measureTenants(count: number): Promise<readonly Row[]> {
  const host = await findHost('kubectl', toStderr);
  await provideImage(host, toStderr);
  const providerMirror = await provideProvider('bundle', toStderr);
  const outdir = await mkdtemp(join(outFolder, 'bench-provider-'));
  const names = Array.from({ length: count }, (_, index) => `bench-${index + 1}`);
  const program = join(import.meta.dirname, 'provider-stack.ts');
  const env = { TENANTS: names.join(','), PROVISIONER: 'native' };
  const { kubeconfig } = host.kubectl;
  const synthesis = (): Promise<string> => synthesise({ program, stack: 'tenants', outdir, env }, kubeconfig);
  try {
    const synth = await timed(synthesis);
    await using terraform = await Terraform.open(join(outdir, 'stacks', 'tenants'), kubeconfig, { providerMirror });
    await terraform.init();
    return [[`${count} virtual clusters: synthesis`, seconds(synth), ''], ...(await wholeLife(terraform, count))];
  } finally {
    await rm(outdir, { recursive: true, force: true });
  }
}

async function wholeLife(terraform: Terraform, count: number): Promise<readonly Row[]> {
  const what = (step: string): string => `${count} virtual clusters: ${step}`;
  try {
    const plan = await repeat(3, () => timed(() => terraform.plan()));
    const apply = await timed(() => terraform.apply(toStderr));
    const noChange = await repeat(3, () => timed(() => unchanged(terraform)));
    const { size } = await stat(join(terraform.folder, 'terraform.tfstate'));
    const destroy = await timed(() => terraform.destroy(toStderr));
    return [
      [what('plan'), spread(plan), '≤ 10 s'],
      [what('apply, ten at once, until the last is ready'), seconds(apply), ''],
      [what('plan without changes'), spread(noChange), '≤ 10 s'],
      [what('state'), `${(size / 1e3).toFixed(0)} kB`, ''],
      [what('destroy'), seconds(destroy), ''],
    ];
  } catch (error) {
    // What was made is taken away; why it failed is what is told.
    await terraform.destroy(toStderr).catch((second: unknown) => toStderr(String(second)));
    throw error;
  }
}

async function unchanged(terraform: Terraform): Promise<void> {
  const { changes, text } = await terraform.plan();
  if (changes) throw new Error(`A second plan wants changes:\n${text}`);
}

async function timed(action: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

async function repeat(times: number, measure: () => Promise<number>): Promise<readonly number[]> {
  const figures: number[] = [];
  for (let index = 0; index < times; index += 1) figures.push(await measure());
  return figures;
}

function spread(figuresMs: readonly number[]): string {
  const sorted = figuresMs.toSorted((a, b) => a - b);
  const [smallestMs = Number.NaN] = sorted;
  return `${seconds(smallestMs)} · ${seconds(sorted[Math.floor(sorted.length / 2)] ?? Number.NaN)}`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}

async function megabytes(file: string): Promise<string> {
  return ((await readFile(file)).length / 1e6).toFixed(1);
}
