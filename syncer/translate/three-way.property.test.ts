/** Labels and annotations that both sides change as they like: they always come to agree, and nothing crosses that must not. */
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { configMaps as kind } from '../model/kubernetes.ts';
import type { ConfigMap } from '../model/kubernetes.ts';
import type { Metadata, StringMap } from '../model/object.ts';
import { configMaps } from '../resources/configmaps.ts';
import { configMapObjects, labelKeyNames, labelValues, runs } from '../../test/support/arbitraries.ts';
import { secondLook, settle } from '../../test/support/settle.ts';
import { object } from '../../test/support/world.ts';
import { isDeniedAnnotation } from './denied-annotations.ts';
import { isDeniedLabel } from './denied-labels.ts';
import { isReserved } from './labels.ts';

const often = runs(100);
vi.setConfig({ testTimeout: 60_000 });

/** What somebody does to one map: new values, and keys that go. */
function editsOf(keys: fc.Arbitrary<string>): fc.Arbitrary<Edits> {
  const values = fc.oneof(labelValues, fc.constant(undefined));
  const edits = fc.dictionary(keys, values, { maxKeys: 4, noNullPrototype: true });
  return fc.record({ labels: edits, annotations: edits });
}

const plain = labelKeyNames.filter((key) => !isReserved(key));
const ofTenant = editsOf(plain);
/** An administrator of the host may invent bookkeeping, too. */
const ofHost = editsOf(fc.oneof(plain, fc.constant('vcluster.loft.sh/invented')));

type Edits = Readonly<Record<'labels' | 'annotations', Readonly<Record<string, string | undefined>>>>;

function edited(metadata: Metadata, { labels, annotations }: Edits, resourceVersion: string): Metadata {
  const change = (map: StringMap = {}, by: Edits['labels']): StringMap =>
    Object.fromEntries(
      Object.entries({ ...map, ...by }).filter((entry): entry is [string, string] => entry[1] !== undefined),
    );
  return {
    ...metadata,
    resourceVersion,
    labels: change(metadata.labels, labels),
    annotations: change(metadata.annotations, annotations),
  };
}

/** What both sides are to agree on: nobody's bookkeeping, and nothing that the host would act upon. */
function shared({ labels = {}, annotations = {} }: Metadata): unknown {
  const keep = (map: StringMap, isDenied: (key: string) => boolean): StringMap =>
    Object.fromEntries(Object.entries(map).filter(([key]) => !isReserved(key) && !isDenied(key) && key !== 'owner'));
  return { labels: keep(labels, isDeniedLabel), annotations: keep(annotations, isDeniedAnnotation) };
}

/** Keys of what must never cross to this side. */
function kept({ labels = {}, annotations = {} }: Metadata): readonly string[] {
  return [
    ...Object.keys(labels).filter((key) => isReserved(key) || isDeniedLabel(key)),
    ...Object.keys(annotations).filter((key) => isReserved(key) || isDeniedAnnotation(key)),
  ].toSorted();
}

const empty = object<ConfigMap>(kind, {});

test('whatever both sides change at once, they come to agree, and stay so [CORE-16, CORE-17, LAB-08, ANN-03]', () => {
  const agree = (first: ConfigMap, here: Edits, there: Edits): void => {
    const { virtual = empty, host = empty } = settle(configMaps, { virtual: first, host: undefined }, {});
    const settled = settle(
      configMaps,
      {
        virtual: { ...virtual, metadata: edited(virtual.metadata, here, '20000') },
        host: { ...host, metadata: edited(host.metadata, there, '20001') },
      },
      {},
    );
    const [now, onHost] = [settled.virtual ?? empty, settled.host ?? empty];
    expect(shared(now.metadata)).toEqual(shared(onHost.metadata));
    expect(secondLook(configMaps, settled, {})).toEqual([]);
    // Bookkeeping of the host never shows up here, and what a tenant calls bookkeeping never shows up there.
    expect(kept(now.metadata)).toEqual(kept(edited(virtual.metadata, here, '')));
    expect(Object.keys(onHost.metadata.labels ?? {}).filter(isDeniedLabel)).toEqual(
      Object.keys(there.labels).filter((key) => isDeniedLabel(key) && there.labels[key] !== undefined),
    );
  };
  fc.assert(fc.property(configMapObjects, ofTenant, ofHost, agree), often);
});

test('where both have changed the same key, the tenant has the last word [CORE-16]', () => {
  const decides = (first: ConfigMap, key: string, [old, mine, theirs]: readonly string[]): void => {
    const before = edited(first.metadata, { labels: { [key]: old }, annotations: {} }, '2');
    const { virtual = empty, host = empty } = settle(
      configMaps,
      { virtual: { ...first, metadata: before }, host: undefined },
      {},
    );
    const change = (to: string | undefined): Edits => ({ labels: { [key]: to }, annotations: {} });
    const settled = settle(
      configMaps,
      {
        virtual: { ...virtual, metadata: edited(virtual.metadata, change(mine), '20000') },
        host: { ...host, metadata: edited(host.metadata, change(theirs), '20001') },
      },
      {},
    );
    const [now, onHost] = [settled.virtual ?? empty, settled.host ?? empty];
    expect(now.metadata.labels?.[key]).toBe(mine);
    expect(onHost.metadata.labels?.[key]).toBe(mine);
  };
  const plainKeys = fc.stringMatching(/^[a-y]{2,6}$/u).filter((key) => !isDeniedLabel(key) && key !== 'owner');
  const values = fc.uniqueArray(labelValues, { minLength: 3, maxLength: 3 });
  fc.assert(fc.property(configMapObjects, plainKeys, values, decides), often);
});
