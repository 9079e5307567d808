/**
 * Makes an image archive from a folder that holds a root file system, without docker and without any registry: one
 * layer, one config, one manifest, in the docker-archive layout that `ctr images import`, `docker load` and
 * `podman load` all read. Owners become root, times the epoch, so the same content gives the same digest.
 * File capabilities are kept; they need GNU tar, and root to have been set.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How an image runs; the keys are those of the OCI image configuration. */
export interface ImageConfig {
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Env?: readonly string[];
  readonly User?: string;
  readonly WorkingDir?: string;
  readonly ExposedPorts?: Readonly<Record<string, Record<string, never>>>;
  readonly Labels?: Readonly<Record<string, string>>;
}

/** What image is wanted. */
export interface ImageArchive {
  /** The folder that becomes `/`. */
  readonly rootDir: string;
  /** Full name with tag, e.g. `registry.k8s.io/etcd:3.6.8-0`. */
  readonly name: string;
  readonly config: ImageConfig;
  /** The archive to write; it appears under this name only when it is complete. */
  readonly out: string;
}

/** Writes an image archive. */
export async function buildImageArchive({ rootDir, name, config, out }: ImageArchive): Promise<void> {
  await mkdir(dirname(out), { recursive: true });
  const workDir = await mkdtemp(join(dirname(out), '.image-'));
  try {
    const layer = join(workDir, 'layer.tar');
    await run('tar', [...layerOptions, '-C', rootDir, '-cf', layer, '.']);
    const files = describeImage(name, config, await sha256(layer));
    await writeFile(join(workDir, 'config.json'), files.config);
    await writeFile(join(workDir, 'manifest.json'), files.manifest);
    const partial = join(workDir, 'image.tar');
    await run('tar', ['-C', workDir, '-cf', partial, 'manifest.json', 'config.json', 'layer.tar']);
    await rename(partial, out);
  } finally {
    await rm(workDir, { recursive: true, force: true });
  }
}

const layerOptions = [
  '--format=posix',
  '--sort=name',
  '--mtime=@0',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  '--xattrs',
  '--xattrs-include=security.capability',
];

/** The two JSON files of an archive with the one layer of this digest. */
export function describeImage(
  name: string,
  config: ImageConfig,
  layerSha256: string,
): { readonly config: string; readonly manifest: string } {
  const image = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: new Date(0).toISOString(),
    config,
    rootfs: { type: 'layers', diff_ids: [`sha256:${layerSha256}`] },
    history: [{ created: new Date(0).toISOString(), created_by: 'cdktf-vcluster' }],
  };
  const manifest = [{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }];
  return { config: JSON.stringify(image), manifest: JSON.stringify(manifest) };
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
