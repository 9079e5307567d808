/**
 * Reads the declarations (`.d.ts`) that the compiler emits: names, code and doc comments, as far as a reference page needs them. Why not the
 * compiler's own API: TypeScript 7 has none. Declarations hold no function bodies, so brackets are all there is to follow. Pure.
 */

/** A declaration or a member, with the comment that stands before it. */
export interface Declared {
  readonly code: string;
  /** Text of the doc comment without its stars; empty without one. */
  readonly doc: string;
}

/** Statements of a file, or members of a class or an interface. */
export function declared(text: string): readonly Declared[] {
  const found: Declared[] = [];
  let rest = text.trimStart();
  let doc = '';
  while (rest !== '') {
    const comment = commentAt(rest, 0);
    const taken = comment === '' ? statement(rest) : comment;
    if (comment === '') {
      found.push({ code: taken.trim(), doc });
      doc = '';
    } else if (taken.startsWith('/**')) {
      doc = withoutStars(taken.slice(3, -2));
    }
    rest = rest.slice(taken.length).trimStart();
  }
  return found;
}

/** What stands between the outer braces of a class or an interface. */
export function bodyOf(code: string): string {
  return code.slice(headOf(code).length + 1, code.lastIndexOf('}'));
}

/** What stands before the body: `interface A extends B, C `. */
export function headOf(code: string): string {
  for (const { at, letter, depth } of outside(code)) if (letter === '{' && depth === 1) return code.slice(0, at);
  return code;
}

/** Splits at commas that stand in no bracket, for lists of types. */
export function splitTypes(text: string): readonly string[] {
  const commas = [...outside(text)].filter(({ letter, depth }) => letter === ',' && depth === 0).map(({ at }) => at);
  const starts = [0, ...commas.map((at) => at + 1)];
  const parts = starts.map((start, index) => text.slice(start, commas[index]).trim());
  return parts.filter((part) => part !== '');
}

/** Up to the semicolon that ends it, or to the brace that closes its body. */
function statement(text: string): string {
  for (const { at, letter, depth } of outside(text)) {
    if (depth !== 0) continue;
    const ends = letter === ';' || (letter === '}' && !/^\s*(from\b|[;&|[,)]|=>)/.test(text.slice(at + 1, at + 80)));
    if (ends) return text.slice(0, at + 1);
  }
  return text;
}

const opening = '({[<';
const closing = ')}]>';

/** Every character that is in no string and no comment, with how many brackets are open after it. */
function* outside(text: string): Generator<{ readonly at: number; readonly letter: string; readonly depth: number }> {
  let depth = 0;
  for (let at = 0; at < text.length; at += 1) {
    const skipped = commentAt(text, at) || stringAt(text, at);
    if (skipped !== '') {
      at += skipped.length - 1;
      continue;
    }
    const letter = text.charAt(at);
    const isArrow = letter === '>' && text.charAt(at - 1) === '=';
    if (opening.includes(letter)) depth += 1;
    else if (closing.includes(letter) && !isArrow) depth -= 1;
    yield { at, letter, depth };
  }
}

const comment = /\/\*[^]*?\*\/|\/\/[^\n]*/y;
const string = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y;

function commentAt(text: string, at: number): string {
  comment.lastIndex = at;
  return comment.exec(text)?.[0] ?? '';
}

function stringAt(text: string, at: number): string {
  string.lastIndex = at;
  return string.exec(text)?.[0] ?? '';
}

function withoutStars(text: string): string {
  return text.replaceAll(/^[ \t]*\*[ ]?/gm, '').trim();
}
