/**
 * The command lines of one control plane: pure functions from what is known about it to flags.
 * Host and virtual control planes differ only here: a host one is reached by its own pods (endpoint reconciler on) and
 * schedules; a virtual one leaves nodes, volumes and endpoints of its API server to the syncer.
 */

/** Files of one control plane's PKI. */
export interface PkiPaths {
  readonly dir: string;
  readonly caCert: string;
  readonly caKey: string;
  readonly servingCert: string;
  readonly servingKey: string;
  readonly adminCert: string;
  readonly adminKey: string;
  readonly kubeletClientCert: string;
  readonly kubeletClientKey: string;
  readonly frontProxyCaCert: string;
  readonly frontProxyCert: string;
  readonly frontProxyKey: string;
  readonly serviceAccountKey: string;
  readonly serviceAccountPub: string;
}

/** Everything that flags are made of. */
export interface ControlPlaneFacts {
  readonly dir: string;
  readonly role: 'host' | 'virtual';
  readonly serviceCidr: string;
  readonly bindAddress: string;
  readonly ports: {
    readonly api: number;
    readonly etcd: number;
    readonly etcdPeer: number;
    readonly kcm: number;
    readonly scheduler: number;
  };
  readonly pki: PkiPaths;
  /** Where a component's own kubeconfig lies. */
  readonly kubeconfigs: { readonly kcm: string; readonly scheduler: string };
  readonly egressConfig?: string | undefined;
  readonly apiServerArgs: readonly string[];
  /** For controller manager and scheduler alike. */
  readonly clientArgs?: readonly string[];
}

/** Controllers that a virtual control plane must not run [NODE-40], [PVC-13]. */
export const virtualControllers: string =
  '*,-nodeipam,-nodelifecycle,-persistentvolume-binder,-attachdetach,-persistentvolume-expander,-cloud-node-lifecycle,-ttl';

/** etcd: on loopback only, without fsync, because nothing here outlives the machine. */
export function etcdFlags({ dir, ports }: ControlPlaneFacts): readonly string[] {
  const client = `http://127.0.0.1:${ports.etcd}`;
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return [
    `--data-dir=${dir}/etcd-data`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
  ];
}

/** kube-apiserver. */
export function apiServerFlags(facts: ControlPlaneFacts): readonly string[] {
  const { pki, ports, bindAddress, egressConfig } = facts;
  return [
    `--secure-port=${ports.api}`,
    `--bind-address=${bindAddress}`,
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--client-ca-file=${pki.caCert}`,
    `--tls-cert-file=${pki.servingCert}`,
    `--tls-private-key-file=${pki.servingKey}`,
    `--service-account-key-file=${pki.serviceAccountPub}`,
    `--service-account-signing-key-file=${pki.serviceAccountKey}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-cluster-ip-range=${facts.serviceCidr}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged',
    '--profiling=false',
    `--kubelet-client-certificate=${pki.kubeletClientCert}`,
    `--kubelet-client-key=${pki.kubeletClientKey}`,
    ...aggregationFlags(pki),
    ...roleFlags(facts),
    ...(egressConfig === undefined ? [] : [`--egress-selector-config-file=${egressConfig}`]),
    ...facts.apiServerArgs,
  ];
}

/** kube-controller-manager; leader election is off, there is one of each. */
export function controllerManagerFlags(facts: ControlPlaneFacts): readonly string[] {
  const { pki, role } = facts;
  return [
    ...componentFlags(facts.kubeconfigs.kcm, facts.ports.kcm),
    '--use-service-account-credentials',
    `--service-account-private-key-file=${pki.serviceAccountKey}`,
    `--root-ca-file=${pki.caCert}`,
    `--cluster-signing-cert-file=${pki.caCert}`,
    `--cluster-signing-key-file=${pki.caKey}`,
    `--controllers=${role === 'virtual' ? virtualControllers : '*'}`,
    // A node that a test plays has no heart that beats; after 50 s of that it would be taken for lost.
    ...(role === 'host' && isLoopback(facts) ? ['--node-monitor-grace-period=24h'] : []),
    // It makes an account for each of its controllers before any starts: at its default rate that takes 4 s.
    '--kube-api-qps=200',
    '--kube-api-burst=400',
    ...(facts.clientArgs ?? []),
  ];
}

/** kube-scheduler. */
export function schedulerFlags(facts: ControlPlaneFacts): readonly string[] {
  return [...componentFlags(facts.kubeconfigs.scheduler, facts.ports.scheduler), ...(facts.clientArgs ?? [])];
}

function componentFlags(kubeconfig: string, port: number): readonly string[] {
  return [
    `--kubeconfig=${kubeconfig}`,
    `--authentication-kubeconfig=${kubeconfig}`,
    `--authorization-kubeconfig=${kubeconfig}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    `--secure-port=${port}`,
  ];
}

function aggregationFlags(pki: PkiPaths): readonly string[] {
  return [
    `--requestheader-client-ca-file=${pki.frontProxyCaCert}`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    `--proxy-client-cert-file=${pki.frontProxyCert}`,
    `--proxy-client-key-file=${pki.frontProxyKey}`,
  ];
}

/** Nothing but this machine can reach it, so its nodes are no real ones. */
function isLoopback({ bindAddress }: ControlPlaneFacts): boolean {
  return bindAddress.startsWith('127.');
}

function roleFlags(facts: ControlPlaneFacts): readonly string[] {
  const { role, bindAddress } = facts;
  if (role === 'virtual') {
    return [
      '--endpoint-reconciler-type=none',
      '--kubelet-preferred-address-types=InternalIP,Hostname',
      // Whether a claim may grow depends on its class, which only the host knows [PVC-06].
      '--disable-admission-plugins=PersistentVolumeClaimResize',
    ];
  }
  // A loopback address is refused as an endpoint.
  const reconciler = isLoopback(facts) ? ['--endpoint-reconciler-type=none'] : [`--advertise-address=${bindAddress}`];
  return [...reconciler, '--kubelet-preferred-address-types=InternalIP'];
}
