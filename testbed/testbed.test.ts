/** The testbed's own logic, as far as it needs no machine: what is parsed, decided and composed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { upstreamServers } from './addons.ts';
import { pathOf } from './api.ts';
import { environmentName, mentionsVersion } from './binaries.ts';
import { parseMounts } from './cgroups.ts';
import { apiServerFlags, type ControlPlaneFacts, controllerManagerFlags } from './control-plane-flags.ts';
import { firstAddress } from './control-plane-pki.ts';
import { parseChecksum } from './download.ts';
import { goArgs } from './go-build.ts';
import { describeImage } from './image-archive.ts';
import { chainsOf, withoutTestbed } from './iptables-rules.ts';
import { portNames } from './machine.ts';
import { programs, versions } from './pins.ts';
import { extensionsOf } from './pki.ts';
import { isFree, tryClaim } from './ports.ts';
import { hasEnded, parseStat } from './process-identity.ts';
import { lastLines } from './processes.ts';

const digest = 'a'.repeat(64);
const other = 'b'.repeat(64);

describe('programs', () => {
  test('environmentName() is the name in capitals', () => {
    expect(environmentName('kube-apiserver')).toBe('KUBE_APISERVER');
  });

  test('mentionsVersion() takes exactly the version', () => {
    expect(mentionsVersion('Kubernetes v1.36.3', '1.36.3')).toBe(true);
    expect(mentionsVersion('containerd github.com/containerd/containerd/v2 2.4.2 \n', '2.4.2')).toBe(true);
    expect(mentionsVersion('Kubernetes v1.36.30', '1.36.3')).toBe(false);
    expect(mentionsVersion('Kubernetes v11.36.3', '1.36.3')).toBe(false);
    expect(mentionsVersion('Client Version: v1.32.4-dispatcher', '1.36.3')).toBe(false);
  });

  test('a release is named with the version of its program', () => {
    const named = Object.values(programs).filter(({ release, version }) => release?.url.includes(version) ?? true);
    expect(named).toEqual(Object.values(programs));
  });

  test('goArgs() stamps the pinned version into Kubernetes', () => {
    expect(goArgs(programs.kubelet, '/out').join(' ')).toContain(`version.gitVersion=v${versions.kubernetes}`);
  });

  test('parseChecksum() reads a bare digest and a list, and never another file’s digest', () => {
    expect(parseChecksum(`${digest}\n`, 'kubelet')).toBe(digest);
    expect(parseChecksum(`${other}  a.zip\n${digest}  etcd.tar.gz\n`, 'etcd.tar.gz')).toBe(digest);
    expect(parseChecksum(`${other} *helm.tar.gz\n`, 'helm.tar.gz')).toBe(other);
    expect(parseChecksum(`${other}  a.zip\n`, 'etcd.tar.gz')).toBeUndefined();
    expect(parseChecksum('<html>not found</html>', 'etcd.tar.gz')).toBeUndefined();
  });
});

describe('control plane flags', () => {
  const path = '/x';
  const facts: ControlPlaneFacts = {
    dir: path,
    role: 'virtual',
    serviceCidr: '10.96.0.0/16',
    bindAddress: '127.0.0.1',
    ports: { api: 1, etcd: 2, etcdPeer: 3, kcm: 4, scheduler: 5 },
    pki: {
      dir: path,
      caCert: path,
      caKey: path,
      servingCert: path,
      servingKey: path,
      adminCert: path,
      adminKey: path,
      kubeletClientCert: path,
      kubeletClientKey: path,
      frontProxyCaCert: '/front-ca',
      frontProxyCert: path,
      frontProxyKey: path,
      serviceAccountKey: path,
      serviceAccountPub: path,
    },
    kubeconfigs: { kcm: path, scheduler: path },
    apiServerArgs: [],
  };

  test('a virtual control plane leaves nodes and volumes to the syncer [NODE-40] [PVC-13]', () => {
    const flags = controllerManagerFlags(facts).join(' ');
    for (const name of ['nodelifecycle', 'persistentvolume-binder', 'attachdetach', 'ttl'])
      expect(flags).toContain(`,-${name}`);
    expect(controllerManagerFlags({ ...facts, role: 'host' })).toContain('--controllers=*');
  });

  test('a virtual API server writes no endpoint of its own and asks nodes by address first', () => {
    const flags = apiServerFlags(facts);
    expect(flags).toContain('--endpoint-reconciler-type=none');
    expect(flags).toContain('--kubelet-preferred-address-types=InternalIP,Hostname');
  });

  test('a host API server is an endpoint for its pods unless it is on loopback', () => {
    expect(apiServerFlags({ ...facts, role: 'host', bindAddress: '203.0.113.1' })).toContain(
      '--advertise-address=203.0.113.1',
    );
    expect(apiServerFlags({ ...facts, role: 'host' })).toContain('--endpoint-reconciler-type=none');
  });

  test('the front-proxy authority is never the client authority', () => {
    expect(apiServerFlags(facts)).toContain('--requestheader-client-ca-file=/front-ca');
  });

  test('firstAddress() is the IP of default/kubernetes', () => {
    expect(firstAddress('10.96.0.0/16')).toBe('10.96.0.1');
    expect(firstAddress('fd00:1::/112')).toBe('fd00:1::1');
  });

  test('extensionsOf() tells names from addresses', () => {
    const extensions = extensionsOf({ commonName: 'x', serves: ['localhost', '127.0.0.1', 'fd00::1'] });
    expect(extensions).toContain('subjectAltName=DNS:localhost,IP:127.0.0.1,IP:fd00::1');
    expect(extensionsOf({ commonName: 'x' })).toContain('extendedKeyUsage=clientAuth');
  });
});

test("a port that one process was given is nobody else's until that process ends", async () => {
  const from = new URL('./ports.ts', import.meta.url);
  const program = `import { freePorts } from '${from.href}'; console.log(...await freePorts(2, '127.0.0.1')); process.stdin.resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const ports = line.toString().trim().split(' ').map(Number);
  expect(ports).toHaveLength(2);
  for (const port of ports) {
    expect(await isFree(port, '127.0.0.1')).toBe(true);
    expect(await tryClaim(port)).toBeUndefined();
  }
  child.kill('SIGKILL');
  await ended;
  const mine = await Promise.all(ports.map(tryClaim));
  expect(mine).not.toContain(undefined);
  for (const claim of mine) claim?.close();
});

describe('iptables', () => {
  const before = [
    '*filter',
    ':INPUT ACCEPT [0:0]',
    ':FORWARD DROP [0:0]',
    ':CNI-FOREIGN - [0:0]',
    '-A INPUT -j CNI-FOREIGN',
    'COMMIT',
  ].join('\n');
  const after = [
    '*filter',
    ':INPUT ACCEPT [1:2]',
    ':FORWARD DROP [0:0]',
    ':CNI-FOREIGN - [0:0]',
    ':KUBE-FORWARD - [0:0]',
    '[1:2] -A INPUT -j CNI-FOREIGN',
    '[0:0] -A INPUT -s 192.0.2.1/32 -j ACCEPT',
    '[0:0] -A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD',
    '[0:0] -A FORWARD -d 10.96.0.0/16 -m comment --comment cdktf-vcluster-testbed -j REJECT',
    '[0:0] -A KUBE-FORWARD -j ACCEPT',
    'COMMIT',
  ].join('\n');

  test('withoutTestbed() removes the testbed’s chains and rules and nothing else', () => {
    expect(withoutTestbed(after, chainsOf(before))).toBe(
      [
        '*filter',
        ':INPUT ACCEPT [1:2]',
        ':FORWARD DROP [0:0]',
        ':CNI-FOREIGN - [0:0]',
        '[1:2] -A INPUT -j CNI-FOREIGN',
        '[0:0] -A INPUT -s 192.0.2.1/32 -j ACCEPT',
        'COMMIT',
        '',
      ].join('\n'),
    );
  });

  test('withoutTestbed() has nothing to do on a clean machine', () => {
    expect(withoutTestbed(before, chainsOf(before))).toBeUndefined();
  });
});

describe('what Linux and Kubernetes print or want', () => {
  test('parseStat() survives a program name with spaces and parentheses', () => {
    const rest = Array.from({ length: 30 }, (_unused, index) => String(index + 4));
    expect(parseStat(`12 (tmux: (a) b) S ${rest.join(' ')}`)).toEqual({ state: 'S', threads: 20, startTicks: '22' });
  });

  test.each([
    ['S', 8, false],
    ['Z', 1, true],
    ['Z', 3, false],
  ])('a process in state %s with %i threads has ended: %s', (state, threads, ended) => {
    expect(hasEnded({ state, threads, startTicks: '22' })).toBe(ended);
  });

  test('lastLines() begins with the reason when a log ends in the stack of a crash', () => {
    const stack = Array.from({ length: 20 }, (_unused, index) => `main.f${index}(0x1)\n\tmain.go:${index} +0x1`).join(
      '\n',
    );
    const crash = `fatal error: concurrent map writes\n\ngoroutine 7 [running]:\n${stack}`;
    expect(lastLines(`started\n${crash}\n`).split('\n')[0]).toBe('fatal error: concurrent map writes');
    const restarted = Array.from({ length: 10 }, (_unused, index) => `line ${index}`);
    expect(lastLines([crash, ...restarted].join('\n'))).toBe(restarted.slice(2).join('\n'));
  });

  test('parseMounts() reads types and escaped names', () => {
    const line = String.raw`36 35 98:0 / /run/a\040b rw,noatime shared:1 - tmpfs tmpfs rw`;
    expect(parseMounts(`${line}\n`)).toEqual([{ point: '/run/a b', type: 'tmpfs' }]);
  });

  test('portNames() cuts the peer off', () => {
    expect(portNames('7: veth12@if2: <UP> mtu\n8: eth1: <UP>\n')).toEqual(['veth12', 'eth1']);
  });

  test('upstreamServers() leaves out a resolver that is only on the machine', () => {
    expect(upstreamServers('nameserver 127.0.0.53\nsearch x\nnameserver 192.0.2.53\n')).toEqual(['192.0.2.53']);
  });

  test('pathOf() names objects of core and other groups', () => {
    expect(pathOf({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } })).toBe('/api/v1/namespaces/a');
    expect(pathOf({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'a' } })).toBe(
      '/apis/storage.k8s.io/v1/storageclasses/a',
    );
  });

  test('describeImage() names the layer by its digest', () => {
    const { config, manifest } = describeImage('example.org/a:1', { Cmd: ['sh'] }, digest);
    expect(JSON.parse(config)).toMatchObject({ config: { Cmd: ['sh'] }, rootfs: { diff_ids: [`sha256:${digest}`] } });
    expect(JSON.parse(manifest)).toEqual([
      { Config: 'config.json', RepoTags: ['example.org/a:1'], Layers: ['layer.tar'] },
    ]);
  });
});
