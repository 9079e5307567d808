/**
 * JSON without loss. JavaScript rounds integers beyond 2^53 and forgets how a number was written; an object that only passes
 * through must come out as it went in (spec CORE-24, faults F71). Numbers that JavaScript would write differently are kept as
 * text, and every `JSON.stringify` writes them as they came. All others stay plain numbers.
 *
 * Keys are data: `__proto__` and `constructor` become ordinary own properties. Spread and `Object.fromEntries` keep them so;
 * assigning to a computed key does not, and is not done with keys of objects. Of two equal keys the last wins, as in Go.
 */

/** A number as it stands in the JSON text. Compares and prints as a number does, with the precision that numbers have. */
export class ExactNumber {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  valueOf(): number {
    return Number(this.text);
  }

  toString(): string {
    return this.text;
  }

  toJSON(): unknown {
    return sourceText.rawJSON(this.text);
  }
}

/** Not among TypeScript's types yet; Node has both from version 21. */
const sourceText = JSON as unknown as {
  rawJSON(text: string): unknown;
  parse(text: string, revive: (key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown;
};

/**
 * Where a number begins that may need care: a negative zero, a fraction or an exponent, or sixteen digits. Looks at the text
 * and not at its structure, so a string may be taken for a number (which costs time), but never the other way round.
 */
const suspicious = /[:[,]\s*(?:-0|-?\d+[.eE][\d.eE+-]*\s*[,}\]]|-?\d{16})/u;

/** @throws SyntaxError as JSON.parse does */
export function parseJson(text: string): unknown {
  const isContainer = text.startsWith('{') || text.startsWith('[');
  if (isContainer && !suspicious.test(text)) return JSON.parse(text);
  try {
    return sourceText.parse(text, exact);
  } catch (error) {
    // Nested deeper than the stack is: better rounded than never read, for a watch must go on.
    if (error instanceof RangeError) return JSON.parse(text);
    throw error;
  }
}

function exact(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  return typeof value === 'number' && source !== undefined && source !== String(value)
    ? new ExactNumber(source)
    : value;
}
