/**
 * The one table of what the testbed runs: every program, its version, where its official release lies and which Go
 * module of this folder builds it when no release can be had.
 * Invariant: a version named here equals the one in the go.mod of the program's module, so both ways give the same thing.
 */

/** Versions that the testbed pins; the keys are also the names of the cache folders (`<component>-<version>`). */
export const versions = {
  kubernetes: '1.36.3',
  etcd: '3.6.8',
  helm: '3.22.0',
  kwok: '0.8.0',
  containerd: '2.4.2',
  coredns: '1.13.1',
  'local-path-provisioner': '0.0.30',
  pause: '3.10.1',
  terraform: '1.11.4',
  opentofu: '1.12.6',
} as const;

/** An official download: the file, the file that holds its SHA-256, and the member to take when it is an archive (tar.gz or zip). */
export interface Release {
  readonly url: string;
  readonly checksumUrl: string;
  readonly member?: string;
}

/** How `go build` makes a program: a folder of testbed/go and a package that its tools.go imports. */
export interface GoPackage {
  readonly module: 'kubernetes' | 'containerd' | 'coredns' | 'local-path' | 'pause' | 'terraform' | 'opentofu';
  readonly path: string;
  readonly setVersion?: readonly string[];
  readonly tags?: string;
  /** Runs on the machine itself, whatever its system is, and not on a node, which is Linux. */
  readonly anySystem?: true;
}

/** One program of the testbed. */
export interface Program {
  readonly component: keyof typeof versions;
  readonly version: string;
  /** Arguments that make the program print its version, for a look at what PATH has. Absent: PATH is not used. */
  readonly versionArgs?: readonly string[];
  readonly release?: Release;
  readonly go: GoPackage;
}

const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
const system = process.platform === 'win32' ? 'windows' : process.platform;

function kubernetes(name: string): Program {
  const url = `https://dl.k8s.io/release/v${versions.kubernetes}/bin/linux/${arch}/${name}`;
  const [major = '', minor = ''] = versions.kubernetes.split('.');
  const variable = 'k8s.io/component-base/version';
  return {
    component: 'kubernetes',
    version: versions.kubernetes,
    versionArgs: name === 'kubectl' ? ['version', '--client'] : ['--version'],
    release: { url, checksumUrl: `${url}.sha256` },
    go: {
      module: 'kubernetes',
      path: `k8s.io/kubernetes/cmd/${name}`,
      setVersion: [
        `${variable}.gitVersion=v${versions.kubernetes}`,
        `${variable}.gitMajor=${major}`,
        `${variable}.gitMinor=${minor}`,
        `${variable}.gitTreeState=clean`,
      ],
    },
  };
}

function containerd(name: string, versionArgs: readonly string[]): Program {
  const version = versions.containerd;
  const url = `https://github.com/containerd/containerd/releases/download/v${version}/containerd-static-${version}-linux-${arch}.tar.gz`;
  return {
    component: 'containerd',
    version,
    versionArgs,
    release: { url, checksumUrl: `${url}.sha256sum`, member: `bin/${name}` },
    go: {
      module: 'containerd',
      path: `github.com/containerd/containerd/v2/cmd/${name}`,
      setVersion: [`github.com/containerd/containerd/v2/version.Version=${version}`],
      tags: 'no_btrfs',
    },
  };
}

function etcd(): Program {
  const folder = `etcd-v${versions.etcd}-linux-${arch}`;
  const base = `https://github.com/etcd-io/etcd/releases/download/v${versions.etcd}`;
  return {
    component: 'etcd',
    version: versions.etcd,
    versionArgs: ['--version'],
    release: { url: `${base}/${folder}.tar.gz`, checksumUrl: `${base}/SHA256SUMS`, member: `${folder}/etcd` },
    go: { module: 'kubernetes', path: 'go.etcd.io/etcd/server/v3' },
  };
}

