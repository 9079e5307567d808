/** The walk-through of CONTRIBUTING.md as data, and its code blocks applied to a copy of this tree. */
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const leftOut = new Set(['node_modules', '.git', 'dist', 'out']);

/** One code block: a whole new file, or changes of a file that is there. */
export interface Edit {
  readonly path: string;
  readonly language: string;
  readonly text: string;
}

/** The numbered edits, in order: `**1. \`path\`**`, then the next code block. */
export async function editsOf(section: string): Promise<readonly Edit[]> {
  const page = await readFile(join(root, 'CONTRIBUTING.md'), 'utf8');
  const text = page.split(/^## /mu).find((each) => each.startsWith(section)) ?? '';
  const blocks = text.matchAll(/^\*\*\d+\. `(?<path>[^`]+)`\*\*[^]*?^```(?<language>\w+)\n(?<text>[^]*?)^```$/gmu);
  return [...blocks].map(({ groups }) => ({
    path: groups?.['path'] ?? '',
    language: groups?.['language'] ?? '',
    text: groups?.['text'] ?? '',
  }));
}

/** A copy of the working tree in a new folder, with the same dependencies. */
export async function copyOfTree(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'three-edits-'));
  await cp(root, copy, { recursive: true, filter: (path) => !leftOut.has(basename(path)) });
  await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Makes one edit. @throws when the file of a change does not have, exactly once, what is to be changed */
export async function apply(edit: Edit, folder: string): Promise<void> {
  const file = join(folder, edit.path);
  await mkdir(dirname(file), { recursive: true });
  if (edit.language === 'diff') await writeFile(file, changed(await readFile(file, 'utf8'), edit));
  else await writeFile(file, edit.text, { flag: 'wx' });
}

function changed(before: string, { path, text }: Edit): string {
  return text.split(/^@@.*\n/mu).reduce((whole, hunk) => {
    const lines = hunk.split('\n').filter((line) => line !== '');
    const side = (mark: string): string =>
      lines.flatMap((line) => (line.startsWith(mark) || line.startsWith(' ') ? [`${line.slice(1)}\n`] : [])).join('');
    const parts = whole.split(side('-'));
    if (parts.length !== 2) throw new Error(`${path} does not have this once:\n${side('-')}`);
    return parts.join(side('+'));
  }, before);
}
