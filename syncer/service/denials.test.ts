import { describe, expect, test } from 'vitest';
import { ConfigurationError } from '../model/errors.ts';
import { Denials } from './denials.ts';

const where = { release: 'team-a', namespace: 'tenants' };
const rules = [
  { apiGroups: [''], resources: ['pods', 'services'], verbs: ['get', 'list', 'watch', 'create'] },
  { apiGroups: [''], resources: ['services'], verbs: ['delete'] },
];

function world(): { readonly denials: Denials; readonly pass: (ms: number) => void } {
  let nowMs = 0;
  return { denials: new Denials(() => nowMs), pass: (ms) => void (nowMs += ms) };
}

describe('Denials [OPS-17]', () => {
  test('after some patience the error names the whole rule that is missing', () => {
    const { denials, pass } = world();
    denials.note({ side: 'host', kind: 'services', status: 403 });
    expect(() => denials.check(where, rules)).not.toThrow();
    pass(6_000);
    denials.note({ side: 'host', kind: 'services', status: 403 });
    expect(() => denials.check(where, rules)).toThrow(ConfigurationError);
    expect(() => denials.check(where, rules)).toThrow(
      'refuses to list services in namespace tenants (403). Role vc-team-a of that namespace, or its RoleBinding, lacks: ' +
        '{"apiGroups":[""],"resources":["services"],"verbs":["create","delete","get","list","watch"]}',
    );
  });

  test('a list that is allowed after all was only a role that came late', () => {
    const { denials, pass } = world();
    denials.note({ side: 'host', kind: 'services', status: 403 });
    denials.note({ side: 'host', kind: 'services', status: 200 });
    pass(60_000);
    expect(() => denials.check(where, rules)).not.toThrow();
    expect(denials.current).toEqual([]);
  });

  test.each([
    ['an API server that is away', { side: 'host', kind: 'pods', status: 0 }],
    ['a token that has run out', { side: 'host', kind: 'pods', status: 401 }],
    ['a virtual API server that still starts', { side: 'virtual', kind: 'pods', status: 403 }],
  ])('%s is waited for', (_, report) => {
    const { denials, pass } = world();
    denials.note(report);
    pass(60_000);
    expect(() => denials.check(where, rules)).not.toThrow();
  });
});
