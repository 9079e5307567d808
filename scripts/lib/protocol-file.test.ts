/** The generated tables of the plugin protocol are what the pinned definition says. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readDefinition } from './protocol-definition.ts';
import { isCurrent, makeProtocolFile, protocolPath } from './protocol-file.ts';

const committed = await readFile(join(import.meta.dirname, '../..', protocolPath), 'utf8');
const unavailable = await readDefinition().then(
  () => undefined,
  (error: unknown) => (error as Error).message,
);

describe('the generated file of the protocol', () => {
  test('is up to date by its own digests', () => {
    expect(isCurrent(committed)).toBe(true);
  });

  test.each([
    ['a changed number', committed.replace('number: 2', 'number: 3')],
    ['another definition', committed.replace(/Definition: sha256 ./, 'Definition: sha256 x')],
    ['no header', committed.slice(committed.indexOf('/* oxlint'))],
    ['nothing', ''],
  ])('is not up to date with %s', (_, text) => {
    expect(text).not.toBe(committed);
    expect(isCurrent(text)).toBe(false);
  });

  test.skipIf(unavailable !== undefined)(`is made by the generator, byte by byte${unavailable ?? ''}`, async () => {
    expect(await makeProtocolFile()).toBe(committed);
  });

  test('has no text of the definition: no comment but our own', () => {
    const comments = committed.split('\n').filter((line) => /^\s*(\/\/|\/\*|\*)/.test(line));
    expect(comments).toHaveLength(9);
  });
});
