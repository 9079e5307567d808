/** examples/gitops on a real node: Argo CD finds a cluster Secret that works, and its token is in no state. In order. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hostProblem } from '../../scripts/lib/host.ts';
import { Kubectl } from '../../scripts/lib/kubectl.ts';
import { leftovers } from '../../scripts/lib/leftovers.ts';
import type { Terraform } from '../../scripts/lib/terraform.ts';
import { apply, exampleHost, Workshop } from '../support/example.ts';

const problem = hostProblem();
const name = 'ex-gitops';
const argo = 'ex-argocd';

interface ClusterConfig {
  readonly bearerToken: string;
  readonly tlsClientConfig: { readonly caData: string };
}

describe.skipIf(problem !== undefined)(`gitops${problem ? `, skipped: ${problem}` : ''}`, () => {
  let host: Kubectl;
  let workshop: Workshop;
  let terraform: Terraform;
  let config: ClusterConfig;

  const remove = (): Promise<string> => host.run(['delete', 'namespace', argo, '--ignore-not-found']);

  beforeAll(async () => {
    host = await exampleHost();
    await remove();
    await host.run(['create', 'namespace', argo]);
    workshop = await Workshop.open(host);
    terraform = await workshop.configuration('gitops', {
      env: { TF_VAR_name: name, TF_VAR_argocd_namespace: argo },
    });
  });

  afterAll(async () => {
    await workshop?.[Symbol.asyncDispose]();
    if (host !== undefined) await remove();
  });

  test('Argo CD finds the virtual cluster by the label and the address that it looks for', async () => {
    await apply(terraform);
    const secret = await host.tryGet('secret', `cluster-${name}`, argo);
    expect(secret?.metadata.labels).toMatchObject({ 'argocd.argoproj.io/secret-type': 'cluster', team: name });
    const text = (key: string): string => Buffer.from(secret?.data?.[key] ?? '', 'base64').toString();
    expect(await terraform.outputs()).toEqual({ argocd_cluster: text('server') });
    config = JSON.parse(text('config'));
  });

  test('its token opens the virtual cluster', async () => {
    const service = await host.tryGet('service', name, name);
    const cluster = {
      server: `https://${String(service?.spec?.['clusterIP'])}:443`,
      'certificate-authority-data': config.tlsClientConfig.caData,
      'tls-server-name': `${name}.${name}`,
    };
    const kubeconfig = {
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'a',
      contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
      clusters: [{ name: 'a', cluster }],
      users: [{ name: 'a', user: { token: config.bearerToken } }],
    };
    const file = join(workshop.folder, 'argocd.kubeconfig');
    await writeFile(file, JSON.stringify(kubeconfig), { mode: 0o600 });
    expect(await new Kubectl(host.binary, file).run(['auth', 'can-i', '*', '*', '--all-namespaces'])).toContain('yes');
  });

  test('a second plan changes nothing, and the token is in no state', async () => {
    expect((await terraform.plan()).text).toContain('No changes.');
    const state = await readFile(join(terraform.folder, 'terraform.tfstate'), 'utf8');
    expect(state).toContain(`cluster-${name}`);
    for (const part of config.bearerToken.split('.')) expect(state).not.toContain(part);
  });

  test('destroy leaves nothing on the host', async () => {
    await terraform.destroy();
    expect(await host.tryGet('secret', `cluster-${name}`, argo)).toBeUndefined();
    expect(await host.tryGet('namespace', name)).toBeUndefined();
    expect(await leftovers(host, name)).toEqual([]);
  });
});
