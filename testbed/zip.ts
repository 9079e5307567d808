/**
 * Zip archives of a few files: Terraform's releases come as such, and its registry wants the provider as such. No dependency,
 * because neither zip nor unzip is on every machine. Not for more than 4 GiB, links or encryption: those are refused.
 * Writing the same files gives the same bytes.
 */
import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';

/** One file of an archive. */
export interface ZipEntry {
  /** With forward slashes. */
  readonly name: string;
  readonly content: Buffer;
  /** Unix permissions; 0o644 when absent. */
  readonly mode?: number;
}

const LOCAL = 0x04_03_4b_50;
const CENTRAL = 0x02_01_4b_50;
const END = 0x06_05_4b_50;
const STORED = 0;
const DEFLATED = 8;
/** 1980-01-01, the earliest that the format knows: the same input gives the same archive. */
const DATE = 0x00_21;
const UTF8_NAMES = 0x08_00;
const ENCRYPTED = 1;
const MADE_ON_UNIX = 0x03_14;
const NEEDS_VERSION = 20;
const REGULAR_FILE = 0o100_000;

/** Packs files, in the order given. */
export function zip(entries: readonly ZipEntry[]): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let offset = 0;
  for (const entry of entries) {
    const packed = deflateRawSync(entry.content, { level: 9 });
    const local = Buffer.concat([fixed(LOCAL, [...shared(entry, packed)]), Buffer.from(entry.name), packed]);
    centrals.push(central(entry, packed, offset));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(centrals);
  const count = entries.length;
  const end = fixed(END, [u16(0), u16(0), u16(count), u16(count), u32(directory.length), u32(offset), u16(0)]);
  return Buffer.concat([...locals, directory, end]);
}

/** Unpacks one file. @throws when the archive is damaged or has no such file */
export function unzip(archive: Buffer, name: string): Buffer {
  const end = archive.lastIndexOf(u32(END));
  if (end < 0) throw new Error('This is no zip archive: it has no directory.');
  let at = archive.readUInt32LE(end + 16);
  const names: string[] = [];
  while (at < end && archive.readUInt32LE(at) === CENTRAL) {
    const nameLength = archive.readUInt16LE(at + 28);
    const found = archive.toString('utf8', at + 46, at + 46 + nameLength);
    if (found === name) return content(archive, at, name);
    names.push(found);
    at += 46 + nameLength + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  throw new Error(`The archive has no ${name}; it has: ${names.join(', ')}`);
}

function content(archive: Buffer, at: number, name: string): Buffer {
  if ((archive.readUInt16LE(at + 8) & ENCRYPTED) !== 0) throw new Error(`${name} is encrypted.`);
  const method = archive.readUInt16LE(at + 10);
  const size = archive.readUInt32LE(at + 20);
  const local = archive.readUInt32LE(at + 42);
  const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
  const packed = archive.subarray(start, start + size);
  if (method !== STORED && method !== DEFLATED)
    throw new Error(`${name} is packed by a method (${method}) that is not known.`);
  const unpacked = method === STORED ? packed : inflateRawSync(packed);
  if (crc32(unpacked) !== archive.readUInt32LE(at + 16))
    throw new Error(`${name} is damaged: its checksum is another.`);
  return unpacked;
}

function central(entry: ZipEntry, packed: Buffer, offset: number): Buffer {
  const permissions = ((REGULAR_FILE | (entry.mode ?? 0o644)) << 16) >>> 0;
  const comment = [u16(0), u16(0), u16(0)];
  const parts = [u16(MADE_ON_UNIX), ...shared(entry, packed), ...comment, u32(permissions), u32(offset)];
  return Buffer.concat([fixed(CENTRAL, parts), Buffer.from(entry.name)]);
}

/** What the header before a file and its line in the directory have in common. */
function shared(entry: ZipEntry, packed: Buffer): readonly Buffer[] {
  const times = [u16(0), u16(DATE)];
  const sizes = [u32(crc32(entry.content)), u32(packed.length), u32(entry.content.length)];
  const lengths = [u16(Buffer.byteLength(entry.name)), u16(0)];
  return [u16(NEEDS_VERSION), u16(UTF8_NAMES), u16(DEFLATED), ...times, ...sizes, ...lengths];
}

function fixed(signature: number, parts: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(signature), ...parts]);
}

function u16(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16LE(value);
  return buffer;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}
