/**
 * Configuration files of the node's programs: pure functions. Everything a program would by default put into a folder
 * of the machine is put below the testbed's own folders instead.
 */
import { join } from 'node:path';
import { podCgroup } from './cgroups.ts';
import { imageNames } from './images.ts';
import { addresses, interfaces } from './machine.ts';
import { runDir } from './paths.ts';

/** The socket of the node's containerd. */
export const containerdSocket: string = join(runDir, 'containerd.sock');

/** The name of the one real node. */
export const nodeName = 'node-1';

/** containerd: CRI with runc on overlayfs, no socket and no folder of its own outside `dir`. */
export function containerdConfig(dir: string): string {
  return `version = 3
root = "${dir}/containerd"
state = "${runDir}/containerd"
[grpc]
  address = "${containerdSocket}"
[ttrpc]
  address = "${containerdSocket}.ttrpc"
[plugins.'io.containerd.internal.v1.opt']
  path = "${dir}/containerd-opt"
[plugins.'io.containerd.nri.v1.nri']
  disable = true
[plugins.'io.containerd.cri.v1.images']
  snapshotter = "overlayfs"
  [plugins.'io.containerd.cri.v1.images'.pinned_images]
    sandbox = "${imageNames.pause}"
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins.'io.containerd.cri.v1.runtime'.cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "${dir}/cni"
  [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
      SystemdCgroup = false
`;
}

/** The pod network: one bridge, masquerading towards the outside. */
export function cniConfig(dir: string): unknown {
  const ranges = [[{ subnet: addresses.pods }]];
  const ipam = { type: 'host-local', ranges, routes: [{ dst: '0.0.0.0/0' }], dataDir: `${dir}/cni-addresses` };
  const bridge = { type: 'bridge', bridge: interfaces.pods, isGateway: true, ipMasq: true, hairpinMode: true, ipam };
  const portmap = { type: 'portmap', capabilities: { portMappings: true } };
  return { cniVersion: '1.0.0', name: interfaces.pods, plugins: [bridge, portmap] };
}

/** The kubelet, for machines with cgroup v1 or v2, with or without swap. */
export function kubeletConfig(dir: string, clientCa: string): unknown {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    authentication: { anonymous: { enabled: false }, webhook: { enabled: true }, x509: { clientCAFile: clientCa } },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: podCgroup,
    failCgroupV1: false,
    failSwapOn: false,
    containerRuntimeEndpoint: `unix://${containerdSocket}`,
    clusterDNS: [addresses.dns],
    clusterDomain: 'cluster.local',
    evictionHard: {},
    localStorageCapacityIsolation: false,
    imageGCHighThresholdPercent: 100,
    imageGCLowThresholdPercent: 99,
    protectKernelDefaults: false,
    podLogsDir: `${dir}/pod-logs`,
    volumePluginDir: `${dir}/volume-plugins`,
    resolvConf: '/etc/resolv.conf',
    maxPods: 250,
    // The defaults (5 and 10 a second) make a burst of pods wait for its own images and events.
    registryPullQPS: 0,
    eventRecordQPS: 0,
    nodeStatusUpdateFrequency: '10s',
  };
}

/** kube-proxy in iptables mode; it leaves the machine's conntrack limits alone. */
export function kubeProxyConfig(kubeconfig: string): unknown {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    mode: 'iptables',
    clientConnection: { kubeconfig },
    hostnameOverride: nodeName,
    clusterCIDR: addresses.allPods,
    healthzBindAddress: '127.0.0.1:10256',
    metricsBindAddress: '127.0.0.1:10249',
    conntrack: { maxPerCore: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
  };
}
