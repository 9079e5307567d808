/** Log lines in the form that Terraform parses, and what never stands in them. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLog, levelFrom } from './log.ts';
import { Secrets } from './secrets.ts';

function logging(
  level: Parameters<typeof createLog>[0]['level'] = 'trace',
  secrets = new Secrets(),
): { readonly log: ReturnType<typeof createLog>; readonly lines: string[] } {
  const lines: string[] = [];
  const now = (): Date => new Date('2026-01-02T03:04:05.006Z');
  return { log: createLog({ level, secrets, write: (line) => lines.push(line), now }), lines };
}

describe('createLog()', () => {
  test('a line has level, module and a time with six digits, and ends with one line break', () => {
    const { log, lines } = logging();
    log.info('Made', { name: 'a\nb', size: 3 });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(lines[0] ?? '')).toEqual({
      '@level': 'info',
      '@message': 'Made',
      '@module': 'vcluster',
      '@timestamp': '2026-01-02T03:04:05.006000Z',
      name: 'a\nb',
      size: 3,
    });
  });

  test('fields cannot take the place of what Terraform reads', () => {
    const { log, lines } = logging();
    log.warn('Message', { '@level': 'error', '@timestamp': 'never' });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ '@level': 'warn', '@timestamp': '2026-01-02T03:04:05.006000Z' });
  });

  test('only levels from the chosen one on are written; without a choice none', () => {
    const { log, lines } = logging('warn');
    for (const level of ['trace', 'debug', 'info', 'warn', 'error'] as const) log[level](level);
    expect(lines.map((line) => (JSON.parse(line) as Record<string, string>)['@level'])).toEqual(['warn', 'error']);
    const off: string[] = [];
    createLog({ level: undefined, secrets: new Secrets(), write: (line) => off.push(line) }).error('x');
    expect(off).toEqual([]);
  });

  test('nothing that is logged can make it throw', () => {
    const { log, lines } = logging();
    const loop: { self?: unknown } = {};
    loop.self = loop;
    const hostile = {
      toJSON: () => {
        throw new Error('no');
      },
    };
    log.info('odd', { loop, big: 10n, bytes: new Uint8Array(9), none: undefined, text: Symbol('x'), f: () => 1 });
    log.info('hostile', { hostile });
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ loop: { self: '[repeated]' }, big: '10', bytes: '[bytes]' });
    expect(JSON.parse(lines[1] ?? '')).toMatchObject({ '@message': 'hostile', hostile: '[unreadable]' });
  });

  test('an error has its stack and what it is because of', () => {
    const { log, lines } = logging();
    log.error('Failed', { error: new Error('outer', { cause: new Error('inner') }) });
    const { error } = JSON.parse(lines[0] ?? '') as { error: string };
    expect(error).toMatch(/^Error: outer\n +at [^]*because of Error: inner\n +at /);
  });

  test('a long text is cut, but never through a secret', () => {
    const secrets = new Secrets();
    secrets.add('s3cret-value');
    const { log, lines } = logging('trace', secrets);
    log.info('long', { text: `${'x'.repeat(16_380)}s3cret-value` });
    expect(lines[0]?.length).toBeLessThan(17_000);
    expect(lines[0]).not.toContain('s3cr');
  });
});

describe('levelFrom()', () => {
  test.each([
    [{}, 'warn'],
    [{ TF_LOG: '' }, 'warn'],
    [{ TF_LOG: 'debug' }, 'debug'],
    [{ TF_LOG: 'ERROR', TF_LOG_PROVIDER: 'TRACE' }, 'trace'],
    [{ TF_LOG: 'json' }, 'trace'],
    [{ TF_LOG: 'off' }, undefined],
    [{ TF_LOG: 'loud' }, 'trace'],
  ])('%j is %s', (env, level) => {
    expect(levelFrom(env)).toBe(level);
  });
});

const pem = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg0Q3rTsPq9Yk1Wm2t
b1x9yQd0tN8W7q2hRANCAAT1
-----END PRIVATE KEY-----
`;

describe('Secrets', () => {
  const inside: readonly (readonly [string, (secret: string) => string])[] = [
    ['as it is', (secret) => secret],
    ['in base64', (secret) => Buffer.from(secret).toString('base64')],
    ['in base64, with text after it', (secret) => Buffer.from(`${secret} and more`).toString('base64')],
    ['in base64url', (secret) => Buffer.from(secret).toString('base64url')],
    ['in JSON', (secret) => JSON.stringify({ secret })],
    ['in a URL', (secret) => `https://x/?t=${encodeURIComponent(secret)}`],
  ];

  test.each(inside)('no secret is found %s, in a message, a field, a name or an error', (_, form) => {
    const secret = fc
      .string({ minLength: 12, maxLength: 60, unit: 'grapheme-ascii' })
      .filter((text) => /\w{8}/.test(text));
    fc.assert(
      fc.property(secret, (value) => {
        const secrets = new Secrets();
        secrets.add(value);
        const { log, lines } = logging('trace', secrets);
        const text = form(value);
        log.info(`m ${text}`, { field: text, deep: [{ [text]: 1 }], error: new Error(text) });
        const written = lines.join('');
        expect(written).toContain('[secret]');
        for (const [, each] of inside) {
          const bare = each(value)
            .replace(/^https.*t=/, '')
            .replace(/^\{"secret":"(.*)"\}$/, '$1');
          expect(written).not.toContain(bare);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('lines of a key are secrets by themselves, its BEGIN and END are not', () => {
    const secrets = new Secrets();
    secrets.add(pem);
    const [, first = '', second = ''] = pem.split('\n');
    expect(secrets.redact(`a ${first} b ${second} c`)).toBe('a [secret] b [secret] c');
    expect(secrets.redact(JSON.stringify({ pem }))).toBe('{"pem":"[secret]"}');
    expect(secrets.redact('-----BEGIN PRIVATE KEY-----')).toBe('-----BEGIN PRIVATE KEY-----');
  });

  test('a secret within another one is replaced with it', () => {
    const secrets = new Secrets();
    secrets.add('abcdef', 'abcdefgh');
    expect(secrets.redact('abcdefgh abcdef')).toBe('[secret] [secret]');
  });

  test('very short texts and undefined are not secrets: they would hide every line', () => {
    const secrets = new Secrets();
    secrets.add('', 'a', 'admin', undefined);
    expect(secrets.redact('an admin')).toBe('an admin');
  });
});
