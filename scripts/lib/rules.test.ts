import { expect, test } from 'vitest';
import { mergeRules } from './rules.ts';

test('mergeRules() unites verbs per resource, groups equal ones, and does not depend on order', () => {
  const rules = [
    { apiGroups: [''], resources: ['secrets', 'pods'], verbs: ['watch', 'get'] },
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'get'] },
  ];
  const merged = [
    { apiGroups: [''], resources: ['pods'], verbs: ['create', 'get', 'watch'] },
    { apiGroups: [''], resources: ['pods/log'], verbs: ['get'] },
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'watch'] },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['get'] },
  ];
  expect(mergeRules(rules)).toEqual(merged);
  expect(mergeRules(rules.toReversed())).toEqual(merged);
});
