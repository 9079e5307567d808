/**
 * What is given out, in both forms, by Terraform and by OpenTofu: the provider is found in a mirror, started with encryption, and asked
 * everything that needs no running virtual cluster. What does need one is in test/examples.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandError } from '../../scripts/lib/command.ts';
import { explain } from '../../scripts/lib/steps.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { controlPlaneDir, silent, startControlPlane } from '../../testbed/index.ts';
import type { ControlPlane } from '../../testbed/index.ts';
import { openInstalled, tools, writeConfiguration } from '../support/terraform.ts';
import type { Tool } from '../support/terraform.ts';

const head = `
terraform {
  required_providers {
    vcluster = { source = "cdktf-vcluster/vcluster" }
  }
}

provider "vcluster" {}
`;

const cluster = (more = ''): string => `
resource "vcluster_cluster" "team" {
  name               = "team-a"
  kubernetes_version = "1.36"
  ${more}
}
`;

let host: ControlPlane;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'matrix-'));
  const dir = controlPlaneDir('matrix-host');
  host = await startControlPlane({ dir, role: 'host', serviceCidr: '10.96.0.0/16', scheduler: false, log: silent });
});

afterAll(async () => {
  await host?.shutdown();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

describe.each(tools)('by %s', (tool) => {
  let count = 0;

  /** A configuration of its own, initialised. */
  async function opened(main: string, by: Tool = tool): Promise<Terraform> {
    const place = join(folder, `${by}-${(count += 1)}`);
    await writeConfiguration(place, { 'main.tf': head + main });
    const terraform = await openInstalled(place, host.kubeconfigPath, { tool: by });
    await terraform.init();
    return terraform;
  }

  /** What is said about a configuration that must not pass, on one line. */
  async function refusal(main: string): Promise<string> {
    await using terraform = await opened(main);
    try {
      const { text } = await terraform.plan();
      return `planned: ${text}`;
    } catch (error) {
      const words = error instanceof CommandError ? error.result.stderr : explain(error);
      return words.replaceAll(/[│╷╵\s]+/g, ' ');
    }
  }

  test('functions answer, and an error points at the argument', async () => {
    await using terraform = await opened(`
      output "there" { value = provider::vcluster::host_name("web-0", "default", "team-a") }
      output "back" { value = provider::vcluster::virtual_name("web-0-x-default-x-team-a") }
    `);
    await terraform.apply();
    expect(await terraform.outputs()).toEqual({
      there: 'web-0-x-default-x-team-a',
      back: { name: 'web-0', namespace: 'default', cluster: 'team-a' },
    });
    expect(await refusal('output "x" { value = provider::vcluster::host_name("Web", "default", "team-a") }')).toMatch(
      /Invalid value for "name" parameter: it must be the name of an object.*got: "Web"/,
    );
  });

  test('a virtual cluster is planned, with what is unknown before it is there', async () => {
    await using terraform = await opened(`${cluster()}
      ephemeral "vcluster_kubeconfig" "team" { cluster_id = vcluster_cluster.team.id }
      output "id" { value = vcluster_cluster.team.id }
    `);
    const { text } = await terraform.plan();
    expect(text).toContain('vcluster_cluster.team will be created');
    expect(text).toMatch(/\+ id\s+= \(known after apply\)/);
    // The output does not wait for the virtual cluster to be asked for: opening the ephemeral does.
    expect(text).toContain('1 to add, 0 to change, 0 to destroy');
  });

  test('a mistake is refused with the path of the attribute', async () => {
    expect(await refusal(cluster('polices = {}'))).toMatch(/polices/);
    const said = await refusal(cluster('policies = { pod_security_standard = "baselin" }'));
    expect(said).toMatch(/on main\.tf line \d+, in resource "vcluster_cluster" "team"/);
    expect(said).toMatch(/baseline/);
  });

  test('a data source reads the host', async () => {
    await using terraform = await opened(`
      data "vcluster_clusters" "all" {}
      output "count" { value = length(data.vcluster_clusters.all.clusters) }
    `);
    await terraform.apply();
    expect(await terraform.outputs()).toEqual({ count: 0 });
  });

  test('an ephemeral kubeconfig of what is not there says so', async () => {
    const said = await refusal(`
      ephemeral "vcluster_kubeconfig" "gone" {
        cluster_id = "absent/absent"
        timeout    = "2s"
      }
      provider "vcluster" {
        alias          = "used"
        config_context = ephemeral.vcluster_kubeconfig.gone.host
      }
      output "x" { value = provider::vcluster::host_name("a", "b", "c") }
    `);
    expect(said).toMatch(/with ephemeral\.vcluster_kubeconfig\.gone/);
    expect(said).toMatch(/absent/);
  });
});

test('the executable with a Node inside is taken as well', { timeout: 300_000 }, async () => {
  const place = join(folder, 'executable');
  await writeConfiguration(place, {
    'main.tf': `${head}${cluster()}\noutput "n" { value = provider::vcluster::host_name("a", "b", "c") }\n`,
  });
  // No Node on the PATH: it has its own, into which nothing is loaded from outside.
  const env = { PATH: '/usr/bin:/bin', VCLUSTER_NODE: '/nonexistent', NODE_OPTIONS: '--require=/nonexistent' };
  await using terraform = await openInstalled(place, host.kubeconfigPath, { form: 'executable', env });
  await terraform.init();
  expect((await terraform.plan()).text).toContain('"a-x-b-x-c"');
});
