/** A virtual cluster on the real node, put there by Helm as a user does it, for tests that need one and do not care how it came. */
import { join } from 'node:path';
import { findHost, provideImage } from '../../scripts/lib/host.ts';
import { run } from '../../scripts/lib/command.ts';
import type { Kubectl } from '../../scripts/lib/kubectl.ts';
import { root } from '../../scripts/lib/stack.ts';
import { resolveBinary } from '../../testbed/index.ts';

export interface InstalledCluster extends AsyncDisposable {
  /** The host. */
  readonly kubectl: Kubectl;
  readonly ref: { readonly name: string; readonly namespace: string };
}

/** Installs it into a namespace of its own name and waits until it is ready; disposing removes the namespace. */
export async function installCluster(name: string, helmArgs: readonly string[] = []): Promise<InstalledCluster> {
  const kubectl = await nodeHost();
  const helm = await resolveBinary('helm', log);
  const target = ['-n', name, '--create-namespace', '--kubeconfig', kubectl.kubeconfig];
  await run(helm, ['upgrade', '--install', name, join(root, 'chart'), ...target, '--wait', ...helmArgs]);
  return {
    kubectl,
    ref: { name, namespace: name },
    [Symbol.asyncDispose]: async () => {
      await kubectl.run(['delete', 'namespace', name, '--ignore-not-found', '--wait=false']);
    },
  };
}

/** The host with the syncer's image on its node. */
export async function nodeHost(): Promise<Kubectl> {
  const host = await findHost(process.env['KUBECTL'] ?? (await resolveBinary('kubectl', log)), log);
  await provideImage(host, log);
  return host.kubectl;
}

function log(line: string): void {
  process.stderr.write(`${line}\n`);
}
