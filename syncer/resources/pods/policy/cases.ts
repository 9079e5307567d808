/**
 * Pods for the tests of the policy, each with the strictest level that admits it. The pure test compares this program with the
 * table; test/pod-policy.kube.test.ts compares the table with a real API server.
 */
import type { Container, PodSpec } from '../../../model/kubernetes.ts';
import type { SecurityLevel } from '../../../model/pod-rules.ts';
import { hostsWriterName, withHostsFile } from '../hosts.ts';
import { podOf, ruled } from '../fixtures.ts';

export interface PolicyCase {
  readonly about: string;
  /** The check that the pod fails at the next stricter level; empty for none. */
  readonly check: string;
  readonly meets: SecurityLevel;
  readonly spec: PodSpec;
  /** Newer API servers refuse it before any policy sees it. */
  readonly isInvalid?: boolean;
}

type Context = Readonly<Record<string, unknown>>;

const restrictedContext: Context = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ['ALL'] },
  runAsNonRoot: true,
  seccompProfile: { type: 'RuntimeDefault' },
};

/** A pod that meets `restricted`, with changes. */
function pod(changes: Partial<PodSpec>): PodSpec {
  return { containers: [container({})], ...changes };
}

function container(securityContext: Context, changes: Partial<Container> = {}): Container {
  return { name: 'app', image: 'app:1', securityContext: { ...restrictedContext, ...securityContext }, ...changes };
}

const inContainer = (securityContext: Context): PodSpec => pod({ containers: [container(securityContext)] });
const inInit = (securityContext: Context): PodSpec =>
  pod({ initContainers: [container(securityContext, { name: 'init' })] });
const inPod = (securityContext: Context): PodSpec => pod({ securityContext });
const volume = (source: object): PodSpec => pod({ volumes: [{ name: 'v', ...source }] });

function windows(): PodSpec {
  const spec = { os: { name: 'windows' }, securityContext: { runAsNonRoot: true } };
  return { ...spec, containers: [{ name: 'app', image: 'app:1' }] };
}

/** As the hosts file's own init container is added to a pod of the tenant. */
function withHosts(): PodSpec {
  const resources = { requests: undefined, limits: undefined };
  const release = ruled({ hostsWriter: { image: 'syncer:1', pullPolicy: 'Always', pullSecrets: [], resources } });
  return withHostsFile(pod({ securityContext: { runAsUser: 1 } }), podOf({ subdomain: 'web' }), release);
}

const row =
  (meets: SecurityLevel) =>
  (check: string, about: string, spec: PodSpec): PolicyCase => ({ meets, check, about, spec });
const privileged = row('privileged');
const baseline = row('baseline');
const restricted = row('restricted');

