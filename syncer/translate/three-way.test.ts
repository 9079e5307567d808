import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { release } from '../../test/support/release.ts';
import { viewOf } from '../../test/support/world.ts';
import { configMaps } from '../model/kubernetes.ts';
import type { Metadata, StringMap } from '../model/object.ts';
import { mergePatch } from './equality.ts';
import { annotationKeys, onHost, withMarks } from './metadata.ts';
import { mergeMetadata, pullMetadata } from './three-way.ts';

const view = viewOf({});

function virtualOf(labels: StringMap, annotations: StringMap = {}): Metadata {
  return { name: 'settings', namespace: 'shop', uid: 'u1', resourceVersion: '5', labels, annotations };
}

/** The host object as it is sent for a virtual one. */
function sentFor(virtual: Metadata): Metadata {
  return onHost({ metadata: virtual }, configMaps, view, {}).metadata;
}

/** What becomes of both sides, whatever order it takes, until there is nothing more to write. */
function settle(virtual: Metadata, host: Metadata): { virtual: Metadata; host: Metadata; rounds: number } {
  for (let rounds = 0; ; rounds++) {
    const desired = sentFor(virtual);
    const pulled = pullMetadata(host, desired, virtual);
    const merged = mergeMetadata(host, desired);
    if (pulled === undefined && mergePatch(host, merged) === undefined) return { virtual, host, rounds };
    if (rounds > 3) throw new Error('never at rest');
    virtual = applied(virtual, pulled ?? {});
    host = merged;
  }
}

function applied(metadata: Metadata, patch: { readonly labels?: object; readonly annotations?: object }): Metadata {
  const change = (map: StringMap | undefined, by: object | undefined): StringMap =>
    Object.fromEntries(Object.entries({ ...map, ...by }).filter(([, value]) => value !== null)) as StringMap;
  return {
    ...metadata,
    labels: change(metadata.labels, patch.labels),
    annotations: change(metadata.annotations, patch.annotations),
  };
}

function edited(host: Metadata, labels: Readonly<Record<string, string | null>>): Metadata {
  return applied(host, { labels });
}

describe('three-way merge of labels', () => {
  const before = virtualOf({ app: 'web', tier: 'front' });
  const host = sentFor(before);

  test.each([
    ['changed on the host', edited(host, { app: 'other' }), before, { app: 'other', tier: 'front' }],
    ['added on the host', edited(host, { zone: 'a' }), before, { app: 'web', tier: 'front', zone: 'a' }],
    ['removed on the host', edited(host, { tier: null }), before, { app: 'web' }],
    ['changed by the tenant', host, virtualOf({ app: 'mine', tier: 'front' }), { app: 'mine', tier: 'front' }],
    ['removed by the tenant', host, virtualOf({ app: 'web' }), { app: 'web' }],
    [
      'different keys changed on both sides: both stay',
      edited(host, { tier: 'back' }),
      virtualOf({ app: 'mine', tier: 'front' }),
      { app: 'mine', tier: 'back' },
    ],
    [
      'the same key changed on both sides: the virtual side wins',
      edited(host, { app: 'other' }),
      virtualOf({ app: 'mine', tier: 'front' }),
      { app: 'mine', tier: 'front' },
    ],
    [
      'removed by the tenant and changed on the host: the virtual side wins',
      edited(host, { tier: 'back' }),
      virtualOf({ app: 'web' }),
      { app: 'web' },
    ],
  ])('%s [CORE-13, CORE-16, CORE-17, LAB-08, LAB-13]', (_, hostNow, virtualNow, labels) => {
    const end = settle(virtualNow, hostNow);
    expect(end.virtual.labels).toEqual(labels);
    expect(end.host.labels).toEqual({
      ...labels,
      'vcluster.loft.sh/managed-by': 'vc1',
      'vcluster.loft.sh/namespace': 'shop',
    });
  });

  test('the base is what was sent, so what a server made of it at once counts as changed there [CORE-14]', () => {
    const answered = edited(sentFor(before), { app: 'defaulted' });
    expect(pullMetadata(answered, sentFor(before), before)).toEqual({ labels: { app: 'defaulted' } });
  });

  test('without a base, or with a broken one, the virtual side wins and what the host has added stays [CORE-15]', () => {
    for (const base of ['', 'nonsense', 'label', 'label app']) {
      const annotations = { ...host.annotations, [annotationKeys.base]: base };
      const end = settle(before, edited({ ...host, annotations }, { app: 'other', zone: 'a' }));
      expect(end.virtual.labels).toEqual({ app: 'web', tier: 'front', zone: 'a' });
    }
  });

  test('a base without anything else to write is never renewed by itself', () => {
    const later = { ...before, resourceVersion: '99' };
    expect(mergePatch(host, mergeMetadata(host, sentFor(later)))).toBeUndefined();
  });
});

describe('annotations that travel back [ANN-03]', () => {
  const virtual = virtualOf({}, { note: 'one' });
  const host = sentFor(virtual);
  const pulled = (annotations: Readonly<Record<string, string | null>>): unknown =>
    pullMetadata(applied(host, { annotations }), sentFor(virtual), virtual);

  test('what controllers on the host have written', () => {
    expect(pulled({ 'example.com/status': 'ok' })).toEqual({ annotations: { 'example.com/status': 'ok' } });
    expect(pulled({ note: null })).toEqual({ annotations: { note: null } });
  });

  test.each([
    ['bookkeeping', { 'vcluster.loft.sh/anything': 'x' }],
    ['what may not travel the other way either', { 'cni.projectcalico.org/podIP': '10.0.0.1' }],
    ['what gives the host name away', { 'example.com/for': 'pod/settings-x-shop-x-vc1' }],
  ])('%s stays on the host [I7, ANN-02, ANN-07]', (_, annotations) => {
    expect(pulled(annotations)).toBeUndefined();
  });

  test('marks of this program are neither shown nor given up', () => {
    const marks = { annotations: { 'example.com/mark': 'true' } };
    const marked = withMarks({ metadata: sentFor(virtual) }, marks).metadata;
    expect(pullMetadata(marked, marked, virtual)).toBeUndefined();
    const tampered = applied(marked, { annotations: { 'example.com/mark': 'false' } });
    expect(pullMetadata(tampered, marked, virtual)).toBeUndefined();
    expect(mergeMetadata(tampered, marked).annotations).toMatchObject({ 'example.com/mark': 'true' });
  });
});

test('whatever both sides have done, they come to rest in agreement, and stay there [I1, I2]', () => {
  const key = fc.constantFrom('a', 'b', 'example.com/c', 'release');
  const map = fc.dictionary(key, fc.constantFrom('1', '2', '3'));
  fc.assert(
    fc.property(map, map, map, (first, tenants, hosts) => {
      const sent = sentFor(virtualOf(first, first));
      const kept = Object.entries(sent.labels ?? {}).filter(([name]) => name.startsWith('vcluster.loft.sh/'));
      const host = { ...sent, labels: { ...Object.fromEntries(kept), ...hosts } };
      const end = settle(virtualOf(tenants, tenants), host);
      const { release: _own, ...shown } = end.virtual.labels ?? {};
      const { release: _theirs, ...there } = end.host.labels ?? {};
      expect(Object.fromEntries(Object.entries(there).filter(([name]) => !name.startsWith('vcluster.')))).toEqual(
        shown,
      );
    }),
  );
  expect(release.storeEpoch).toBe(0);
});
