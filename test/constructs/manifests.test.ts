/** addManifest(): objects inside a virtual cluster, in the apply that makes it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TerraformVariable } from 'cdktf';
import { describe, expect, test } from 'vitest';
import { VirtualCluster } from '../../constructs/index.ts';
import type { KubernetesObject, ManifestOptions, ManifestSource } from '../../constructs/index.ts';
import { inFolder, newStack, resources, synthesised, valuesOf } from './program.ts';
import type { Block } from './program.ts';

inFolder();

const configMap = (name: string, data: Readonly<Record<string, string>> = {}): KubernetesObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data,
});

function releases(source: ManifestSource, options?: ManifestOptions): readonly Block[] {
  const stack = newStack();
  new VirtualCluster(stack, 'team-a').addManifest('motd', source, options);
  return resources(synthesised(stack), 'helm_release').filter((release) => release['namespace'] === 'default');
}

describe('addManifest()', () => {
  test('is a release inside, planned without asking the virtual cluster: its version is given', () => {
    const [release] = releases(configMap('a'));
    expect(release).toMatchObject({ name: 'motd', version: '0.1.0', wait: true, atomic: true, upgrade_install: true });
    expect(release?.['provider']).toMatch(/^helm\.team-a_inside_kubeconfig_/);
    const chart = join(import.meta.dirname, '..', '..', 'constructs', 'manifests', 'Chart.yaml');
    expect(readFileSync(chart, 'utf8')).toMatch(/^version: 0\.1\.0$/m);
  });

  test.each<[string, ManifestSource, readonly string[]]>([
    ['an object', configMap('a'), ['a']],
    ['several', [configMap('a'), configMap('b')], ['a', 'b']],
    [
      'YAML with several documents, empty ones among them',
      '---\napiVersion: v1\nkind: ConfigMap\nmetadata: { name: a }\n---\n---\n# nothing\n---\napiVersion: v1\nkind: Secret\nmetadata: { name: b }\n',
      ['a', 'b'],
    ],
    ['JSON', JSON.stringify(configMap('a')), ['a']],
  ])('takes %s', (_what, source, names) => {
    const values = valuesOf(releases(source)[0] ?? {}) as { objects: { metadata: { name: string } }[] };
    expect(values.objects.map(({ metadata }) => metadata.name)).toEqual(names);
  });

  test('takes values that only Terraform knows', () => {
    const stack = newStack();
    const text = new TerraformVariable(stack, 'text', {}).stringValue;
    new VirtualCluster(stack, 'team-a').addManifest('motd', configMap('a', { text }));
    const all = resources(synthesised(stack), 'helm_release').map((release) => String(release['values']));
    expect(all.join('\n')).toContain('"data":{"text":${jsonencode(var.text)}}');
  });

  test('takes what looks like a template of Terraform as the text that it is', () => {
    const [release] = releases(configMap('a', { run: 'echo ${HOME} %{ if }' }));
    expect(String(release?.['values'])).not.toMatch(/[$%]\{/);
    expect(valuesOf(release ?? {})).toMatchObject({ objects: [{ data: { run: 'echo ${HOME} %{ if }' } }] });
  });

  test('does not wait when told so', () => {
    expect(releases(configMap('a'), { wait: false, timeoutSeconds: 60 })[0]).toMatchObject({
      wait: false,
      atomic: false,
      timeout: 60,
    });
  });

  test('installs definitions of kinds before objects of them', () => {
    const crd = {
      ...configMap('tests.example.org'),
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
    };
    const [definitions, others] = releases([configMap('a'), crd]).toSorted((left) =>
      left['name'] === 'motd' ? 1 : -1,
    );
    expect(definitions?.['name']).toBe('motd-definitions');
    expect(JSON.stringify(definitions?.['values'])).toContain('tests.example.org');
    expect(others?.['depends_on']).toEqual([expect.stringContaining('definitions')]);
    expect(releases(crd)).toHaveLength(1);
  });

  test.each<[string, ManifestSource, RegExp]>([
    ['nothing', '---\n', /team-a\/manifests\/motd: the manifest must hold at least one object, got: none/],
    ['no YAML', 'a: [', /the manifest must be YAML, got: /],
    ['no object', 'just text', /object 1 must be a Kubernetes object .*, got: "just text"/],
    ['an object without a name', [configMap('a'), JSON.parse('{"apiVersion":"v1","kind":"Pod"}')], /object 2 must be/],
  ])('refuses %s', (_what, source, message) => {
    expect(() => releases(source)).toThrow(message);
  });

  test('refuses an id that no release can have', () => {
    const team = new VirtualCluster(newStack(), 'team-a');
    expect(() => team.addManifest('The_Motd', configMap('a'))).toThrow(
      /the id of a manifest must be .*, got: "The_Motd"/,
    );
  });

  test('refuses a whole text that only Terraform knows, and says what to do', () => {
    const stack = newStack();
    const text = new TerraformVariable(stack, 'text', {}).stringValue;
    expect(() => new VirtualCluster(stack, 'team-a').addManifest('motd', text)).toThrow(
      /must be known at synthesis, got: .* Give an object/,
    );
  });
});
