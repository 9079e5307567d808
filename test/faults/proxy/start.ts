/** Puts a chaos proxy before a control plane of the testbed, and tells a kubeconfig to go through it. */
import { readFile, writeFile } from 'node:fs/promises';
import type { Settings } from 'node:http2';
import { kubeconfigAccess } from '../../../syncer/cluster/access.ts';
import type { Side } from '../../../syncer/model/side.ts';
import type { ControlPlane } from '../../../testbed/index.ts';
import { issue } from '../../../testbed/pki.ts';
import { ChaosProxy } from './proxy.ts';
import type { Rule } from './rules.ts';

export interface ThroughOptions {
  /** From the syncer's first request on. */
  readonly rules?: readonly Rule[];
  readonly settings?: Settings;
}

/** Which sides the syncer reaches through a proxy. */
export type Through = Readonly<Partial<Record<Side, ThroughOptions>>>;

/** Of everything that a run leaves to chance. */
export const seed: number = Number(process.env['SEED'] ?? 20_261_123);

/** Before the start of whoever uses the kubeconfig: it names the proxy afterwards. */
export async function startProxy(
  plane: ControlPlane,
  side: Side,
  kubeconfigPath: string,
  { rules = [], settings = {} }: ThroughOptions,
): Promise<ChaosProxy> {
  const { pki } = plane;
  const leaf = { commonName: 'chaos-proxy', serves: ['127.0.0.1', 'localhost'] };
  const files = await issue(pki.dir, 'chaos-proxy', { cert: pki.caCert, key: pki.caKey }, leaf);
  const [cert, key] = await Promise.all([readFile(files.cert, 'utf8'), readFile(files.key, 'utf8')]);
  // Read before it is rewritten: the proxy itself goes to the real one, with what the syncer would have shown.
  const upstream = kubeconfigAccess(kubeconfigPath);
  const credentials = upstream.credentials();
  const proxy = await ChaosProxy.start({
    side,
    upstream: { url: upstream.url, ca: upstream.ca, credentials: () => credentials },
    serving: { cert, key },
    seed,
    settings,
  });
  for (const rule of rules) proxy.rules.add(rule);
  const text = await readFile(kubeconfigPath, 'utf8');
  await writeFile(kubeconfigPath, text.replaceAll(plane.url, proxy.url));
  process.stderr.write(`Chaos proxy before the ${side} API server: SEED=${seed}\n`);
  return proxy;
}
