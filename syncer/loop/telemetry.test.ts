import { describe, expect, test } from 'vitest';
import type { Action, Plan } from '../model/action.ts';
import { pods } from '../model/kubernetes.ts';
import { silentLogger } from '../service/logger.ts';
import { silentMetrics, tellOfPlan } from './telemetry.ts';
import type { Performed } from './telemetry.ts';

const key = { namespace: 'shop', name: 'web' };
const object = { metadata: { ...key, uid: '1' } };
const patch: Action = { do: 'patch', side: 'host', kind: pods, key, patch: {} };
const warn: Action = { do: 'warn', kind: pods, object, reason: 'SyncError', message: 'No.' };
const orphan: Action = {
  do: 'delete',
  side: 'host',
  kind: pods,
  key,
  uid: '1',
  onlyIfAbsent: { side: 'virtual', kind: pods, key },
};

function told(actions: readonly Action[], how: Partial<Performed> = {}): readonly string[] {
  const said: string[] = [];
  const metrics = {
    ...silentMetrics,
    repaired: () => said.push('repaired'),
    orphaned: () => said.push('orphaned'),
    refused: (_: string, by: string) => said.push(`refused by ${by}`),
    tokensIssued: (reason: string, count: number) => said.push(`${count} ${reason}`),
  };
  const log = {
    ...silentLogger,
    info: (_: object, text: string) => said.push(text),
    warn: (_: object, text: string) => said.push(text),
  };
  const plan: Plan = { actions, why: 'because' };
  tellOfPlan({ metrics, log }, { resource: 'pods', key: 'shop/web', plan, isAudit: false, isFirst: false, ...how });
  return said;
}

describe('tellOfPlan() [OPS-27]', () => {
  test.each<[string, readonly Action[], Partial<Performed>, readonly string[]]>([
    ['a change that is followed', [patch], {}, []],
    ['a change that is refused', [warn], {}, ['refused by policy', 'Refused']],
    ['what was refused before, in an audit', [warn], { isAudit: true }, []],
    ['what an audit finds', [patch], { isAudit: true }, ['repaired', 'Repaired a difference that no watch had shown']],
    ['what the first pass finds', [patch], { isAudit: true, isFirst: true }, []],
    [
      'an orphan of the first pass',
      [orphan],
      { isAudit: true, isFirst: true },
      ['orphaned', 'Deleted an orphan: its virtual object is gone'],
    ],
    ['a deletion that was seen', [orphan], {}, []],
  ])('of %s', (_, actions, how, expected) => {
    expect(told(actions, how)).toEqual(expected);
  });

  test('of tokens, new ones and renewed ones', () => {
    const token = {
      dataKey: 'a',
      serviceAccount: key,
      audiences: [],
      expirationSeconds: 600,
      pod: { name: 'web', uid: '1' },
    };
    const issue: Action = { do: 'issueTokens', secret: object, tokens: [token, token] } as unknown as Action;
    expect(told([issue])).toEqual(['2 new']);
    expect(told([{ ...issue, existing: { resourceVersion: '1' } } as Action])).toEqual(['2 renewal']);
  });
});
