import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, parseJson } from './json.ts';

function again(text: string): string {
  return JSON.stringify(parseJson(text));
}

/** Any number that JSON can write, canonical or not. */
const numberTexts = fc
  .tuple(
    fc.constantFrom('', '-'),
    fc.oneof(fc.constant('0'), fc.bigInt({ min: 1n, max: 10n ** 40n }).map(String), fc.nat().map(String)),
    fc.option(fc.stringMatching(/^\.\d{1,20}$/u), { nil: '' }),
    fc.option(fc.stringMatching(/^[eE][+-]?\d{1,3}$/u), { nil: '' }),
  )
  .map((parts) => parts.join(''));

const keys = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', ''));

/** JSON text, compact as API servers write it, with every kind of number and key. */
const { json: jsonTexts } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 4 },
    numberTexts,
    fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'false', 'null', '"app:1.5"', '"a,1.5"', '[1.50,2]'),
    fc.array(tie('json')).map((items) => `[${items.join(',')}]`),
    fc
      .uniqueArray(fc.tuple(keys, tie('json')), { selector: ([key]) => key })
      // JavaScript moves keys that look like an index to the front; what they mean is the same.
      .map((entries) => entries.filter(([key]) => !/^\d+$/u.test(key)))
      .map((entries) => `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`),
  ),
}));

describe('parseJson()', () => {
  test('what JSON.stringify writes of it is the same, byte for byte [CORE-24, F71]', () => {
    const unchanged = (text: string): void => {
      expect(again(text)).toBe(text);
    };
    fc.assert(fc.property(jsonTexts, unchanged), { numRuns: 2_000 });
  });

  test.each([
    '{"a":9007199254740993}',
    '[-9223372036854775808,18446744073709551615]',
    '{"a":-0}',
    '[1.0,1.50,1e3,1E+3,-0.0,1e400]',
    '-0',
    '1.0',
    '{"seconds":9223372036854775807,"image":"app/1.2.3"}',
  ])('%s comes out as it went in', (text) => {
    expect(again(text)).toBe(text);
    const spaced = text.replaceAll(/(?<=[:[,])(?=[-\d])/gu, ' \n\t').replaceAll(/(?<=\d)(?=[\]},])/gu, '\r ');
    expect(again(spaced)).toBe(text);
  });

  test('ordinary numbers stay numbers, the others compare and print like one', () => {
    expect(parseJson('{"a":1,"b":-2.5,"c":9007199254740991,"d":1e+21}')).toEqual({
      a: 1,
      b: -2.5,
      c: 2 ** 53 - 1,
      d: 1e21,
    });
    const { big } = parseJson('{"big":9007199254740993}') as { big: ExactNumber };
    expect(big).toBeInstanceOf(ExactNumber);
    expect(Number(big) > 30).toBe(true);
    expect(`${String(big)} seconds`).toBe('9007199254740993 seconds');
  });

  test('keys with a meaning in JavaScript are keys like others, and touch no prototype [F71]', () => {
    const text = '{"__proto__":{"polluted":9007199254740993},"constructor":{"prototype":{"polluted":true}}}';
    const parsed = parseJson(text) as Record<string, unknown>;
    expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor']);
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(again(text)).toBe(text);
    expect(JSON.stringify({ ...parsed })).toBe(text);
    expect({}).not.toHaveProperty('polluted');
  });

  test('of equal keys the last wins, also where numbers need care [F71]', () => {
    expect(again('{"a":9007199254740993,"a":1}')).toBe('{"a":1}');
    expect(again('{"a":1,"a":9007199254740993}')).toBe('{"a":9007199254740993}');
    expect(again('{"a":{"x":-0},"a":[9007199254740995]}')).toBe('{"a":[9007199254740995]}');
  });

  test('lone surrogates stay escaped, so that no byte of them is lost on the way [F71]', () => {
    const text = String.raw`{"a":"\ud800","b":"x\udfffy","n":-0}`;
    expect(again(text)).toBe(text);
    expect(Buffer.from(again(text)).toString()).toBe(text);
  });

  test('nothing is nested too deep to be read [F71]', () => {
    const depth = 10_000;
    expect(() => parseJson(`${'{"a":['.repeat(depth)}-0${']}'.repeat(depth)}`)).not.toThrow();
  });

  test('says what JSON.parse says about what is no JSON', () => {
    expect(() => parseJson('{"a":01}')).toThrow(SyntaxError);
    expect(() => parseJson('')).toThrow(SyntaxError);
  });
});
