/**
 * Official release downloads, checked against the checksum that is published beside them.
 * Invariant: a file whose checksum was not seen and equal never gets its final name. A host that cannot be reached is
 * remembered for the life of the process, so being offline costs one short wait and not one per program.
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { Agent, get } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import { Transform } from 'node:stream';
import { messageOf } from './errors.ts';
import type { Log } from './log.ts';
import type { Release } from './pins.ts';

const connectTimeoutMs = 3000;
const idleTimeoutMs = 30_000;
const tellEveryMs = 5000;
const maxRedirects = 5;
const unreachable = new Set<string>();

/** A download that cannot be had; the next source in line is tried. */
export class DownloadError extends Error {}

/** Fetches a release file to a path and checks it; throws DownloadError when it cannot be had or is not what was published. */
export async function download(release: Release, path: string, log: Log): Promise<void> {
  const expected = parseChecksum(await text(await open(release.checksumUrl)), fileName(release.url));
  if (expected === undefined)
    throw new DownloadError(`${release.checksumUrl} names no checksum of ${fileName(release.url)}`);
  const response = await open(release.url);
  const hash = createHash('sha256');
  await pipeline(response, tap(hash, sizeOf(response), log), createWriteStream(path));
  const actual = hash.digest('hex');
  if (actual !== expected)
    throw new DownloadError(`${release.url} has checksum ${actual}, but ${expected} was published`);
}

/** Finds the SHA-256 of a file in a checksum file: a bare digest, or lines of `digest  name`. */
export function parseChecksum(content: string, file: string): string | undefined {
  const lines = content.trim().split('\n');
  for (const line of lines) {
    const [digest = '', name] = line.trim().split(/\s+\*?/);
    const named = name?.replace(/^\.\//, '') === file || (name === undefined && lines.length === 1);
    if (/^[0-9a-f]{64}$/i.test(digest) && named) return digest.toLowerCase();
  }
  return undefined;
}

function fileName(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}

function sizeOf(response: IncomingMessage): number {
  return Number(response.headers['content-length'] ?? 0);
}

function tap(hash: ReturnType<typeof createHash>, size: number, log: Log): Transform {
  let seen = 0;
  let toldMs = Date.now();
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      seen += chunk.length;
      if (Date.now() - toldMs > tellEveryMs) {
        toldMs = Date.now();
        log(`  ${(seen / 1e6).toFixed(0)} of ${size > 0 ? (size / 1e6).toFixed(0) : '?'} MB`);
      }
      done(null, chunk);
    },
  });
}

async function open(url: string, redirects = 0): Promise<IncomingMessage> {
  const { host } = new URL(url);
  if (unreachable.has(host)) throw new DownloadError(`${host} cannot be reached`);
  let response: IncomingMessage;
  try {
    response = await request(url);
  } catch (error) {
    unreachable.add(host);
    throw new DownloadError(`${host} cannot be reached: ${messageOf(error)}`, { cause: error });
  }
  const status = response.statusCode ?? 0;
  if (status === 200) return response;
  response.resume();
  const { location } = response.headers;
  if (status >= 300 && status < 400 && location !== undefined && redirects < maxRedirects) {
    return open(new URL(location, url).href, redirects + 1);
  }
  throw new DownloadError(`${url} answered ${status}`);
}

function request(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ proxyEnv: process.env });
    const sent = get(url, { agent, headers: { 'user-agent': 'cdktf-vcluster-testbed' } }, (response) => {
      clearTimeout(slow);
      response.setTimeout(idleTimeoutMs, () => response.destroy(new Error(`no data for ${idleTimeoutMs / 1000} s`)));
      resolve(response);
    });
    let connected = false;
    const give = (): void => {
      sent.destroy(new Error(`no ${connected ? 'answer' : 'connection'} in time`));
    };
    let slow = setTimeout(give, connectTimeoutMs);
    sent.on('socket', (socket) =>
      socket.once('secureConnect', () => {
        connected = true;
        clearTimeout(slow);
        slow = setTimeout(give, idleTimeoutMs);
      }),
    );
    sent.on('error', (error) => {
      clearTimeout(slow);
      reject(error);
    });
  });
}
