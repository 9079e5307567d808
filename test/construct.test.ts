/**
 * What the construct synthesises, asserted key by key on the JSON that Terraform reads, and what it refuses. Needs no cluster
 * and no Terraform.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HelmProvider } from '@cdktf/provider-helm/lib/provider/index.js';
import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { LocalBackend, TerraformOutput, TerraformVariable, Testing } from 'cdktf';
import type { TerraformStack } from 'cdktf';
import { describe, expect, test } from 'vitest';
import { kubeconfig } from '../constructs/host-providers.ts';
import { VirtualCluster } from '../constructs/index.ts';
import type { VirtualClusterProps } from '../constructs/index.ts';
import { inFolder, inTheFolder, newStack } from './constructs/program.ts';
import type { Block } from './constructs/program.ts';

interface Program {
  readonly release: Block;
  readonly namespaces: readonly Block[];
  readonly json: Readonly<Record<string, Record<string, Record<string, unknown>>>>;
}

inFolder();

function program(stack: TerraformStack): Program {
  const json = JSON.parse(Testing.synth(stack, true));
  const all = (kind: string): Block[] => Object.values(json.resource?.[kind] ?? {});
  return { json, release: all('helm_release')[0] ?? {}, namespaces: all('kubernetes_namespace_v1') };
}

function synth(props?: VirtualClusterProps, id = 'team-a'): Program {
  const stack = newStack();
  new VirtualCluster(stack, id, props);
  return program(stack);
}

function valuesOf(release: Block): unknown {
  expect(release['values']).toEqual([expect.any(String)]);
  return JSON.parse(String(release['values']));
}

/** A chart folder of its own, so that its content can be changed. */
function chartFolder(name: string, template: string): string {
  const chart = inTheFolder(name);
  mkdirSync(join(chart, 'templates'), { recursive: true });
  writeFileSync(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: any\nversion: 0.1.0\n');
  writeFileSync(join(chart, 'templates', 'all.yaml'), template);
  return chart;
}

describe('VirtualCluster', () => {
  test('makes one namespace and one release, both named like the construct', () => {
    const { release, namespaces } = synth();
    expect(namespaces).toHaveLength(1);
    expect(namespaces[0]?.['metadata']).toEqual({ name: 'team-a' });
    expect(release['name']).toBe('team-a');
    expect(release['namespace']).toMatch(/^\$\{kubernetes_namespace_v1\.team-a_namespace_\w+\.metadata\[0\]\.name\}$/);
  });

  test('waits, takes a failed install back and heals a half-failed one', () => {
    expect(synth().release).toMatchObject({ wait: true, atomic: true, upgrade_install: true, timeout: 300 });
    expect(synth({ timeouts: { create: '1m', update: '90s' } }).release['timeout']).toBe(90);
  });

  test('leaves the namespace alone when told that it exists', () => {
    const { release, namespaces } = synth({ namespace: 'shared', namespaceLifecycle: 'keep' });
    expect(namespaces).toEqual([]);
    expect(release['namespace']).toBe('shared');
    expect(release).not.toHaveProperty('create_namespace');
  });

  test('takes name, namespace and labels of the namespace', () => {
    const { release, namespaces } = synth({ name: 'blue', namespace: 'teams', namespaceLabels: { tier: 'gold' } });
    expect(release['name']).toBe('blue');
    expect(namespaces[0]?.['metadata']).toEqual({ name: 'teams', labels: { tier: 'gold' } });
  });

  test('leaves the backend to the stack', () => {
    const stack = newStack();
    new VirtualCluster(stack, 'team-a');
    new LocalBackend(stack, { path: 'mine.tfstate' });
    expect(program(stack).json['terraform']?.['backend']).toEqual({ local: { path: 'mine.tfstate' } });
  });

  test('puts no secret, variable or data source into the program', () => {
    const { json } = synth();
    expect(Object.keys(json['resource'] ?? {}).toSorted()).toEqual(['helm_release', 'kubernetes_namespace_v1']);
    expect(json).not.toHaveProperty('data');
    expect(json).not.toHaveProperty('variable');
  });

  test('two of them in one stack do not meet', () => {
    const stack = newStack();
    new VirtualCluster(stack, 'team-a');
    new VirtualCluster(stack, 'team-b');
    const { json } = program(stack);
    expect(Object.keys(json['resource']?.['helm_release'] ?? {})).toHaveLength(2);
    expect(Object.keys(json['resource']?.['kubernetes_namespace_v1'] ?? {})).toHaveLength(2);
  });
});

describe('VirtualCluster.kubeconfigSecret', () => {
  test('is a reference to the release, so that its reader waits for it', () => {
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a');
    new TerraformOutput(stack, 'secret', { value: team.kubeconfigSecret.name });
    new TerraformOutput(stack, 'namespace', { value: team.kubeconfigSecret.namespace });
    const { output } = program(stack).json;
    expect(output?.['secret']?.['value']).toMatch(/^vc-\$\{helm_release\.team-a_release_\w+\.name\}$/);
    expect(output?.['namespace']?.['value']).toMatch(/^\$\{helm_release\.team-a_release_\w+\.namespace\}$/);
  });
});

function chartPath(place: string, template: string): unknown {
  return synth({ chart: chartFolder(place, template) }).release['chart'];
}

describe('VirtualCluster chart', () => {
  test('is an asset below the stack, named by its content and not by its place', () => {
    expect(chartPath('here', 'a: 1\n')).toMatch(/^assets\/team-a_chart_\w+\/[0-9A-F]{32}$/);
    expect(chartPath('there', 'a: 1\n')).toBe(chartPath('here', 'a: 1\n'));
    expect(chartPath('here', 'a: 2\n')).not.toBe(chartPath('there', 'a: 1\n'));
  });

  test('is the one that ships with the package by default', () => {
    expect(synth().release['chart']).toMatch(/^assets\//);
  });
});

describe('VirtualCluster providers', () => {
  test('are added for a stack that has none, and left to KUBE_CONFIG_PATH', () => {
    expect(synth().json['provider']).toEqual({ kubernetes: [{}], helm: [{}] });
  });

  test('are not added beside the stack\u2019s own, also when those are made later', () => {
    const stack = newStack();
    new VirtualCluster(stack, 'team-a');
    new KubernetesProvider(stack, 'kubernetes', { configPath: '/mine' });
    new HelmProvider(stack, 'helm', { kubernetes: { configPath: '/mine' } });
    expect(program(stack).json['provider']).toEqual({
      kubernetes: [{ config_path: '/mine' }],
      helm: [{ kubernetes: { config_path: '/mine' } }],
    });
  });

  test('of the user are used by namespace and release', () => {
    const stack = newStack();
    const hostProvider = new KubernetesProvider(stack, 'kubernetes', { alias: 'east', configPath: '/east' });
    const hostHelmProvider = new HelmProvider(stack, 'helm', { alias: 'east', kubernetes: { configPath: '/east' } });
    new VirtualCluster(stack, 'team-a', { hostProvider, hostHelmProvider });
    const { release, namespaces, json } = program(stack);
    expect(namespaces[0]?.['provider']).toBe('kubernetes.east');
    expect(release['provider']).toBe('helm.east');
    expect(json['provider']?.['kubernetes']).toHaveLength(1);
  });

  test('must be given together', () => {
    const stack = newStack();
    const hostHelmProvider = new HelmProvider(stack, 'helm', { alias: 'east' });
    expect(() => new VirtualCluster(stack, 'team-a', { hostHelmProvider })).toThrow(/hostProvider is missing/);
  });

  test.each([
    [{ KUBE_CONFIG_PATH: '/a' }, {}],
    [{ KUBE_CONFIG_PATHS: '/a:/b' }, {}],
    [{ KUBECONFIG: '/a' }, { configPath: '/a' }],
    [{ KUBECONFIG: '/a:/b' }, { configPaths: ['/a', '/b'] }],
    [{}, { configPath: '~/.kube/config' }],
  ])('kubeconfig(%j) is %j', (env, expected) => {
    expect(kubeconfig(env)).toEqual(expected);
  });
});

describe('VirtualCluster values', () => {
  const logging = { level: 'debug' } as const;
  const image = { registry: 'mirror.example.org' };

  test('are empty for a virtual cluster without options', () => {
    expect(valuesOf(synth().release)).toEqual({});
  });

  test('are one string, the same whatever the order of keys', () => {
    const one = synth({ values: { logging, controlPlane: { distro: { k8s: { version: '1.36', image } } } } });
    const other = synth({ values: { controlPlane: { distro: { k8s: { image, version: '1.36' } } }, logging } });
    expect(one.release['values']).toEqual([
      '{"controlPlane":{"distro":{"k8s":{"image":{"registry":"mirror.example.org"},"version":"1.36"}}},"logging":{"level":"debug"}}',
    ]);
    expect(other.release['values']).toEqual(one.release['values']);
  });

  test('hold kubernetesVersion beside what else is set there', () => {
    const { release } = synth({ kubernetesVersion: '1.35', values: { controlPlane: { distro: { k8s: { image } } } } });
    expect(valuesOf(release)).toEqual({ controlPlane: { distro: { k8s: { version: '1.35', image } } } });
  });

  test('that only Terraform knows are written by Terraform', () => {
    const stack = newStack();
    const registry = new TerraformVariable(stack, 'registry', { type: 'string' });
    const values = { controlPlane: { distro: { k8s: { image: { registry: registry.stringValue } } } } };
    new VirtualCluster(stack, 'team-a', { values });
    expect(program(stack).release['values']).toEqual([
      '{"controlPlane":{"distro":{"k8s":{"image":{"registry":${jsonencode(var.registry)}}}}}}',
    ]);
  });
});

describe('VirtualCluster refuses', () => {
  const unknownKey = JSON.parse('{"controlPlane":{"statefullSet":{}}}');
  const versions = { kubernetesVersion: '1.35', values: { controlPlane: { distro: { k8s: { version: '1.36' } } } } };

  test.each<[string, string, VirtualClusterProps, RegExp]>([
    ['an id that is no name', 'Team_A', {}, /Team_A: The name "Team_A" cannot be used.* Or set `name`/],
    ['a name that is not DNS-1123', 'x', { name: 'a.b' }, /x: The name "a\.b" cannot be used/],
    ['a name that begins with a digit', 'x', { name: '1a' }, /begins with a letter/],
    ['a name that is too long', 'x', { name: 'a'.repeat(64) }, /has 64 characters/],
    ['a namespace that is not DNS-1123', 'x', { namespace: 'No' }, /namespace must be .*, got: "No"/],
    [
      'labels for a namespace not made here',
      'x',
      { namespaceLifecycle: 'keep', namespaceLabels: {} },
      /must be left out/,
    ],
    ['a timeout of nothing', 'x', { timeouts: { create: '0s' } }, /timeouts\.create must be .* got: "0s"/],
    [
      'a Kubernetes version that does not exist',
      'x',
      { kubernetesVersion: '1.36.99' },
      /Kubernetes 1\.36\.99 does not exist/,
    ],
    [
      'two different Kubernetes versions',
      'x',
      versions,
      /k8s\.version must have one value, got: "1\.35" by kubernetesVersion and "1\.36" by `values`/,
    ],
    [
      'an unknown key, with its path and the nearest one',
      'x',
      { values: unknownKey },
      /controlPlane\.statefullSet is not an option\. Did you mean controlPlane\.statefulSet\?/,
    ],
  ])('%s', (_what, id, props, message) => {
    expect(() => new VirtualCluster(newStack(), id, props)).toThrow(message);
  });

  test('nothing about a name that only Terraform knows', () => {
    const stack = newStack();
    const name = new TerraformVariable(stack, 'name', { type: 'string' });
    new VirtualCluster(stack, 'team-a', { name: name.stringValue, namespace: name.stringValue });
    expect(program(stack).release['name']).toBe('${var.name}');
  });
});

describe('examples/quickstart', () => {
  test('synthesises by node alone, with nothing of this machine in it', () => {
    const outdir = inTheFolder('example');
    const main = join(import.meta.dirname, '..', 'examples', 'quickstart', 'main.ts');
    execFileSync(process.execPath, ['--conditions=source', main], {
      env: { KUBE_CONFIG_PATH: '/x', CDKTF_OUTDIR: outdir },
    });
    const text = readFileSync(join(outdir, 'stacks', 'quickstart', 'cdk.tf.json'), 'utf8');
    expect(text).not.toContain(process.cwd());
    expect(JSON.parse(text)).toMatchObject({
      terraform: { backend: { local: { path: 'terraform.tfstate' } } },
      output: { namespace: {}, kubeconfig_secret: {} },
    });
  }, 60_000);
});