function helm(): Program {
  const url = `https://get.helm.sh/helm-v${versions.helm}-linux-${arch}.tar.gz`;
  return {
    component: 'helm',
    version: versions.helm,
    versionArgs: ['version', '--short'],
    release: { url, checksumUrl: `${url}.sha256sum`, member: `linux-${arch}/helm` },
    go: {
      module: 'kubernetes',
      path: 'helm.sh/helm/v3/cmd/helm',
      setVersion: [`helm.sh/helm/v3/internal/version.version=v${versions.helm}`],
    },
  };
}

function coredns(): Program {
  const url = `https://github.com/coredns/coredns/releases/download/v${versions.coredns}/coredns_${versions.coredns}_linux_${arch}.tgz`;
  return {
    component: 'coredns',
    version: versions.coredns,
    versionArgs: ['-version'],
    release: { url, checksumUrl: `${url}.sha256`, member: 'coredns' },
    go: { module: 'coredns', path: 'github.com/coredns/coredns' },
  };
}

/** Terraform and OpenTofu: both come as zip archives, and both call themselves a development build unless told not to. */
function terraform(): Program {
  const version = versions.terraform;
  const base = `https://releases.hashicorp.com/terraform/${version}/terraform_${version}`;
  return {
    component: 'terraform',
    version,
    versionArgs: ['version'],
    release: { url: `${base}_${system}_${arch}.zip`, checksumUrl: `${base}_SHA256SUMS`, member: 'terraform' },
    go: {
      module: 'terraform',
      path: 'github.com/hashicorp/terraform',
      setVersion: ['github.com/hashicorp/terraform/version.dev=no'],
      anySystem: true,
    },
  };
}

function tofu(): Program {
  const version = versions.opentofu;
  const base = `https://github.com/opentofu/opentofu/releases/download/v${version}/tofu_${version}`;
  return {
    component: 'opentofu',
    version,
    versionArgs: ['version'],
    release: { url: `${base}_${system}_${arch}.zip`, checksumUrl: `${base}_SHA256SUMS`, member: 'tofu' },
    go: {
      module: 'opentofu',
      path: 'github.com/opentofu/opentofu/cmd/tofu',
      setVersion: ['github.com/opentofu/opentofu/version.dev=no'],
      anySystem: true,
    },
  };
}

/** The name of one program of the table. */
export type ProgramName =
  | 'etcd'
  | 'kube-apiserver'
  | 'kube-controller-manager'
  | 'kube-scheduler'
  | 'kubelet'
  | 'kube-proxy'
  | 'kubectl'
  | 'helm'
  | 'kwok'
  | 'containerd'
  | 'containerd-shim-runc-v2'
  | 'ctr'
  | 'coredns'
  | 'local-path-provisioner'
  | 'pause'
  | 'terraform'
  | 'tofu';

/** Every program that the testbed can find, fetch or build. */
export const programs: Readonly<Record<ProgramName, Program>> = {
  etcd: etcd(),
  'kube-apiserver': kubernetes('kube-apiserver'),
  'kube-controller-manager': kubernetes('kube-controller-manager'),
  'kube-scheduler': kubernetes('kube-scheduler'),
  kubelet: kubernetes('kubelet'),
  'kube-proxy': kubernetes('kube-proxy'),
  kubectl: kubernetes('kubectl'),
  helm: helm(),
  kwok: {
    component: 'kwok',
    version: versions.kwok,
    versionArgs: ['--version'],
    go: { module: 'kubernetes', path: 'sigs.k8s.io/kwok/cmd/kwok' },
  },
  containerd: containerd('containerd', ['--version']),
  'containerd-shim-runc-v2': containerd('containerd-shim-runc-v2', ['-v']),
  ctr: containerd('ctr', ['--version']),
  coredns: coredns(),
  'local-path-provisioner': {
    component: 'local-path-provisioner',
    version: versions['local-path-provisioner'],
    go: { module: 'local-path', path: 'github.com/rancher/local-path-provisioner' },
  },
  pause: { component: 'pause', version: versions.pause, go: { module: 'pause', path: '.' } },
  terraform: terraform(),
  tofu: tofu(),
};
