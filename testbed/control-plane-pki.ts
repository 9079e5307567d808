/**
 * The PKI and the kubeconfigs of one control plane of the testbed.
 * The front-proxy authority is apart from the client one: with one for both, any client could claim to be anybody.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PkiPaths } from './control-plane-flags.ts';
import { createAuthority, createServiceAccountKey, issue, kubeconfig, type KeyPair, type Leaf } from './pki.ts';

const domain = 'cluster.local';

/** Makes every key and certificate of a control plane. */
export async function createControlPlanePki(
  dir: string,
  { bindAddress, serviceCidr }: { readonly bindAddress: string; readonly serviceCidr: string },
): Promise<PkiPaths> {
  await mkdir(dir, { recursive: true });
  const [ca, frontCa, serviceAccount] = await Promise.all([
    createAuthority(dir, 'ca'),
    createAuthority(dir, 'front-proxy-ca'),
    createServiceAccountKey(dir),
  ]);
  const [serving, admin, kubeletClient, front] = await Promise.all([
    issue(dir, 'serving', ca, { commonName: 'kube-apiserver', serves: servingNames(bindAddress, serviceCidr) }),
    issue(dir, 'admin', ca, { commonName: 'testbed-admin', organization: 'system:masters' }),
    issue(dir, 'kubelet-client', ca, { commonName: 'kube-apiserver-kubelet-client', organization: 'system:masters' }),
    issue(dir, 'front-proxy-client', frontCa, { commonName: 'front-proxy-client' }),
  ]);
  return {
    dir,
    caCert: ca.cert,
    caKey: ca.key,
    servingCert: serving.cert,
    servingKey: serving.key,
    adminCert: admin.cert,
    adminKey: admin.key,
    kubeletClientCert: kubeletClient.cert,
    kubeletClientKey: kubeletClient.key,
    frontProxyCaCert: frontCa.cert,
    frontProxyCert: front.cert,
    frontProxyKey: front.key,
    serviceAccountKey: serviceAccount.key,
    serviceAccountPub: serviceAccount.pub,
  };
}

/** Writes the admin's kubeconfig and those of controller manager and scheduler; returns the paths of the latter. */
export async function writeComponentKubeconfigs(
  dir: string,
  server: string,
  pki: PkiPaths,
): Promise<{ readonly kcm: string; readonly scheduler: string }> {
  await writeKubeconfig(join(dir, 'admin.kubeconfig'), server, pki.caCert, { cert: pki.adminCert, key: pki.adminKey });
  const [kcm, scheduler] = await Promise.all([
    issueKubeconfig(dir, 'kube-controller-manager', {
      server,
      pki,
      leaf: { commonName: 'system:kube-controller-manager' },
    }),
    issueKubeconfig(dir, 'kube-scheduler', { server, pki, leaf: { commonName: 'system:kube-scheduler' } }),
  ]);
  return { kcm, scheduler };
}

/** Issues a client certificate and writes `<dir>/<name>.kubeconfig` with it; returns the path. */
export async function issueKubeconfig(
  dir: string,
  name: string,
  { server, pki, leaf }: { readonly server: string; readonly pki: PkiPaths; readonly leaf: Leaf },
): Promise<string> {
  const client = await issue(pki.dir, name, { cert: pki.caCert, key: pki.caKey }, leaf);
  const path = join(dir, `${name}.kubeconfig`);
  await writeKubeconfig(path, server, pki.caCert, client);
  return path;
}

async function writeKubeconfig(path: string, server: string, authority: string, client: KeyPair): Promise<void> {
  await writeFile(path, await kubeconfig(server, authority, client), { mode: 0o600 });
}

function servingNames(bindAddress: string, serviceCidr: string): readonly string[] {
  const names = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${domain}`,
    'localhost',
  ];
  return [...new Set([...names, '127.0.0.1', bindAddress, ...serviceCidr.split(',').map(firstAddress)])];
}

/** The address that default/kubernetes gets: the first of an IPv4 service range (an IPv6 one must end in `::`). */
export function firstAddress(cidr: string): string {
  const [base = ''] = cidr.split('/');
  if (base.includes(':')) return `${base}1`;
  const octets = base.split('.').map(Number);
  return [...octets.slice(0, 3), (octets[3] ?? 0) + 1].join('.');
}
