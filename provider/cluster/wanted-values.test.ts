import { describe, expect, test } from 'vitest';
import { UNKNOWN } from '../framework/values.ts';
import type { ValueRecord } from '../framework/values.ts';
import { wantedValues } from './wanted-values.ts';

/** Summaries are fixed; what is told is place and detail. */
function told(config: ValueRecord): readonly string[] {
  return wantedValues(config).diagnostics.map(({ severity, path, detail }) =>
    [severity, path?.join('/') ?? '-', detail].join(': '),
  );
}

describe('wantedValues()', () => {
  test('merges typed attributes, the version and texts, later texts last', () => {
    const config = {
      kubernetes_version: '1.36',
      labels: { team: 'a' },
      logging: { level: 'debug' },
      control_plane: { stateful_set: { scheduling: { node_selector: { a: '1' } } } },
      values: [
        'controlPlane: { statefulSet: { scheduling: { nodeSelector: { b: "2" } } } }\nlogging: {level: debug}',
        '{"tracing": {"sampleRatio": "0.5"}}',
        '# nothing\n',
        'tracing: { sampleRatio: "1" }',
      ],
    };
    expect(wantedValues(config)).toEqual({
      values: {
        controlPlane: {
          distro: { k8s: { version: '1.36' } },
          statefulSet: { scheduling: { nodeSelector: { a: '1', b: '2' } } },
        },
        logging: { level: 'debug' },
        tracing: { sampleRatio: '1' },
      },
      isComplete: true,
      diagnostics: [],
    });
  });

  test('takes a text that is null for none', () => {
    const { isComplete, values } = wantedValues({ values: [null, 'logging: {level: debug}'] });
    expect({ isComplete, values }).toEqual({ isComplete: true, values: { logging: { level: 'debug' } } });
  });

  test('refuses the same key with two values, and names both places', () => {
    const version = { distro: { k8s: { version: '1.35' } } };
    expect(told({ kubernetes_version: '1.36', control_plane: version })).toEqual([
      'error: kubernetes_version: control_plane.distro.k8s.version is "1.35", and kubernetes_version is "1.36". ' +
        'Both are the option controlPlane.distro.k8s.version; remove one of them.',
    ]);
    expect(
      told({ logging: { level: 'info' }, values: ['tracing: {sampleRatio: "1"}', 'logging:\n  level: debug'] }),
    ).toEqual([
      'error: values/1: logging.level is "info", and values[1] line 2 is "debug". ' +
        'Both are the option logging.level; remove one of them.',
    ]);
  });

  test('takes the same value twice, also as number and text', () => {
    const volume = { control_plane: { syncer: { resources: { requests: { cpu: '2' } } } } };
    expect(told({ ...volume, values: ['controlPlane: { syncer: { resources: { requests: { cpu: 2 } } } }'] })).toEqual(
      [],
    );
  });

  test.each([
    [
      'logging:\n  level: info\nsync:\n  toHost:\n    pod: {}',
      'Line 5: sync.toHost.pod is not an option. Did you mean sync.toHost.pods?',
    ],
    ['logging:\n  level: loud', 'Line 2: logging.level must be one of debug, info, warn, error, not "loud".'],
    ['a: [1', 'Line 1: this is not YAML ('],
    ['a: 1\na: 2', 'Line 2: this is not YAML (duplicate key).'],
    ['a: 1\n---\nb: 2', 'this is not YAML (multiple docs).'],
    ['- a', 'The values must be an object, not a list.'],
    ['controlPlane:', 'Line 1: controlPlane must be an object, not null.'],
    ['a: &a [1]\nb: *c', 'An alias (*name)'],
  ])('refuses the text %j', (text, words) => {
    const config = { values: ['{}', text] };
    expect(told(config)[0]).toContain(`error: values/1: ${words.startsWith('Line') ? words : ''}`);
    expect(told(config)[0]).toContain(words);
    expect(wantedValues(config).isComplete).toBe(false);
  });

  test('does not repeat what stands in a text that is no YAML', () => {
    expect(JSON.stringify(told({ values: ['password: "abc-secret\nx: ['] }))).not.toContain('abc-secret');
  });

  test('says where something is not known yet, and goes on with the rest', () => {
    const known = wantedValues({ logging: { level: UNKNOWN }, kubernetes_version: '1.36' });
    expect(known).toMatchObject({ isComplete: false, diagnostics: [] });
    expect(known.values).toEqual({
      logging: { level: UNKNOWN },
      controlPlane: { distro: { k8s: { version: '1.36' } } },
    });
    expect(wantedValues({ values: UNKNOWN })).toMatchObject({ isComplete: false, values: {} });
    expect(wantedValues({ values: [UNKNOWN, 'logging: { level: info }'] })).toMatchObject({
      isComplete: false,
      values: { logging: { level: 'info' } },
    });
  });

  test.each([
    ['a private key', '-----BEGIN EC PRIVATE KEY-----'],
    ['a token', 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl'],
    ['a password in a URL', 'https://user:hunter2@registry.example'],
    ['a private key in base64', Buffer.from('-----BEGIN PRIVATE KEY-----').toString('base64')],
    ['a private key in base64', Buffer.from('-----BEGIN EC PRIVATE KEY-----').toString('base64')],
    ['a private key in base64', Buffer.from('-----BEGIN RSA PRIVATE KEY-----').toString('base64')],
  ])('warns of %s, without repeating it', (what, secret) => {
    const config = { control_plane: { service_monitor: { annotations: { note: secret } } } };
    const [warning = ''] = told(config);
    expect(warning).toContain(`warning: -: controlPlane.serviceMonitor.annotations.note looks like ${what}.`);
    expect(warning).not.toContain(secret);
  });
});
