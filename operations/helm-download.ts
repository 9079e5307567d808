/**
 * Helm for a user who has none: the official release, checked against the checksum that stands here, in the user's cache. From a
 * mirror, which may have built its own, against the checksum that it publishes beside it.
 *
 * Invariant: a file has its final name only when it was seen to be complete and right; any number of processes may fetch at once.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, constants, mkdir, rename, writeFile } from 'node:fs/promises';
import { get as httpGet } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Agent, get as httpsGet } from 'node:https';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { OperationError, textOf } from './errors.ts';
import { PrivateFolder, userCache } from './paths.ts';
import type { OperationOptions } from './types.ts';

const run = promisify(execFile);

/** The release that every test of this version of the project runs. */
export const helmVersion = '3.22.0';

type System = 'linux' | 'darwin' | 'windows';
type Architecture = 'amd64' | 'arm64';
type Platform = `${System}-${Architecture}`;

/** SHA-256 of the archives of that release, as its announcement lists them. */
export const helmDigests: Readonly<Record<Platform, string>> = {
  'linux-amd64': '1e4ab49e429626cf6c6958d914248b78c9730803c2751b87627e171dc800e7bb',
  'linux-arm64': 'f14e804dfee240f55525b667488fe9adca349e63e00c9af634c0beb1421ac310',
  'darwin-amd64': 'bd1d09f316558dda23698527859600936fed1371021ce0f2272d66b2fdcfa69c',
  'darwin-arm64': '4c9982a6cdeb458b60258df66b55398ca5b19293f6877faffe2909ad6f23dfe0',
  'windows-amd64': '899615865726d39f9b245e71e848c5bf4adc7ed33a8c43ede660facb48151b43',
  'windows-arm64': '75a331a3b03d11aed6369bdf6a1f8f9d33635bc820de5cd6025a581292046805',
};

const officialSite = 'https://get.helm.sh';
const redirectsMax = 5;
const downloadTimeoutMs = 120_000;
const bytesMax = 200 * 1024 * 1024;
const windows = process.platform === 'win32';

const systems: Readonly<Partial<Record<NodeJS.Platform, System>>> = {
  linux: 'linux',
  darwin: 'darwin',
  win32: 'windows',
};
const architectures: Readonly<Partial<Record<NodeJS.Architecture, Architecture>>> = { x64: 'amd64', arm64: 'arm64' };

/** Where the cache keeps it, whether or not it is there. */
export function cachedHelm(): string {
  return join(userCache(), 'bin', `helm-${helmVersion}`, windows ? 'helm.exe' : 'helm');
}

/** The cached one, if it is there. */
export async function tryCachedHelm(): Promise<string | undefined> {
  const path = cachedHelm();
  try {
    await access(path, constants.X_OK);
    return path;
  } catch {
    return undefined;
  }
}

/** Fetches it into the cache. $VCLUSTER_HELM_MIRROR: another site with the same files. @throws OperationError */
export async function downloadHelm({ log }: Pick<OperationOptions, 'log'> = {}): Promise<string> {
  const platform = releasePlatform();
  const file = `helm-v${helmVersion}-${platform}.${windows ? 'zip' : 'tar.gz'}`;
  const mirror = process.env['VCLUSTER_HELM_MIRROR'];
  const site = (mirror || officialSite).replace(/\/$/, '');
  const url = `${site}/${file}`;
  log?.(`helm ${helmVersion} is fetched from ${site}`);
  try {
    const limit = AbortSignal.timeout(downloadTimeoutMs);
    const archive = await fetched(url, limit);
    const actual = createHash('sha256').update(archive).digest('hex');
    if (actual !== helmDigests[platform]) {
      const published = mirror
        ? checksumIn((await fetched(`${url}.sha256sum`, limit)).toString('utf8'), file)
        : undefined;
      const expected = published ?? helmDigests[platform];
      if (actual !== expected) throw new Error(`its checksum is ${actual}, and ${expected} was published`);
    }
    return await install(archive, file, platform);
  } catch (cause) {
    throw new OperationError(
      'Helm is not there and cannot be fetched',
      `${url}: ${textOf(cause)}. Install helm ${helmVersion} by hand, so that it is on the PATH, or name it in VCLUSTER_HELM.`,
      { cause },
    );
  }
}

function releasePlatform(): Platform {
  const system = systems[process.platform];
  const architecture = architectures[process.arch];
  if (system !== undefined && architecture !== undefined) return `${system}-${architecture}`;
  throw new OperationError(
    'Helm is not there and cannot be fetched',
    `There is no known release for ${process.platform} on ${process.arch}. Install helm 3 and name it in VCLUSTER_HELM.`,
  );
}

/** The SHA-256 of a file in a checksum file: lines of `digest  name`, or a digest alone. Pure. */
export function checksumIn(text: string, file: string): string | undefined {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+\*?/));
  const line = lines.find(([, name]) => name === undefined || name === file);
  const digest = line?.[0]?.toLowerCase() ?? '';
  return /^[0-9a-f]{64}$/.test(digest) ? digest : undefined;
}

async function install(archive: Buffer, file: string, platform: Platform): Promise<string> {
  const target = cachedHelm();
  const folder = join(target, '..');
  await mkdir(folder, { recursive: true });
  // In the folder of the target, because a file can be renamed within one file system only.
  await using work = await PrivateFolder.open(join(folder, '.partial-'));
  const packed = join(work.path, file);
  await writeFile(packed, archive);
  const member = `${platform}/${windows ? 'helm.exe' : 'helm'}`;
  // Also Windows has a tar, which unpacks zip archives too.
  await run('tar', ['-xf', packed, '-C', work.path, member]);
  const unpacked = join(work.path, member);
  await chmod(unpacked, 0o755);
  await rename(unpacked, target);
  return target;
}

async function fetched(url: string, signal: AbortSignal, redirects = 0): Promise<Buffer> {
  const response = await answer(url, signal);
  const { statusCode = 0, headers } = response;
  if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined && redirects < redirectsMax) {
    response.resume();
    return fetched(new URL(headers.location, url).href, signal, redirects + 1);
  }
  if (statusCode !== 200) {
    response.resume();
    throw new Error(`it answered ${statusCode}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bytesMax) throw new Error(`it sends more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = url.startsWith('http:')
      ? httpGet(url, { signal }, resolve)
      : httpsGet(url, { signal, agent: new Agent({ proxyEnv: process.env }) }, resolve);
    request.on('error', reject);
  });
}
