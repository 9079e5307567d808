/**
 * Secret `vc-<name>`: the tenant admin's kubeconfig, for people, Terraform and pods of the host (design decision D7). Written once
 * the virtual API server answers, so that whoever waits for it can use it; written again before its certificate ends.
 */
import { X509Certificate } from 'node:crypto';
import type { Cluster } from '../model/cluster.ts';
import { secrets } from '../model/kubernetes.ts';
import type { Secret } from '../model/kubernetes.ts';
import type { Release } from '../model/view.ts';
import type { CertifiedKey } from '../pki/certificates.ts';
import { issueAdminKubeconfig } from '../pki/kubeconfig.ts';
import { serviceOwner } from '../translate/metadata.ts';

/** A certificate is replaced when less than this is left of its year. */
const renewBeforeMs = 60 * 24 * 3_600_000;

/** Makes sure that the Secret is there and will work for a while. */
export async function writeKubeconfigSecret(host: Cluster, release: Release, authority: CertifiedKey): Promise<void> {
  const key = { namespace: release.namespace, name: `vc-${release.name}` };
  const present = await host.get(secrets, key);
  if (present !== undefined && stillGood(present, authority.certificate)) return;
  const texts = await issueAdminKubeconfig({ name: release.name, namespace: release.namespace, authority });
  const data = Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  const metadata = {
    ...key,
    ownerReferences: [serviceOwner(release)],
    labels: { app: 'vcluster', release: release.name },
  };
  const secret: Secret = { metadata, type: 'Opaque', data };
  if (present === undefined) await host.create(secrets, secret);
  else await host.patch(secrets, key, { data });
}

function stillGood(secret: Secret, authority: string, now: number = Date.now()): boolean {
  const text = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  try {
    const certificate = new X509Certificate(text('client-certificate'));
    const lastsLong = certificate.validToDate.getTime() - now > renewBeforeMs;
    return lastsLong && text('config') !== '' && certificate.verify(new X509Certificate(authority).publicKey);
  } catch {
    return false;
  }
}
