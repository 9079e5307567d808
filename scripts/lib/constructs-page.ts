/**
 * docs/constructs.md: the guide that stands in constructs/guide.md, and a reference of everything that the package exports, from the doc
 * comments of its sources. Whatever is exported is on the page, in the order of constructs/index.ts. Pure, but for `emitDeclarations`.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { run } from './command.ts';
import { bodyOf, declared, headOf, splitTypes } from './declarations.ts';
import type { Declared } from './declarations.ts';

/** Declaration files by name without ending. */
export type Declarations = ReadonlyMap<string, string>;

/** Has the compiler emit the declarations of constructs/. */
export async function emitDeclarations(root: string): Promise<Declarations> {
  const folder = await mkdtemp(join(tmpdir(), 'declarations-'));
  try {
    const compiler = join(root, 'node_modules', '.bin', 'tsc');
    await run(compiler, ['-p', join(root, 'tsconfig.build.json'), '--emitDeclarationOnly', '--outDir', folder], {
      cwd: root,
    });
    const names = (await readdir(join(folder, 'constructs'), { recursive: true })).filter((name) =>
      name.endsWith('.d.ts'),
    );
    const entries = names.map(async (name) => {
      const text = await readFile(join(folder, 'constructs', name), 'utf8');
      return [basename(name, '.d.ts'), text] as const;
    });
    return new Map(await Promise.all(entries));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The whole page. */
export function constructsPage(guide: string, declarations: Declarations): string {
  const all = byName([...declarations.values()].flatMap(declared));
  const index = declarations.get('index');
  if (index === undefined) throw new Error('constructs/index.d.ts was not emitted, so what is exported is not known');
  const names = exportedNames(index);
  const types = exportedNames(index, /export type \{([^}]*)\} from '\.\//g);
  const sections = names.map((name) => {
    const found = all.get(name);
    if (found === undefined)
      throw new Error(`constructs/index.ts exports ${name}, which no declaration of constructs/ is called`);
    return section(name, found, { all, names, types });
  });
  const note =
    'Generated from constructs/guide.md and the doc comments of constructs/ by `npm run generate`; do not edit.';
  const [title = '', ...text] = guide.trim().split('\n');
  const parts = [title, '', note, ...text, '', '## Reference', '', ...sections];
  return `${parts.join('\n').trimEnd()}\n`;
}

/** The forms of a function in one: the first has the words for all of them. */
function byName(all: readonly Declared[]): ReadonlyMap<string, Declared> {
  const named = new Map<string, Declared>();
  for (const each of all) {
    const form = named.get(nameOf(each));
    named.set(nameOf(each), form === undefined ? each : { doc: form.doc, code: `${form.code}\n${each.code}` });
  }
  return named;
}

/** Names that index.ts exports from within constructs/. */
function exportedNames(index: string, form = /export (?:type )?\{([^}]*)\} from '\.\//g): readonly string[] {
  const lists = [...index.matchAll(form)];
  return lists.flatMap(([, names = '']) => splitTypes(names));
}

function nameOf({ code }: Declared): string {
  return /(?:class|interface|type|function|const) (\w+)/.exec(code)?.[1] ?? '';
}

interface Exports {
  /** Every declaration by its name, exported or not. */
  readonly all: ReadonlyMap<string, Declared>;
  /** What has a section. */
  readonly names: readonly string[];
  /** What is there as a type only: a class among them is made by others. */
  readonly types: readonly string[];
}

function section(name: string, found: Declared, exports: Exports): string {
  const kind = /\b(class|interface|type|function)\b/.exec(found.code)?.[1] ?? '';
  const { text } = docOf(found);
  const head = [`### ${name}`, '', linked(text), ''];
  if (kind === 'interface') return [...head, ...extended(found, exports), ...properties(found, exports)].join('\n');
  if (kind === 'class') return [...head, ...extended(found, exports), ...members(found, exports)].join('\n');
  return [...head, '```ts', found.code.replaceAll(/^export (declare )?/gm, ''), '```', ''].join('\n');
}

/** What else it has: a link for what is on the page, nothing for what is not. */
function extended({ code }: Declared, { names }: Exports): readonly string[] {
  const shown = parents(code).filter((name) => names.includes(name));
  return shown.length === 0 ? [] : [`And everything of ${shown.map(link).join(', ')}.`, ''];
}

function properties(found: Declared, exports: Exports): readonly string[] {
  const rows = propertiesOf(found, exports).map((member) => {
    const { name, type } = propertyParts(member.code);
    const { text, tags } = docOf(member);
    return `| \`${name}\` | ${cell(`\`${type}\``)} | ${cell(tags.get('default') ?? '')} | ${cell(linked(text))} |`;
  });
  return rows.length === 0 ? [] : ['| Property | Type | Default | |', '|---|---|---|---|', ...rows, ''];
}

/** Its own, and those of interfaces that have no section. */
function propertiesOf(found: Declared, exports: Exports): readonly Declared[] {
  const hidden = parents(found.code).flatMap((name) => {
    const parent = exports.all.get(name);
    return parent === undefined || exports.names.includes(name) ? [] : propertiesOf(parent, exports);
  });
  return [...hidden, ...declared(bodyOf(found.code))];
}

function members(found: Declared, { types }: Exports): readonly string[] {
  const speaks = types.includes(nameOf(found)) ? /^get / : /^(get |constructor\()/;
  const isShown = ({ code, doc }: Declared): boolean => !/^(private|#)/.test(code) && (doc !== '' || speaks.test(code));
  return declared(bodyOf(found.code))
    .filter(isShown)
    .flatMap((member) => {
      const { text } = docOf(member);
      const head = `**\`${member.code.replace(/;$/, '').replaceAll(/\s+/g, ' ')}\`**`;
      return text === '' ? [head, ''] : [head, '', linked(text), ''];
    });
}

function parents(code: string): readonly string[] {
  const [, list = ''] = /\bextends ([^]*)$/.exec(headOf(code)) ?? [];
  return splitTypes(list.replace(/\bimplements [^]*$/, '')).map((name) => name.replace(/<[^]*$/, ''));
}

function propertyParts(code: string): { readonly name: string; readonly type: string } {
  const [, name = code, type = ''] = /^(?:readonly )?(\[[^\]]*\]|\w+\??): ([^]*?);?$/.exec(code) ?? [];
  return { name, type: type.replaceAll(/\s+/g, ' ').replace(/ \| undefined$/, '') };
}

/** Text and tags of a comment. */
function docOf({ doc }: Declared): { readonly text: string; readonly tags: ReadonlyMap<string, string> } {
  const [text = '', ...tags] = doc.split(/^@/m);
  return {
    text: text.trim(),
    tags: new Map(tags.map((tag) => [tag.split(/\s/, 1)[0] ?? '', tag.replace(/^\w+\s*-?\s*/, '').trim()])),
  };
}

function linked(text: string): string {
  return text.replaceAll(/\{@link (\w+)(?:\.\w+)?\}/g, (_all, name: string) => link(name));
}

function link(name: string): string {
  return `[\`${name}\`](#${name.toLowerCase()})`;
}

function cell(text: string): string {
  return text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
}
