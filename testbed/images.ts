/**
 * The images that the testbed's node has without any registry: official names, the binaries of this folder's pins,
 * laid out as in the official images (same paths, no shell where they have none, the same file capabilities).
 * Built once into the cache; the archive's file name holds all that its content depends on.
 */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { exists } from './exists.ts';
import { resolveBinary } from './binaries.ts';
import { unpackPackage } from './debian.ts';
import { buildImageArchive, type ImageConfig } from './image-archive.ts';
import { withLock } from './lock.ts';
import { type Log, step } from './log.ts';
import { cacheDir } from './paths.ts';
import { type ProgramName, versions } from './pins.ts';

const run = promisify(execFile);
const imagesDir = join(cacheDir, 'images');
// Raise it when a recipe below changes, so that no older archive is taken from the cache.
const recipes = 1;
const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

/** One image: its name, how it runs, what it holds. */
interface ImageRecipe {
  readonly name: string;
  readonly config: ImageConfig;
  readonly fill: (root: string, log: Log) => Promise<void>;
}

type ImageKey = 'etcd' | 'apiServer' | 'controllerManager' | 'coredns' | 'pause' | 'localPath' | 'busybox';

/** Names of the images that the node and its add-ons use. */
export const imageNames: Readonly<Record<ImageKey, string>> = {
  etcd: `registry.k8s.io/etcd:${versions.etcd}-0`,
  apiServer: `registry.k8s.io/kube-apiserver:v${versions.kubernetes}`,
  controllerManager: `registry.k8s.io/kube-controller-manager:v${versions.kubernetes}`,
  coredns: `registry.k8s.io/coredns/coredns:v${versions.coredns}`,
  pause: `registry.k8s.io/pause:${versions.pause}`,
  localPath: `docker.io/rancher/local-path-provisioner:v${versions['local-path-provisioner']}`,
  busybox: 'docker.io/library/busybox:1.36',
};

const recipeList: readonly ImageRecipe[] = [
  {
    name: imageNames.pause,
    config: { Entrypoint: ['/pause'], User: '65535:65535', Env: env },
    fill: program('pause', 'pause'),
  },
  { name: imageNames.etcd, config: { Env: env }, fill: program('etcd', 'usr/local/bin/etcd') },
  {
    name: imageNames.apiServer,
    config: { Env: env },
    fill: program('kube-apiserver', 'usr/local/bin/kube-apiserver', 'cap_net_bind_service=+ep'),
  },
  {
    name: imageNames.controllerManager,
    config: { Env: env },
    fill: program('kube-controller-manager', 'usr/local/bin/kube-controller-manager'),
  },
  {
    name: imageNames.coredns,
    config: {
      Entrypoint: ['/coredns'],
      User: '65532:65532',
      WorkingDir: '/',
      Env: env,
      ExposedPorts: { '53/tcp': {}, '53/udp': {} },
    },
    fill: program('coredns', 'coredns', 'cap_net_bind_service=+ep'),
  },
  {
    name: imageNames.localPath,
    config: { Cmd: ['local-path-provisioner'], Env: env },
    fill: program('local-path-provisioner', 'usr/bin/local-path-provisioner'),
  },
  { name: imageNames.busybox, config: { Cmd: ['sh'], Env: env }, fill: busybox },
];

/** Makes every image that the cache lacks; returns the archives in the order in which a node needs them. */
export async function ensureImages(log: Log): Promise<readonly string[]> {
  const archives: string[] = [];
  for (const [index, recipe] of recipeList.entries()) {
    archives.push(await ensureImage(recipe, `[${index + 1}/${recipeList.length}] image ${recipe.name}`, log));
  }
  return archives;
}

async function ensureImage(recipe: ImageRecipe, title: string, log: Log): Promise<string> {
  const out = join(imagesDir, `${recipe.name.replaceAll(/[/:]/g, '_')}-${recipes}.tar`);
  if (await exists(out)) return out;
  await withLock(join(imagesDir, '.lock'), log, async () => {
    if (await exists(out)) return;
    await step(log, title, () => build(recipe, out, log));
  });
  return out;
}

async function build({ name, config, fill }: ImageRecipe, out: string, log: Log): Promise<void> {
  const rootDir = await mkdtemp(join(imagesDir, '.root-'));
  try {
    await chmod(rootDir, 0o755);
    await base(rootDir);
    await fill(rootDir, log);
    await buildImageArchive({ rootDir, name, config, out });
  } finally {
    await rm(rootDir, { recursive: true, force: true });
  }
}

async function base(root: string): Promise<void> {
  await mkdir(join(root, 'etc'), { recursive: true });
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
  const users = [
    'root:x:0:0:root:/root:/sbin/nologin',
    'nobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin',
    'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin',
  ];
  await writeFile(join(root, 'etc/passwd'), `${users.join('\n')}\n`);
  await writeFile(join(root, 'etc/group'), 'root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n');
  await writeFile(join(root, 'etc/nsswitch.conf'), 'hosts: files dns\n');
}

function program(name: ProgramName, path: string, capability?: string): ImageRecipe['fill'] {
  return async (root, log) => {
    const target = join(root, path);
    await mkdir(join(target, '..'), { recursive: true });
    await copyFile(await resolveBinary(name, log), target);
    await chmod(target, 0o755);
    if (capability !== undefined) await run('setcap', [capability, target]);
  };
}

// Debian's 1.35: `wget -T` crashes in it (use `timeout 3 wget`), and its shell drops variables whose names it cannot use.
async function busybox(root: string): Promise<void> {
  const unpacked = await mkdtemp(join(imagesDir, '.deb-'));
  try {
    await unpackPackage('busybox-static', unpacked);
    const binary = join(root, 'bin/busybox');
    for (const folder of ['bin', 'root', 'home', 'proc', 'sys', 'dev', 'run', 'var/www'])
      await mkdir(join(root, folder), { recursive: true });
    await copyFile(join(unpacked, 'bin/busybox'), binary);
    await chmod(binary, 0o755);
    const { stdout } = await run(binary, ['--list']);
    const applets = stdout.split('\n').filter((applet) => applet !== '' && applet !== 'busybox');
    await Promise.all(applets.map((applet) => symlink('busybox', join(root, 'bin', applet))));
  } finally {
    await rm(unpacked, { recursive: true, force: true });
  }
}
