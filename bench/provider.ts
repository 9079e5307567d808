/**
 * What the provider costs a user: its size, how long Terraform waits for it to start, and how long its commands take. The start is what Terraform sees, from starting the process to the line of the handshake, with the
 * certificate that Terraform sends; the rest is the real Terraform, with the provider installed as a user has it.
 *
 *   npm run bench -- provider
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeServerCertificate } from '../provider/wire/certificate.ts';
import { providerVersion } from '../scripts/lib/provider-bundle.ts';
import { packProgram, placeInMirror, registries } from '../scripts/lib/provider-package.ts';
import { provideProvider } from '../scripts/lib/provider-mirror.ts';
import type { ProviderForm } from '../scripts/lib/provider-mirror.ts';
import { Terraform } from '../scripts/lib/terraform.ts';
import { toStderr } from '../testbed/index.ts';
import { loadNow, record } from './results.ts';
import { repeat, spread, timed } from './timing.ts';
import type { Row } from './timing.ts';

const starts = 20;
const commands = 5;
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

/** Measures and, unless told not to, records. */
export async function benchProvider({ keep }: { readonly keep: boolean }): Promise<void> {
  const loadBefore = loadNow();
  const rows: Row[] = [];
  for (const form of forms) rows.push(...(await measureForm(form)));
  const how = `Starts ${starts} times, commands ${commands} times: smallest · median.`;
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

async function megabytes(file: string): Promise<string> {
  return ((await readFile(file)).length / 1e6).toFixed(1);
}
