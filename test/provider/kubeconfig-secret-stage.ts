/**
 * Two real API servers for tests of `vcluster_kubeconfig_secret` with a real Terraform: the host, where the Secret is, and the virtual
 * cluster, where the service account is. No node is needed: the virtual cluster is published at an address that is reached directly.
 */
import { readFile } from 'node:fs/promises';
import { kinds, openHost } from '../../operations/host.ts';
import type { Host, HostKind, ObjectRef } from '../../operations/host.ts';
import { parseKubeconfig } from '../../operations/parse-kubeconfig.ts';
import type { HostObject } from '../../operations/types.ts';
import { VirtualApi } from '../../operations/virtual-api.ts';
import { controlPlaneDir, silent, startControlPlane } from '../../testbed/index.ts';
import type { ControlPlane } from '../../testbed/index.ts';
import { Stack } from './kubeconfig-stage.ts';
import type { Said } from './kubeconfig-stage.ts';

const serviceCidr = '10.96.0.0/16';
const { namespaces, secrets, statefulSets } = kinds;
const rbac = { group: 'rbac.authorization.k8s.io', version: 'v1' } as const;

export const roleBindings: HostKind = { ...rbac, plural: 'rolebindings' };
const clusterRoleBindings: HostKind = { ...rbac, plural: 'clusterrolebindings' };

/** Of the resource, of its Secret on the host, and of its service account inside. */
export const address = 'vcluster_kubeconfig_secret.it';
export const secretKey: ObjectRef = { namespace: 'ci', name: 'team-a' };
export const accountKey: ObjectRef = { namespace: 'kube-system', name: 'ci' };

/** Arguments of the resource as HCL. */
type Arguments = Readonly<Record<string, string>>;

/** The two, and a folder with the resource. */
export class SecretStage implements AsyncDisposable {
  readonly planes: readonly [ControlPlane, ControlPlane];
  readonly host: Host;
  readonly virtual: Host;
  readonly stack: Stack;

  private constructor(planes: SecretStage['planes'], host: Host, virtual: Host, stack: Stack) {
    this.planes = planes;
    this.host = host;
    this.virtual = virtual;
    this.stack = stack;
  }

  /** `name` is the one of the test, as two tests never share their folders. */
  static async open(name: string): Promise<SecretStage> {
    const options = { serviceCidr, scheduler: false, log: silent };
    const planes = await Promise.all([
      startControlPlane({ ...options, dir: controlPlaneDir(`${name}-host`), role: 'host' }),
      startControlPlane({ ...options, dir: controlPlaneDir(`${name}-virtual`), role: 'virtual' }),
    ]);
    const host = await openHost({ kubeconfig: planes[0].kubeconfigPath });
    const virtual = await openHost({ kubeconfig: planes[1].kubeconfigPath });
    await publish(host, planes[1]);
    return new SecretStage(planes, host, virtual, await Stack.open(planes[0].kubeconfigPath));
  }

  /** The resource; later arguments win. */
  hcl(args: Arguments = {}): string {
    const all = {
      cluster_id: '"team/team-a"',
      namespace: '"ci"',
      name: '"team-a"',
      service_account: '{ name = "ci" }',
      role: '{ name = "view", namespace = "default" }',
      expiration_seconds: '3600',
      ...args,
    };
    const lines = Object.entries(all).map(([key, value]) => `  ${key} = ${value}\n`);
    return `resource "vcluster_kubeconfig_secret" "it" {\n${lines.join('')}}\n`;
  }

  async applied(args: Arguments = {}): Promise<void> {
    await this.stack.write(this.hcl(args));
    must(0, await this.stack.apply());
  }

  /** What a plan that must change something says. */
  async change(): Promise<string> {
    const text = must(2, await this.stack.plan());
    if (!text.includes('will be updated in-place')) throw new Error(text);
    return text;
  }

  async noChange(): Promise<void> {
    must(0, await this.stack.plan());
  }

  async destroyed(): Promise<void> {
    must(0, await this.stack.destroy());
  }

  async content(key = 'config'): Promise<string> {
    const secret = await this.host.tryGet(secrets, secretKey);
    return Buffer.from(secret?.data?.[key] ?? '', 'base64').toString('utf8');
  }

  /** The status of a request with what the Secret holds. To be polled: an API server hears of a binding a moment after it is there. */
  async asTenant(path: string): Promise<number> {
    const { server, certificateAuthority: ca, token } = parseKubeconfig(await this.content());
    const api = new VirtualApi({ server: new URL(server), ca, token, insecure: false }, 'team-a');
    return (await api.ask({ path })).status;
  }

  async binding(): Promise<(HostObject & { readonly roleRef?: unknown }) | undefined> {
    const kindsOfBindings = [roleBindings, clusterRoleBindings];
    const lists = await Promise.all(kindsOfBindings.map((kind) => this.virtual.list(kind, undefined)));
    return lists.flat().find(({ metadata }) => metadata.name.startsWith('kubeconfig-team-a-'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stack[Symbol.asyncDispose]();
    this.host.close();
    this.virtual.close();
    await Promise.all(this.planes.map((plane) => plane.shutdown()));
  }
}

/** What it said, when it ended like this. */
function must(code: number, { exitCode, text }: Said): string {
  if (exitCode === code) return text;
  throw new Error(`Terraform ended with ${exitCode}, not ${code}: ${text}`);
}

/** A virtual cluster `team/team-a` as far as its host knows it. */
async function publish(host: Host, virtual: ControlPlane): Promise<void> {
  for (const name of ['team', 'ci']) await host.create(namespaces, undefined, { metadata: { name } });
  const config = (await readFile(virtual.kubeconfigPath)).toString('base64');
  await host.create(secrets, 'team', { metadata: { name: 'vc-team-a' }, data: { config } });
  const labels = { app: 'x' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'x', image: 'x' }] } };
  const spec = { replicas: 0, selector: { matchLabels: labels }, template };
  await host.create(statefulSets, 'team', { metadata: { name: 'team-a' }, spec });
}
