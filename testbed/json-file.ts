/**
 * Small state files that the testbed wrote itself, so their content is taken to be what it was when written.
 */
import { readFile, writeFile } from 'node:fs/promises';

/** Reads a state file; undefined when it is missing or was cut short by a crash. */
export async function tryReadJson<T>(path: string): Promise<T | undefined> {
  try {
    const content: T = JSON.parse(await readFile(path, 'utf8'));
    return content;
  } catch {
    return undefined;
  }
}

/** Writes a state file. */
export async function writeJson(path: string, content: unknown): Promise<void> {
  await writeFile(path, `${JSON.stringify(content)}\n`);
}
