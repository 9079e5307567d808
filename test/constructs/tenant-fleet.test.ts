/** TenantFleet and loadTenants(): many tenants from a list, and what a broken one is told. */
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { loadTenants, TenantEnvironment, TenantFleet } from '../../constructs/index.ts';
import { inFolder, inTheFolder, newStack, resources, synthesised } from './program.ts';

inFolder();

function file(name: string, text: string): string {
  const path = inTheFolder(name);
  writeFileSync(path, text);
  return path;
}

const two = `# tenants of the platform
- name: team-a
  group: oidc:team-a
  cpu: 4
- name: team-b
  group: oidc:team-b
  cpu: 500m
  labels: { tier: gold }
`;

describe('loadTenants()', () => {
  test('reads a list, typed', () => {
    const tenants = loadTenants(file('two.yaml', two));
    expect(tenants).toEqual([
      { name: 'team-a', group: 'oidc:team-a', cpu: 4 },
      { name: 'team-b', group: 'oidc:team-b', cpu: '500m', labels: { tier: 'gold' } },
    ]);
    const groups: readonly string[] = tenants.map(({ group }) => group);
    expect(groups).toHaveLength(2);
  });

  test('reads JSON, a list under `tenants`, and a URL', () => {
    const path = file('two.json', JSON.stringify({ tenants: [{ name: 'team-a', tier: 'gold', size: 3, open: true }] }));
    const schema = { tier: 'string', size: 'number', open: 'boolean', note: 'string?' } as const;
    const [tenant] = loadTenants(pathToFileURL(path), schema);
    const size: number | undefined = tenant?.size;
    const note: string | undefined = tenant?.note;
    expect([tenant?.tier, size, tenant?.open, note]).toEqual(['gold', 3, true, undefined]);
  });

  test.each([
    [
      'another type',
      '- name: a\n  group: g\n  cpu: lots\n',
      /t\.yaml:3: tenant "a": cpu must be a quantity .*, got: "lots"/,
    ],
    [
      'what Terraform would evaluate',
      '- name: a\n  group: \'${file("/etc/hostname")}\'\n',
      /t\.yaml:2: tenant "a": group must be without \$\{ and %\{, which Terraform evaluates, got: /,
    ],
    ['a field that is missing', '\n- name: a\n', /t\.yaml:2: tenant "a": group must be a string, got: nothing/],
    ['an empty text', '- name: a\n  group: ""\n', /t\.yaml:2: tenant "a": group must be a string, got: ""/],
    [
      'a field nobody knows',
      '- name: a\n  group: g\n  gpu: 1\n',
      /t\.yaml:3: tenant "a": gpu must be one of name, group,/,
    ],
    ['a name no cluster can have', '- group: g\n  name: Team A\n', /t\.yaml:2: The name "Team A" cannot be used/],
    ['no name', '- group: g\n', /t\.yaml:1: a tenant must have a name, got: undefined/],
    ['no object', '- just text\n', /t\.yaml:1: a tenant must be an object, got: "just text"/],
    [
      'the same name twice',
      `${two}- { name: team-a, group: g }\n`,
      /t\.yaml:9: tenant "team-a" must be there once, got: also at .*t\.yaml:2/,
    ],
    ['no list', 'tenants: 3\n', /t\.yaml: the tenants must be a list, .*got: an object/],
    ['nothing', '', /t\.yaml: the tenants must be a list, .*got: nothing/],
    ['no YAML', '- name: a\n  group: [\n', /t\.yaml:\d: /],
    ['the same key twice', '- name: a\n  group: g\n  group: h\n', /t\.yaml:3: Map keys must be unique/],
  ])('refuses %s, with file and line', (_what, text, message) => {
    expect(() => loadTenants(file('t.yaml', text))).toThrow(message);
  });

  test('says everything that is wrong at once', () => {
    const path = file('t.yaml', '- name: a\n- name: b\n  group: 7\n');
    expect(() => loadTenants(path)).toThrow(
      /t\.yaml:1: tenant "a"[^]*t\.yaml:3: tenant "b": group must be a string, got: 7/,
    );
  });

  test('says where it looked for a file that is not there', () => {
    expect(() => loadTenants('nowhere.yaml')).toThrow(/nowhere\.yaml: .*there is no such file.*begins at \//);
  });
});

describe('TenantFleet', () => {
  test('makes an environment for each, from one template', () => {
    const stack = newStack();
    const fleet = new TenantFleet(stack, 'tenants', {
      tenants: loadTenants(file('two.yaml', two)),
      template: (tenant) => ({
        isolation: 'baseline',
        quota: { cpu: tenant.cpu, memory: '16Gi' },
        admins: [tenant.group],
        labels: tenant.labels,
      }),
    });
    const program = synthesised(stack);
    expect(resources(program, 'helm_release').map(({ name }) => name)).toEqual(['team-a', 'team-b']);
    expect(resources(program, 'kubernetes_resource_quota_v1')).toHaveLength(2);
    expect(fleet.findEnvironment('team-b').cluster.name).toBe('team-b');
    expect(fleet.tryFindEnvironment('team-c')).toBeUndefined();
    expect(() => fleet.findEnvironment('team-c')).toThrow(/must be one of team-a, team-b, got: "team-c"/);
  });

  test('takes a list of the program and needs no template', () => {
    const stack = newStack();
    const { environments } = new TenantFleet(stack, 'tenants', { tenants: [{ name: 'team-a' }, { name: 'team-b' }] });
    expect(environments.map(({ name }) => name)).toEqual(['team-a', 'team-b']);
  });

  test('names nothing after the place in the list: taking one out changes no other', () => {
    const addresses = (names: readonly string[]): readonly string[] => {
      const stack = newStack();
      new TenantFleet(stack, 'tenants', { tenants: names.map((name) => ({ name })) });
      return Object.keys(synthesised(stack).resource?.['helm_release'] ?? {});
    };
    const all = addresses(['team-a', 'team-b', 'team-c']);
    expect(addresses(['team-c', 'team-a']).toSorted()).toEqual(
      all.filter((each) => !each.includes('team-b')).toSorted(),
    );
  });

  test('keeps the way into a tenant who leaves, under the same alias, and nothing else of him', () => {
    const before = newStack();
    const first = { name: 'team-a' };
    new TenantFleet(before, 'tenants', {
      tenants: [first, { name: 'team-b' }],
      template: () => ({ admins: ['admins'] }),
    });
    const after = newStack();
    new TenantFleet(after, 'tenants', {
      tenants: [first],
      template: () => ({ admins: ['admins'] }),
      leaving: ['team-b'],
    });
    const [there, then] = [synthesised(before), synthesised(after)];
    const aliases = ({ provider }: typeof there): Set<unknown> =>
      new Set((provider?.['kubernetes'] ?? []).map(({ alias }) => alias));
    expect(aliases(there).size).toBe(3);
    expect(aliases(then)).toEqual(aliases(there));
    expect(resources(then, 'helm_release').map(({ name }) => name)).toEqual(['team-a']);
    const ids = Object.values(then.ephemeral?.['vcluster_kubeconfig'] ?? {}).map(({ cluster_id }) => cluster_id);
    expect(ids).toContain('team-b/team-b');
  });

  test('a tenant cannot be in the list and leave', () => {
    const props = { tenants: [{ name: 'team-a' }], leaving: ['team-a'] };
    expect(() => new TenantFleet(newStack(), 'tenants', props)).toThrow(/"team-a" is in the list as well/);
  });

  test('makes environments of a class of one’s own', () => {
    class Mine extends TenantEnvironment {}
    const { environments } = new TenantFleet(newStack(), 'tenants', { tenants: [{ name: 'a' }], environment: Mine });
    expect(environments[0]).toBeInstanceOf(Mine);
  });

  test('tells line, tenant and reason of what the template makes of a tenant', () => {
    const tenants = loadTenants(file('two.yaml', two));
    const template = ({ name }: { name: string }) => ({ kubernetesVersion: name === 'team-b' ? '1.2' : '1.36' });
    expect(() => new TenantFleet(newStack(), 'tenants', { tenants, template })).toThrow(
      /^stack\/tenants: not every tenant can be used[^]*two\.yaml:5: tenant "team-b": these values cannot be used[^]*Kubernetes 1\.2/,
    );
  });

  test('tells of every broken tenant at once, and of one that is there twice', () => {
    const tenants = [{ name: 'a' }, { name: 'B' }, { name: 'a' }];
    expect(() => new TenantFleet(newStack(), 'tenants', { tenants })).toThrow(
      /tenant "B": The name "B" cannot be used[^]*tenant "a": its name must be there once, got: twice/,
    );
  });
});
