/** The way into a virtual cluster: how it is keyed, what it is guarded against, and that it is made only when it is used. */
import { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { ConfigMapV1 } from '@cdktf/provider-kubernetes/lib/config-map-v1/index.js';
import { TerraformOutput, TerraformVariable } from 'cdktf';
import { describe, expect, test, vi } from 'vitest';
import { Provisioner, VclusterProvider, VirtualCluster } from '../../constructs/index.ts';
import { inFolder, newStack, resources, synthesised, theResource } from './program.ts';
import type { Program } from './program.ts';

inFolder();

describe.each([
  ['helm', 'terraform_data', 'output'],
  ['native', 'vcluster_cluster', 'id'],
] as const)('The way inside with Provisioner.%s()', (kind, keyType, keyAttribute) => {
  const inside = (use: (team: VirtualCluster, stack: ReturnType<typeof newStack>) => void): Program => {
    const stack = newStack();
    use(new VirtualCluster(stack, 'team-a', { provisioner: Provisioner[kind]() }), stack);
    return synthesised(stack);
  };

  test('is not made before it is used', () => {
    const program = inside(() => undefined);
    expect(program).not.toHaveProperty('ephemeral');
    expect(resources(program, 'terraform_data')).toEqual([]);
    const needed = Object.keys(program.terraform?.required_providers ?? {}).toSorted();
    expect(needed).toEqual(kind === 'helm' ? ['helm', 'kubernetes'] : ['vcluster']);
  });

  test('is keyed on what is known while the virtual cluster is updated', () => {
    const program = inside((team) => team.provider);
    const [key] = Object.values(program.ephemeral?.['vcluster_kubeconfig'] ?? {});
    const [name = ''] = Object.keys(program.resource?.[keyType] ?? {});
    expect(key).toEqual({ cluster_id: `\${${keyType}.${name}.${keyAttribute}}` });
  });

  test('guards the kubernetes provider against the environment', () => {
    const program = inside((team) => team.provider);
    const provider = program.provider?.['kubernetes']?.find((each) => each['alias'] !== undefined);
    const name = String(provider?.['alias']);
    const at = `ephemeral.vcluster_kubeconfig.${name}`;
    expect(provider).toEqual({
      alias: name,
      host: `\${${at}.host}`,
      cluster_ca_certificate: `\${${at}.cluster_ca_certificate}`,
      client_certificate: `\${${at}.client_certificate}`,
      client_key: `\${${at}.client_key}`,
      tls_server_name: `\${join("", compact([${at}.tls_server_name]))}`,
      token: `\${coalesce(${at}.token, "unused")}`,
      username: '',
      password: '',
      insecure: false,
      config_path: '/dev/null',
      config_context: '',
      proxy_url: '',
    });
  });

  test('guards the Helm provider in the same way', () => {
    const program = inside((team) => [team.provider, team.helmProvider]);
    const aliased = (type: string) => program.provider?.[type]?.find((each) => each['alias'] !== undefined);
    const { alias, ...access } = aliased('kubernetes') ?? {};
    expect(aliased('helm')).toEqual({ alias, kubernetes: access });
  });

  test('is one, however often it is used, and has an alias of its own for each virtual cluster', () => {
    const stack = newStack();
    for (const id of ['team-a', 'team-b']) {
      const team = new VirtualCluster(stack, id, { provisioner: Provisioner[kind]() });
      for (const name of ['one', 'two']) {
        new ConfigMapV1(stack, `${id}-${name}`, { provider: team.provider, metadata: { name } });
      }
    }
    const program = synthesised(stack);
    const used = resources(program, 'kubernetes_config_map_v1').map((each) => String(each['provider']));
    expect(new Set(used).size).toBe(2);
    const made = program.provider?.['kubernetes']?.map((each) => `kubernetes.${String(each['alias'])}`);
    expect(new Set(made)).toEqual(new Set([...used, ...(kind === 'helm' ? ['kubernetes.undefined'] : [])]));
  });
});

describe('The latch of Provisioner.helm()', () => {
  test('waits for the release and holds nothing that an update of the release makes unknown', () => {
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a');
    expect(team.provider.alias).toBeDefined();
    const latch = theResource(synthesised(stack), 'terraform_data');
    expect(latch['depends_on']).toEqual([expect.stringMatching(/^helm_release\.team-a_release_/)]);
    expect(latch['input']).toMatch(/^\$\{kubernetes_namespace_v1\.[\w-]+\.metadata\[0\]\.name\}\/team-a$/);
  });

  test('uses our provider for the host of hostProvider', () => {
    const stack = newStack();
    const hostProvider = new KubernetesProvider(stack, 'east', { alias: 'east', configPath: '/east' });
    const team = new VirtualCluster(stack, 'team-a', { hostProvider });
    expect(team.provider.alias).toBeDefined();
    const program = synthesised(stack);
    expect(program.provider?.['vcluster']).toEqual([{ alias: expect.any(String), config_path: '/east' }]);
    const [kubeconfig] = Object.values(program.ephemeral?.['vcluster_kubeconfig'] ?? {});
    expect(kubeconfig?.['provider']).toBe(`vcluster.${String(program.provider?.['vcluster']?.[0]?.['alias'])}`);
    expect(theResource(program, 'helm_release')['provider']).toMatch(/^helm\.east/);
    expect(program.provider?.['helm']).toEqual([
      { alias: expect.stringContaining('east'), kubernetes: { config_path: '/east' } },
    ]);
  });
});

describe('Providers made after hostProvider', () => {
  test('mean the same cluster, as the same user', () => {
    const stack = newStack();
    const insecure = new TerraformVariable(stack, 'insecure', { type: 'bool' }).booleanValue;
    const access = { configContextCluster: 'c', configContextAuthInfo: 'u', username: 'n', password: 'p', insecure };
    const exec = [{ apiVersion: 'v1', command: 'login', env: { AWS_PROFILE: 'east' } }];
    const hostProvider = new KubernetesProvider(stack, 'east', {
      alias: 'east',
      ...access,
      proxyUrl: 'http://p',
      exec,
    });
    const team = new VirtualCluster(stack, 'team-a', { hostProvider });
    expect(synthesised(stack).provider?.['helm']?.[0]?.['kubernetes']).toEqual({
      config_context_cluster: 'c',
      config_context_auth_info: 'u',
      username: 'n',
      password: 'p',
      insecure: '${var.insecure}',
      proxy_url: 'http://p',
      exec: { api_version: 'v1', command: 'login', args: [], env: { AWS_PROFILE: 'east' } },
    });
    expect(() => team.provider).toThrow(/stack\/east: hostVclusterProvider must be given .* no configContextCluster/);
  });

  test('pass on a command for credentials, its environment letter by letter', () => {
    const stack = newStack();
    const exec = [{ apiVersion: 'v1', command: 'login', env: { AWS_PROFILE: 'east' } }];
    const hostProvider = new KubernetesProvider(stack, 'east', { alias: 'east', host: 'https://east', exec });
    new VirtualCluster(stack, 'team-a', { provisioner: Provisioner.native(), hostProvider });
    expect(synthesised(stack).provider?.['vcluster']?.[0]).toMatchObject({
      host: 'https://east',
      exec: { api_version: 'v1', command: 'login', env: { AWS_PROFILE: 'east' } },
    });
  });
});

describe('Default providers', () => {
  test('follow the kubernetes provider that the stack has', () => {
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a');
    expect(team.provider.alias).toBeDefined();
    new KubernetesProvider(stack, 'mine', { configPath: '/mine', configContext: 'c' });
    const { provider } = synthesised(stack);
    expect(provider?.['helm']).toEqual([{ kubernetes: { config_path: '/mine', config_context: 'c' } }]);
    expect(provider?.['vcluster']).toEqual([{ config_path: '/mine', config_context: 'c' }]);
  });

  test.each([
    ['native', 'left to our provider, which looks when it is used', undefined],
    ['helm', 'found when the program runs, because the others cannot', { config_path: '/current' }],
  ] as const)('with Provisioner.%s(): the kubeconfig is %s', (kind, _what, told) => {
    const env = { KUBE_CONFIG_PATH: process.env['KUBE_CONFIG_PATH'], KUBECONFIG: process.env['KUBECONFIG'] };
    vi.stubEnv('KUBE_CONFIG_PATH', '');
    vi.stubEnv('KUBECONFIG', '/current');
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a', { provisioner: Provisioner[kind]() });
    expect(team.provider.alias).toBeDefined();
    const { provider } = synthesised(stack);
    expect(provider?.['vcluster']).toEqual([told ?? {}]);
    expect(provider?.['kubernetes']?.filter(({ alias }) => alias === undefined)).toEqual(told ? [told] : []);
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  });

  test('refuse a kubernetes provider that ours cannot follow, and are content when ours is given', () => {
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a');
    expect(team.provider.alias).toBeDefined();
    new KubernetesProvider(stack, 'mine', { configPath: '/mine', configContextCluster: 'east' });
    expect(() => synthesised(stack)).toThrow(/mine: hostVclusterProvider must be given .* has no configContextCluster/);
    new VclusterProvider(stack, 'ours', { configPath: '/mine', configContext: 'east' });
    expect(synthesised(stack).provider?.['vcluster']).toEqual([{ config_path: '/mine', config_context: 'east' }]);
  });

  test('leave a Helm provider of the stack alone', () => {
    const stack = newStack();
    new VirtualCluster(stack, 'team-a');
    new HelmProvider(stack, 'mine', { kubernetes: { configPath: '/mine' } });
    expect(synthesised(stack).provider?.['helm']).toEqual([{ kubernetes: { config_path: '/mine' } }]);
  });
});

describe('hostNameOf()', () => {
  test('is the name by the rule of the syncer, known at synthesis', () => {
    const team = new VirtualCluster(newStack(), 'team-a');
    expect(team.hostNameOf('web-0', 'default')).toBe('web-0-x-default-x-team-a');
    expect(team.hostNameOf('a'.repeat(60), 'default')).toMatch(/^a{52}-[0-9a-f]{10}$/);
  });

  test('asks the provider about names that only Terraform knows, and makes sure that it is there', () => {
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a');
    const name = new TerraformVariable(stack, 'pod', {}).stringValue;
    new TerraformOutput(stack, 'name', { value: team.hostNameOf(name, 'default') });
    const program = synthesised(stack);
    expect(program.output?.['name']?.value).toBe('${provider::vcluster::host_name(var.pod, "default", "team-a")}');
    expect(program.terraform?.required_providers).toHaveProperty('vcluster');
  });
});

describe('VirtualCluster.fromName()', () => {
  test('makes nothing and goes in by name', () => {
    const stack = newStack();
    const team = VirtualCluster.fromName(stack, 'team-a', { name: 'team-a', namespace: 'teams' });
    expect(team.endpoint).toBe('https://team-a.teams:443');
    expect(team.kubeconfigSecret).toEqual({ name: 'vc-team-a', namespace: 'teams' });
    expect(team.hostNameOf('web', 'default')).toBe('web-x-default-x-team-a');
    new ConfigMapV1(stack, 'inside', { provider: team.provider, metadata: { name: 'inside' } });
    const program = synthesised(stack);
    expect(Object.keys(program.resource ?? {})).toEqual(['kubernetes_config_map_v1']);
    const kubeconfigs = Object.values(program.ephemeral?.['vcluster_kubeconfig'] ?? {});
    expect(kubeconfigs).toEqual([{ cluster_id: 'teams/team-a' }]);
  });

  test('goes in by the same providers as one under the same id that was made, so that what that has left inside can be removed', () => {
    const [made, left] = [newStack(), newStack()];
    const clusters = [
      new VirtualCluster(made, 'team-a', { provisioner: Provisioner.native() }),
      VirtualCluster.fromName(left, 'team-a', { name: 'team-a' }),
    ];
    const aliases = clusters.map(({ provider, helmProvider }) => [provider.fqn, helmProvider.fqn]);
    expect(aliases[1]).toEqual(aliases[0]);
  });

  test('takes the name for the namespace, and refuses what cannot be one', () => {
    expect(VirtualCluster.fromName(newStack(), 'x', { name: 'team-a' }).namespace).toBe('team-a');
    expect(() => VirtualCluster.fromName(newStack(), 'x', { name: 'Team' })).toThrow(
      /x: The name "Team" cannot be used/,
    );
    expect(() => VirtualCluster.fromName(newStack(), 'x', { name: 'a', namespace: 'B' })).toThrow(
      /x: namespace must be .*, got: "B"/,
    );
  });
});
