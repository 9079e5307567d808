/** VirtualCluster beyond what test/construct.test.ts asserts: our own provider, options as properties, the way inside. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KubernetesProvider } from '@cdktf/provider-kubernetes/lib/provider/index.js';
import { TerraformOutput, TerraformVariable, Token } from 'cdktf';
import { describe, expect, test } from 'vitest';
import { optionsOf } from '../../config/option.ts';
import { options } from '../../config/options.ts';
import { Provisioner, VclusterProvider, VirtualCluster } from '../../constructs/index.ts';
import type { VirtualClusterProps } from '../../constructs/index.ts';
import { ownPropertyNames } from '../../constructs/virtual-cluster-props.ts';
import { inFolder, newStack, resources, synthesised, theResource, valuesOf } from './program.ts';
import type { Program } from './program.ts';

inFolder();

const provisioner = Provisioner.native();

function synth(props: VirtualClusterProps): Program {
  const stack = newStack();
  new VirtualCluster(stack, 'team-a', props);
  return synthesised(stack);
}

describe('Provisioner.native()', () => {
  test('makes one resource of our provider and needs no other provider', () => {
    const program = synth({ provisioner });
    expect(Object.keys(program.resource ?? {})).toEqual(['vcluster_cluster']);
    expect(theResource(program, 'vcluster_cluster')).toEqual({ name: 'team-a' });
    expect(program.provider).toEqual({ vcluster: [{}] });
  });

  test('asks for the provider that was released with this package, or a patch of it', () => {
    const root = join(import.meta.dirname, '..', '..');
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    expect(synth({ provisioner }).terraform?.required_providers).toEqual({
      vcluster: { source: 'cdktf-vcluster/vcluster', version: `~> ${version}` },
    });
  });

  test('leaves the version of the provider to whoever names one', () => {
    const stack = newStack();
    new VclusterProvider(stack, 'mine', { version: '0.9.1' });
    expect(synthesised(stack).terraform?.required_providers?.['vcluster']).toMatchObject({ version: '0.9.1' });
  });

  test('gives options as attributes, by their names in Terraform, keys of maps untouched', () => {
    const stack = newStack();
    const level = new TerraformVariable(stack, 'level', {}).stringValue;
    new VirtualCluster(stack, 'team-a', {
      provisioner,
      kubernetesVersion: '1.36',
      controlPlane: {
        statefulSet: {
          persistence: { volumeClaim: { size: '20Gi' } },
          scheduling: {
            nodeSelector: { 'example.org/somePool': 'a' },
            tolerations: [{ key: 'a', operator: 'Exists', tolerationSeconds: 5 }],
          },
        },
        serviceMonitor: { annotations: { note: 'in ${HOME}' } },
      },
      values: { tracing: { sampleRatio: '0.5' }, logging: { level: level as 'debug' } },
    });
    expect(theResource(synthesised(stack), 'vcluster_cluster')).toEqual({
      name: 'team-a',
      control_plane: {
        distro: { k8s: { version: '1.36' } },
        stateful_set: {
          persistence: { volume_claim: { size: '20Gi' } },
          scheduling: {
            node_selector: { 'example.org/somePool': 'a' },
            tolerations: [{ key: 'a', operator: 'Exists', toleration_seconds: 5 }],
          },
        },
        service_monitor: { annotations: { note: '${join("", ["in \\u0024{HOME}"])}' } },
      },
      tracing: { sample_ratio: '0.5' },
      logging: { level: '${var.level}' },
    });
  });

  test('gives as values what no attribute can say', () => {
    const cluster = theResource(synth({ provisioner, values: JSON.parse('{"global":{"a":1}}') }), 'vcluster_cluster');
    expect(cluster).toEqual({ name: 'team-a', values: ['{"global":{"a":1}}'] });
  });

  test('passes on what the provider looks after, keys of labels untouched', () => {
    const labels = { 'example.org/costCentre': 'x7' };
    const cluster = theResource(
      synth({
        provisioner: Provisioner.native({ pause: true }),
        namespace: 'teams',
        namespaceLifecycle: 'adopt',
        namespaceLabels: labels,
        namespaceAnnotations: { noteTo: 'you' },
        labels,
        deletionProtection: true,
        timeouts: { create: '10m', delete: '90s' },
      }),
      'vcluster_cluster',
    );
    expect(cluster).toEqual({
      name: 'team-a',
      namespace: 'teams',
      namespace_lifecycle: 'adopt',
      namespace_labels: labels,
      namespace_annotations: { noteTo: 'you' },
      labels,
      deletion_protection: true,
      pause: true,
      timeouts: { create: '10m', delete: '90s' },
    });
  });

  test('gives references to the resource, whose id is known while it is updated', () => {
    const stack = newStack();
    const team = new VirtualCluster(stack, 'team-a', { provisioner });
    new TerraformOutput(stack, 'all', {
      value: [team.endpoint, team.namespace, team.kubeconfigSecret.name, team.kubeconfigSecret.namespace],
    });
    const at = 'vcluster_cluster.team-a_cluster_F67A888C';
    expect(synthesised(stack).output?.['all']?.value).toEqual([
      `\${${at}.endpoint}`,
      `\${${at}.namespace}`,
      `\${${at}.kubeconfig_secret.name}`,
      `\${${at}.kubeconfig_secret.namespace}`,
    ]);
  });

  test('works on the host of hostProvider', () => {
    const stack = newStack();
    const hostProvider = new KubernetesProvider(stack, 'east', {
      alias: 'east',
      configPath: '/east',
      configContext: 'c',
    });
    new VirtualCluster(stack, 'team-a', { provisioner, hostProvider });
    new VirtualCluster(stack, 'team-b', { provisioner, hostProvider });
    const program = synthesised(stack);
    expect(program.provider?.['vcluster']).toEqual([
      { alias: expect.stringContaining('east'), config_path: '/east', config_context: 'c' },
    ]);
    const alias = String(program.provider?.['vcluster']?.[0]?.['alias']);
    const used = resources(program, 'vcluster_cluster').map((cluster) => cluster['provider']);
    expect(used).toEqual([`vcluster.${alias}`, `vcluster.${alias}`]);
  });

  test('takes hostVclusterProvider as it is', () => {
    const stack = newStack();
    const hostVclusterProvider = new VclusterProvider(stack, 'west', {
      alias: 'west',
      host: 'https://west:6443',
      exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'login', args: ['a'], env: { someKey: 'b' } },
    });
    new VirtualCluster(stack, 'team-a', { provisioner, hostVclusterProvider });
    const program = synthesised(stack);
    expect(theResource(program, 'vcluster_cluster')['provider']).toBe('vcluster.west');
    expect(program.provider?.['vcluster']?.[0]).toMatchObject({
      host: 'https://west:6443',
      exec: { api_version: 'client.authentication.k8s.io/v1', command: 'login', args: ['a'], env: { someKey: 'b' } },
    });
  });
});

describe('Options as properties', () => {
  const logging = { level: 'debug' } as const;

  test.each([
    ['helm', 'helm_release', { values: ['{"logging":{"level":"debug"}}'] }],
    ['native', 'vcluster_cluster', { logging }],
  ] as const)('mean the same as values, with Provisioner.%s()', (kind, type, wanted) => {
    const properties = theResource(synth({ provisioner: Provisioner[kind](), logging }), type);
    expect(properties).toMatchObject(wanted);
    expect(theResource(synth({ provisioner: Provisioner[kind](), values: { logging } }), type)).toEqual(properties);
  });

  test('are merged with values', () => {
    const program = synth({
      logging,
      networking: { advanced: { clusterDomain: 'a.b' } },
      values: { tracing: { sampleRatio: '0.5' } },
    });
    expect(valuesOf(theResource(program, 'helm_release'))).toEqual({
      logging,
      networking: { advanced: { clusterDomain: 'a.b' } },
      tracing: { sampleRatio: '0.5' },
    });
  });

  test('agree with values when both say the same', () => {
    expect(valuesOf(theResource(synth({ logging, values: { logging } }), 'helm_release'))).toEqual({ logging });
  });

  test.each<[string, VirtualClusterProps, RegExp]>([
    [
      'another value in values',
      { logging, values: { logging: { level: 'info' } } },
      /team-a: logging\.level must have one value, got: "debug" by the property and "info" by `values`/,
    ],
    [
      'another version beside kubernetesVersion',
      { kubernetesVersion: '1.35', controlPlane: { distro: { k8s: { version: '1.36' } } } },
      /version must have one value, got: "1\.35" by kubernetesVersion and "1\.36" by the property/,
    ],
    [
      'a key that is no option, with the nearest one',
      JSON.parse('{"controlplane":{}}'),
      /controlplane is not an option\. Did you mean controlPlane\?/,
    ],
    [
      'a value that is not allowed',
      JSON.parse('{"logging":{"level":"loud"}}'),
      /logging\.level must be one of debug, info, warn, error, not "loud"/,
    ],
    ['adopt with Helm', { namespaceLifecycle: 'adopt' }, /namespaceLifecycle must be "create" or "keep".*got: "adopt"/],
    [
      'a lifecycle nobody knows',
      JSON.parse('{"namespaceLifecycle":"x"}'),
      /must be one of create, adopt, keep, got: "x"/,
    ],
    ['a label that Kubernetes refuses', { labels: { a: 'b c' } }, /labels\.a must be .*, got: "b c"/],
    [
      'a key of a label that Kubernetes refuses',
      { labels: { 'a b': '' } },
      /the key of a label must be .*, got: "a b"/,
    ],
    ['a duration without a unit', { timeouts: { update: '5' } }, /timeouts\.update must be a duration .*, got: "5"/],
    [
      'another label than the property',
      { labels: { a: 'x' }, controlPlane: { statefulSet: { labels: { a: 'y' } } } },
      /statefulSet\.labels\.a must have one value, got: "x" by `labels` and "y" by the property/,
    ],
    ['values as text', JSON.parse('{"values":"a: b"}'), /values must be an object, such as a .*, got: "a: b"/],
    ['a provisioner that is none', JSON.parse('{"provisioner":"native"}'), /must be Provisioner\.helm\(\) or Prov/],
    ['a timeout nobody knows', JSON.parse('{"timeouts":{"crate":"5m"}}'), /timeouts: a key must be one of create, upd/],
    [
      'protection that is neither on nor off',
      JSON.parse('{"deletionProtection":"yes"}'),
      /deletionProtection must be true or false, got: "yes"/,
    ],
    ['a chart that is not there', { chart: '/nowhere' }, /chart must be a folder with a Chart\.yaml, got: "\/nowhere"/],
    [
      'annotations for a namespace not made here',
      { namespaceLifecycle: 'keep', namespaceAnnotations: {} },
      /namespaceAnnotations must be left out/,
    ],
  ])('refuse %s', (_what, props, message) => {
    expect(() => synth(props)).toThrow(message);
  });

  test('leave alone what only Terraform knows', () => {
    const stack = newStack();
    const token = new TerraformVariable(stack, 'v', {}).stringValue;
    const props = { namespace: token, labels: { a: token }, kubernetesVersion: token, timeouts: { create: token } };
    new VirtualCluster(stack, 'team-a', { ...props, provisioner });
    expect(theResource(synthesised(stack), 'vcluster_cluster')).toMatchObject({
      namespace: '${var.v}',
      labels: { a: '${var.v}' },
      timeouts: { create: '${var.v}' },
      control_plane: { distro: { k8s: { version: '${var.v}' } } },
    });
  });

  test('leave alone whole maps that only Terraform knows', () => {
    const stack = newStack();
    const map = Token.asStringMap(new TerraformVariable(stack, 'm', {}).value);
    new VirtualCluster(stack, 'team-a', { labels: map, namespaceLabels: { tier: 'gold' } });
    new VirtualCluster(stack, 'team-b', { labels: map, provisioner });
    const program = synthesised(stack);
    expect(theResource(program, 'kubernetes_namespace_v1')['metadata']).toMatchObject({
      labels: '${merge(var.m, {"tier" = "gold"})}',
    });
    expect(theResource(program, 'helm_release')['values']).toEqual([
      '{"controlPlane":{"statefulSet":{"labels":${jsonencode(var.m)}}}}',
    ]);
    expect(theResource(program, 'vcluster_cluster')['labels']).toBe('${var.m}');
  });

  test('never share a name with a property of the construct', () => {
    const names = new Set([...optionsOf(options)].map(([path]) => path.split('.')[0] ?? ''));
    expect([...names].filter((name) => ownPropertyNames.includes(name))).toEqual([]);
  });
});

describe('deletionProtection', () => {
  test('keeps Helm from deleting release and namespace', () => {
    const program = synth({ deletionProtection: true });
    for (const type of ['helm_release', 'kubernetes_namespace_v1']) {
      expect(theResource(program, type)['lifecycle']).toEqual({ prevent_destroy: true });
    }
  });
});
