/** Zip archives, written and read. Other programs read them too: Python's zipfile checks every byte of what is written here. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { unzip, zip } from './zip.ts';

const python = '/usr/bin/python3';

test('what was packed comes out again', () => {
  const name = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' });
  const file = fc.record({ name, content: fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)) });
  fc.assert(
    fc.property(fc.uniqueArray(file, { selector: (each) => each.name, maxLength: 5 }), (files) => {
      const archive = zip(files);
      expect(zip(files)).toEqual(archive);
      for (const each of files) expect(unzip(archive, each.name)).toEqual(each.content);
    }),
  );
});

test('a file that is not there is named together with those that are', () => {
  const archive = zip([{ name: 'LICENSE', content: Buffer.from('x') }]);
  expect(() => unzip(archive, 'terraform')).toThrow('The archive has no terraform; it has: LICENSE');
});

test('a damaged archive is refused', () => {
  const content = Buffer.from('a line that is packed\n'.repeat(100));
  const archive = zip([{ name: 'file', content }]);
  // The checksum in the directory: 16 bytes after its signature.
  const at = archive.indexOf(Buffer.from([0x50, 0x4b, 0x01, 0x02])) + 16;
  archive.writeUInt8(archive.readUInt8(at) ^ 1, at);
  expect(() => unzip(archive, 'file')).toThrow('file is damaged');
  expect(() => unzip(Buffer.from('<html>not found</html>'), 'file')).toThrow('no zip archive');
});

test.skipIf(!existsSync(python))('another program reads the archive, with its permissions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'zip-'));
  try {
    const file = join(folder, 'a.zip');
    await writeFile(file, zip([{ name: 'program', content: Buffer.from('#!/bin/sh\n'.repeat(9)), mode: 0o755 }]));
    const program = `import zipfile; z = zipfile.ZipFile(${JSON.stringify(file)}); print(z.testzip(), oct(z.infolist()[0].external_attr >> 16), z.infolist()[0].file_size)`;
    const { stdout } = await promisify(execFile)(python, ['-c', program]);
    expect(stdout.trim()).toBe('None 0o100755 90');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
