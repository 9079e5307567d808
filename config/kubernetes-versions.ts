/**
 * Which Kubernetes versions a virtual cluster can run, and what a version that a user wrote means.
 *
 * The table is written by scripts/kubernetes-versions.ts. The chart reads the same rows (chart/files/kubernetes-versions.json),
 * so that `helm install` refuses what this refuses, in the same words.
 */
import table from './kubernetes-releases.json' with { type: 'json' };

/** Existing releases by minor version, oldest first. */
export type KubernetesReleases = Readonly<Record<string, readonly string[]>>;

export const kubernetesReleases: KubernetesReleases = table;

/** The release every test of this version of the project runs; its minor version alone means exactly this release. */
export const testedKubernetesVersion = '1.36.3';

/** Hosts older than this lack native sidecar containers, which order the start of the control plane. */
export const oldestHostMinor = 29;

export type ResolvedVersion = { readonly version: string } | { readonly problem: string };

/** The release each minor version alone stands for: the tested one, else the newest. */
export function defaultReleases(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(kubernetesReleases).map(([minor, patches]) => [
      minor,
      patches.includes(testedKubernetesVersion) ? testedKubernetesVersion : (patches.at(-1) ?? minor),
    ]),
  );
}

/** Turns "1.36", "1.36.3" or "v1.36.3" into an existing release, or says what to write instead. */
export function resolveKubernetesVersion(text: string): ResolvedVersion {
  const wanted = text.replace(/^v/, '');
  const release = defaultReleases()[wanted];
  if (release !== undefined) return { version: release };
  const minor = wanted.split('.').slice(0, 2).join('.');
  const patches = kubernetesReleases[minor];
  if (patches?.includes(wanted)) return { version: wanted };
  const path = 'controlPlane.distro.k8s.version';
  if (!patches) {
    const minors = Object.keys(kubernetesReleases).join(', ');
    return { problem: `${path}: Kubernetes ${wanted} is not supported. Supported are ${minors}; write one of them.` };
  }
  return {
    problem:
      `${path}: Kubernetes ${wanted} does not exist. ` +
      `Write "${minor}", or one of its releases ${patches[0]} to ${patches.at(-1)}.`,
  };
}
