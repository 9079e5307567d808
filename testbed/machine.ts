/**
 * What the node level changes on the machine outside its own folders: kernel settings, iptables, network interfaces,
 * folders that programs insist on. How it was before is noted in a file before anything is changed, so that `down`
 * puts it back even when another process, or a crashed one, made the changes.
 */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from './exists.ts';
import { command, tryCommand } from './command.ts';
import { chainsOf, ruleComment, withoutTestbed } from './iptables-rules.ts';
import { tryReadJson, writeJson } from './json-file.ts';
import { stateDir } from './paths.ts';

/** Addresses of the node level. The node's own is of a range kept for documentation, so it collides with nothing. */
export const addresses = {
  node: '203.0.113.1',
  pods: '10.244.0.0/24',
  allPods: '10.244.0.0/16',
  services: '10.96.0.0/16',
  dns: '10.96.0.10',
} as const;

/** Interfaces that the testbed makes; a bridge without ports serves as the node's own address. */
export const interfaces = { node: 'vct-node', pods: 'vct-pods' } as const;

const noteFile = join(stateDir, 'machine.json');
const families = ['iptables', 'ip6tables'] as const;
const foreignDirs = [
  '/run/containerd',
  '/opt/containerd',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/run/nri',
  '/run/netns',
];
// Forwarding for pods; the others are what the kubelet, kube-proxy and the CNI plugins set.
const settings = [
  'net/ipv4/ip_forward',
  'net/ipv4/conf/all/route_localnet',
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

interface Note {
  readonly settings: Readonly<Record<string, string>>;
  readonly chains: Readonly<Record<string, readonly string[]>>;
  readonly missingDirs: readonly string[];
}

/** Notes how the machine is, then gives the node its address and keeps cluster traffic on the machine. */
export async function prepareMachine(): Promise<void> {
  await refuseForeignNode();
  await mkdir(dirname(noteFile), { recursive: true });
  await writeJson(noteFile, await takeNote());
  // Built in on many kernels; where they are modules nobody else may have loaded them.
  for (const module of ['overlay', 'br_netfilter', 'nf_conntrack']) await tryCommand('modprobe', [module]);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  await command('ip', ['link', 'add', interfaces.node, 'type', 'bridge']);
  await command('ip', ['address', 'add', `${addresses.node}/32`, 'dev', interfaces.node]);
  await command('ip', ['link', 'set', interfaces.node, 'up']);
  await letPodsThrough();
  for (const device of await defaultDevices()) await keepOnMachine(device);
}

/** Puts the machine back as it was; everything that uses the network must have ended. */
export async function restoreMachine(): Promise<void> {
  await removeInterfaces();
  const note = await tryReadJson<Note>(noteFile);
  if (note === undefined) return;
  for (const family of families) await removeRules(family, note.chains[family] ?? []);
  for (const range of [addresses.allPods, addresses.services]) {
    for (const direction of ['-s', '-d']) await tryCommand('conntrack', ['-D', direction, range]);
  }
  for (const [name, value] of Object.entries(note.settings)) await writeFile(`/proc/sys/${name}`, value);
  for (const dir of note.missingDirs) await rm(dir, { recursive: true, force: true });
  await rm(noteFile, { force: true });
}

async function takeNote(): Promise<Note> {
  const chains: Record<string, readonly string[]> = {};
  for (const family of families) chains[family] = chainsOf(await command(`${family}-save`, []));
  const noted: Record<string, string> = {};
  for (const name of settings) noted[name] = (await readFile(`/proc/sys/${name}`, 'utf8')).trim();
  const missingDirs: string[] = [];
  for (const dir of foreignDirs) if (!(await exists(dir))) missingDirs.push(dir);
  return { settings: noted, chains, missingDirs };
}

async function refuseForeignNode(): Promise<void> {
  const chains = chainsOf(await command('iptables-save', []));
  if (!chains.includes('nat/KUBE-SERVICES')) return;
  throw new Error(
    'This machine is already a Kubernetes node (iptables has the chain KUBE-SERVICES), and a second one would fight it ' +
      'over rules. Use that cluster instead: HOST_KUBECONFIG=/path/to/kubeconfig npm run testbed -- up',
  );
}

// Where something else (docker, a firewall) drops what it does not know, pods would reach nothing.
async function letPodsThrough(): Promise<void> {
  for (const direction of ['-i', '-o']) {
    const rule = [direction, interfaces.pods, '-m', 'comment', '--comment', ruleComment, '-j', 'ACCEPT'];
    await command('iptables', ['-w', '-I', 'FORWARD', ...rule]);
  }
}

// A service or pod address that nobody serves must not leave the machine: where the default route leads to something
// that accepts every connection, "must not be reachable" could never be seen.
async function keepOnMachine(device: string): Promise<void> {
  for (const chain of ['FORWARD', 'OUTPUT']) {
    for (const range of [addresses.services, addresses.allPods]) {
      const rule = [...dialled(chain, range), '-o', device, '-m', 'comment', '--comment', ruleComment, '-j', 'REJECT'];
      await command('iptables', ['-w', '-I', chain, ...rule]);
    }
  }
}

/**
 * A pod's address counts when this machine asked for it: that of a served cluster IP has become one by then, while the device
 * is still the one of the cluster IP's route.
 */
function dialled(chain: string, range: string): readonly string[] {
  return chain === 'OUTPUT' && range === addresses.allPods ? ['-m', 'conntrack', '--ctorigdst', range] : ['-d', range];
}

async function defaultDevices(): Promise<readonly string[]> {
  const routes = (await command('ip', ['route', 'show', 'default'])).split('\n');
  return [...new Set(routes.flatMap((route) => / dev (\S+)/.exec(route)?.[1] ?? []))];
}

async function removeRules(family: (typeof families)[number], chainsBefore: readonly string[]): Promise<void> {
  const kept = withoutTestbed(await command(`${family}-save`, ['-c']), chainsBefore);
  if (kept !== undefined) await command(`${family}-restore`, ['-w', '-c'], kept);
}

async function removeInterfaces(): Promise<void> {
  const ports = await command('ip', ['-o', 'link', 'show', 'master', interfaces.pods]).catch(() => '');
  for (const name of portNames(ports)) await tryCommand('ip', ['link', 'delete', name]);
  for (const name of Object.values(interfaces)) await tryCommand('ip', ['link', 'delete', name]);
}

/** Interface names out of `ip -o link`, whose second field is `name@peer:`. */
export function portNames(output: string): readonly string[] {
  return output.split('\n').flatMap((line) => /^\d+: ([^:@\s]+)/.exec(line)?.[1] ?? []);
}