export const policyCases: readonly PolicyCase[] = [
  restricted('', 'nothing special', pod({})),
  restricted('', `the init container ${hostsWriterName}`, withHosts()),
  restricted('', 'settings that the pod makes for its containers', {
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost', localhostProfile: 'x.json' } },
    containers: [
      {
        name: 'app',
        image: 'app:1',
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
      },
    ],
  }),
  privileged('hostNamespaces', 'network of the node', pod({ hostNetwork: true })),
  privileged('hostNamespaces', 'processes of the node', pod({ hostPID: true })),
  privileged('hostNamespaces', 'memory of the node', pod({ hostIPC: true })),
  privileged('privileged', 'a privileged container', inContainer({ privileged: true, allowPrivilegeEscalation: true })),
  privileged('privileged', 'a privileged init container', inInit({ privileged: true, allowPrivilegeEscalation: true })),
  privileged('capabilities', 'SYS_ADMIN', inContainer({ capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } })),
  privileged('capabilities', 'all capabilities', inContainer({ capabilities: { add: ['ALL'] } })),
  baseline('restrictedCapabilities', 'CHOWN', inContainer({ capabilities: { drop: ['ALL'], add: ['CHOWN'] } })),
  baseline('restrictedCapabilities', 'nothing dropped', inContainer({ capabilities: { drop: ['CHOWN'] } })),
  baseline('restrictedCapabilities', 'nothing dropped in an init container', inInit({ capabilities: undefined })),
  restricted('', 'a low port', inContainer({ capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } })),
  privileged('hostPathVolumes', 'a path of the node', volume({ hostPath: { path: '/var/log' } })),
  baseline('restrictedVolumes', 'a network file system', volume({ nfs: { server: 's', path: '/' } })),
  restricted('', 'an inline CSI volume', volume({ csi: { driver: 'csi.example' } })),
  restricted('', 'a volume from an image', volume({ image: { reference: 'data:1' } })),
  privileged(
    'hostPorts',
    'a port of the node',
    pod({ containers: [container({}, { ports: [{ containerPort: 80, hostPort: 80 }] })] }),
  ),
  restricted('', 'a port of its own', pod({ containers: [container({}, { ports: [{ containerPort: 80 }] })] })),
  privileged(
    'hostProbesAndHostLifecycle',
    'a probe of another address',
    pod({ containers: [container({}, { livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } })] }),
  ),
  privileged(
    'hostProbesAndHostLifecycle',
    'a hook to another address',
    pod({ containers: [container({}, { lifecycle: { preStop: { httpGet: { host: 'localhost', port: 80 } } } })] }),
  ),
  restricted(
    '',
    'a probe of itself',
    pod({ containers: [container({}, { readinessProbe: { tcpSocket: { port: 80 } } })] }),
  ),
  privileged('appArmorProfile', 'no AppArmor for the pod', inPod({ appArmorProfile: { type: 'Unconfined' } })),
  privileged(
    'appArmorProfile',
    'no AppArmor for a container',
    inContainer({ appArmorProfile: { type: 'Unconfined' } }),
  ),
  restricted('', 'an AppArmor profile', inContainer({ appArmorProfile: { type: 'RuntimeDefault' } })),
  privileged('seLinuxOptions', 'another SELinux type', inPod({ seLinuxOptions: { type: 'spc_t' } })),
  privileged('seLinuxOptions', 'an SELinux user', inContainer({ seLinuxOptions: { user: 'sysadm_u' } })),
  privileged('seLinuxOptions', 'an SELinux role', inInit({ seLinuxOptions: { role: 'sysadm_r' } })),
  restricted(
    '',
    'a container type and a level',
    inPod({ seLinuxOptions: { type: 'container_engine_t', level: 's0:c1' } }),
  ),
  { ...privileged('procMount', 'unmasked /proc', inContainer({ procMount: 'Unmasked' })), isInvalid: true },
  baseline('restrictedProcMount', 'unmasked /proc of users of its own', {
    ...inContainer({ procMount: 'Unmasked', allowPrivilegeEscalation: false }),
    hostUsers: false,
  }),
  privileged('seccompProfile', 'no seccomp for the pod', inPod({ seccompProfile: { type: 'Unconfined' } })),
  privileged('seccompProfile', 'no seccomp for a container', inContainer({ seccompProfile: { type: 'Unconfined' } })),
  baseline('restrictedSeccompProfile', 'seccomp not asked for', inContainer({ seccompProfile: undefined })),
  privileged('sysctls', 'an unsafe kernel parameter', inPod({ sysctls: [{ name: 'kernel.msgmax', value: '1' }] })),
  restricted('', 'a safe kernel parameter', inPod({ sysctls: [{ name: 'net.ipv4.tcp_rmem', value: '1 2 3' }] })),
  privileged('windowsHostProcess', 'a process of a Windows node', {
    ...windows(),
    hostNetwork: true,
    securityContext: { windowsOptions: { hostProcess: true } },
  }),
  restricted('', 'Windows, where less can be asked for', windows()),
  baseline('allowPrivilegeEscalation', 'more rights than its parent', inContainer({ allowPrivilegeEscalation: true })),
  baseline('allowPrivilegeEscalation', 'nothing said', inContainer({ allowPrivilegeEscalation: undefined })),
  baseline('runAsNonRoot', 'root not excluded', inContainer({ runAsNonRoot: undefined })),
  baseline('runAsNonRoot', 'root allowed by a container', inContainer({ runAsNonRoot: false })),
  baseline('runAsNonRoot', 'root allowed by the pod', inPod({ runAsNonRoot: false })),
  baseline('runAsUser', 'root by the pod', inPod({ runAsUser: 0 })),
  baseline('runAsUser', 'root by a container', inContainer({ runAsUser: 0 })),
  restricted('', 'root of users of its own', {
    ...inContainer({ runAsUser: 0, runAsNonRoot: false }),
    hostUsers: false,
  }),
];
