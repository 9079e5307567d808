/**
 * The way into a virtual cluster from this machine, with nothing but access to the host cluster: the kubeconfig comes from the
 * Secret on the host, the connection goes to the Service directly where this machine can reach it and through a port-forward
 * otherwise. Kubeconfigs are written for their owner only.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parse, stringify } from 'yaml';
import { Kubectl } from './kubectl.ts';
import type { PortForward } from './kubectl.ts';

/** How long a tunnel may take to come back. */
export const TUNNEL_PATIENCE_MS = 10_000;

/** A virtual cluster as the host knows it. */
export interface VirtualClusterAddress {
  readonly name: string;
  readonly namespace: string;
}

/** An open way into a virtual cluster; a port-forward that was needed for it ends when it is disposed of. */
export class Inside implements AsyncDisposable {
  readonly kubectl: Kubectl;
  readonly #tunnel: PortForward | undefined;

  private constructor(kubectl: Kubectl, tunnel: PortForward | undefined) {
    this.kubectl = kubectl;
    this.#tunnel = tunnel;
  }

  /** Whether this machine reaches the virtual cluster without a port-forward. */
  get direct(): boolean {
    return this.#tunnel === undefined;
  }

  /** Reads the kubeconfig from the host, writes it to `file` so that it works from here, and makes sure that it does. */
  static async open(host: Kubectl, address: VirtualClusterAddress, file: string): Promise<Inside> {
    const config = await kubeconfigOf(host, address);
    const service = await host.tryGet('service', address.name, address.namespace);
    await writeKubeconfig(file, config, `https://${String(service?.spec?.['clusterIP'])}`);
    const kubectl = new Kubectl(host.binary, file);
    if (await answers(kubectl)) return new Inside(kubectl, undefined);
    const tunnel = await host.portForward(address.namespace, address.name);
    await writeKubeconfig(file, config, `https://127.0.0.1:${tunnel.port}`);
    return new Inside(new Kubectl(host.binary, file, TUNNEL_PATIENCE_MS), tunnel);
  }

  /** Ends the port-forward, if any; the kubeconfig file stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#tunnel?.[Symbol.asyncDispose]();
  }
}

/** The kubeconfig in Secret `vc-<name>`, as text. */
export async function kubeconfigOf(host: Kubectl, { name, namespace }: VirtualClusterAddress): Promise<string> {
  const secret = await host.tryGet('secret', `vc-${name}`, namespace);
  const config = secret?.data?.['config'];
  if (config === undefined) {
    throw new Error(
      `The virtual cluster ${name} has no kubeconfig: Secret ${namespace}/vc-${name} or its key "config" is missing`,
    );
  }
  return Buffer.from(config, 'base64').toString();
}

/** Writes a kubeconfig for its owner's eyes only; with `server`, every cluster in it is reached there. */
export async function writeKubeconfig(file: string, config: string, server?: string): Promise<void> {
  const parsed: { clusters?: { cluster: { server: string } }[] } = parse(config);
  for (const { cluster } of parsed.clusters ?? []) if (server !== undefined) cluster.server = server;
  await mkdir(dirname(file), { recursive: true });
  // Made anew, because the mode of a file that is there already would stay as it is.
  await rm(file, { force: true });
  await writeFile(file, stringify(parsed), { mode: 0o600 });
}

async function answers(kubectl: Kubectl): Promise<boolean> {
  const { exitCode } = await kubectl.attempt(['get', '--raw', '/readyz', '--request-timeout=3s'], { timeoutMs: 5000 });
  return exitCode === 0;
}
