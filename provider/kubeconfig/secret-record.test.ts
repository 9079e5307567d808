/** A Secret's record, written and read again; and what is read of one that somebody else has written. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostObject } from '../../operations/types.ts';
import { recordAnnotation, recordText, tryReadRecord } from './secret-record.ts';
import type { Recorded } from './secret-record.ts';
import { valuesOf, wishOf } from './secret-values.ts';
import { wantedAnnotations, wantedLabels } from './secret-wish.ts';

const label = fc.stringMatching(/^[a-z]([-a-z0-9]{0,30}[a-z0-9])?$/u);
const words = fc.dictionary(label, fc.string());
const time = fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true });
const role = fc.oneof(
  fc.record({ kind: fc.constant('Role' as const), name: fc.string({ minLength: 1 }), namespace: label }),
  fc.record({
    kind: fc.constant('ClusterRole' as const),
    name: fc.string({ minLength: 1 }),
    namespace: fc.option(label, { nil: undefined }),
  }),
);
const recorded: fc.Arbitrary<Recorded> = fc.record({
  wish: fc.record({
    cluster: fc.record({ namespace: label, name: label }),
    place: fc.record({ namespace: label, name: label }),
    format: fc.constantFrom('kubeconfig', 'argocd'),
    key: label,
    labels: words,
    annotations: words,
    account: fc.record({ namespace: label, name: label }),
    createAccount: fc.boolean(),
    role: fc.option(role, { nil: undefined }),
    expirationSeconds: fc.integer({ min: 600 }),
    server: fc.option(fc.webUrl(), { nil: undefined }),
    serverName: fc.option(label, { nil: undefined }),
  }),
  made: fc.record({
    salt: label,
    digest: label,
    accountUid: fc.option(fc.uuid(), { nil: undefined }),
  }),
  issued: time,
  expires: time,
});

/** The Secret as it is on the host. */
function secretOf(from: Recorded): HostObject {
  const { place } = from.wish;
  const others = { 'of-others': 'x' };
  return {
    metadata: {
      ...place,
      uid: 'uid',
      labels: { ...others, ...wantedLabels(from.wish) },
      annotations: { ...others, ...wantedAnnotations(from.wish), [recordAnnotation]: recordText(from) },
    },
  };
}

describe('the record of a Secret', () => {
  test('says all that it was made from, as long as the Secret has it, and what was made', () => {
    const roundTrip = (from: Recorded): void => {
      const read = tryReadRecord(secretOf(from));
      expect(read).toMatchObject({ wish: from.wish, issued: from.issued, expires: from.expires });
      const { labels, annotations } = secretOf(from).metadata;
      const ours = (all: object = {}): string[] => Object.keys(all).filter((key) => key !== 'of-others');
      expect(read?.made).toEqual({
        ...from.made,
        role: from.wish.role,
        secretUid: 'uid',
        record: recordText(from),
        labels: expect.toSatisfy((keys: string[]) => isSame(keys, ours(labels))),
        annotations: expect.toSatisfy((keys: string[]) => isSame(keys, ours(annotations))),
      });
      expect(read && wishOf(valuesOf(read))).toEqual(from.wish);
    };
    fc.assert(fc.property(recorded, roundTrip));
  });

  test('is none when it is anything else, whatever it is', () => {
    const [any] = fc.sample(recorded, 1);
    const secret = any && secretOf(any);
    const forged = (text: string): void => {
      const annotations = { ...secret?.metadata.annotations, [recordAnnotation]: text };
      expect(tryReadRecord({ metadata: { name: 'x', annotations } })).toBeUndefined();
    };
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), forged));
    expect(tryReadRecord({ metadata: { name: 'x' } })).toBeUndefined();
  });

  test('of another virtual cluster than the Secret says is none', () => {
    const moved = (from: Recorded): void => {
      const { metadata } = secretOf(from);
      const annotations = { ...metadata.annotations, 'cdktf-vcluster/kubeconfig-of': 'somewhere/else1' };
      expect(tryReadRecord({ metadata: { ...metadata, annotations } })).toBeUndefined();
    };
    fc.assert(fc.property(recorded, moved));
  });
});

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return JSON.stringify(some.toSorted()) === JSON.stringify(others.toSorted());
}
