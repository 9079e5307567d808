import { describe, expect, test } from 'vitest';
import type { Action } from '../../model/action.ts';
import type { Container, Pod, PodSpec } from '../../model/kubernetes.ts';
import type { Metadata } from '../../model/object.ts';
import { mergePatch } from '../../translate/equality.ts';
import { podOf, usual, viewOf } from './fixtures.ts';
import { pods } from './pods.ts';
import { pushResize } from './resize.ts';
import { pull, statusFromHost } from './status.ts';

const key = 'vcluster.loft.sh/applied-resources';
const view = viewOf(usual);
const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };

function app(requests?: object, limits?: object): Container {
  return { name: 'app', image: 'app:1', resources: { ...(requests && { requests }), ...(limits && { limits }) } };
}

function sized(requests?: object, limits?: object, more: Partial<PodSpec> = {}): Pod {
  return podOf({ containers: [app(requests, limits)], ...more });
}

/** The host pod of a virtual one, as its API server returns it. */
function live(virtual: Pod, spec: Partial<PodSpec> = {}, metadata: Partial<Metadata> = {}): Pod {
  const translated = pods.toHost(virtual, view);
  if (translated.is !== 'object') throw new Error(translated.why);
  const { object } = translated;
  return {
    ...object,
    metadata: { ...object.metadata, uid: 'host-uid', resourceVersion: '70', ...metadata },
    spec: { ...object.spec, ...spec },
  };
}

type Written = Partial<PodSpec> | undefined;

/** What a resize sends, and what is noted with it. */
function written(actions: readonly Action[]): { readonly sent: Written; readonly noted: unknown } {
  const patches = actions.flatMap((action) => (action.do === 'patch' ? [action] : []));
  const sent: Partial<Pod> = patches.find(({ subresource }) => subresource === 'resize')?.patch ?? {};
  const noted: Partial<Pod> = patches.find(({ subresource }) => subresource === undefined)?.patch ?? {};
  return { sent: sent.spec, noted: noted.metadata?.annotations?.[key] };
}

describe('pushResize()', () => {
  const before = sized({ cpu: '100m', memory: '64Mi' });

  test('a changed request is sent by its own verb to the pod that was read, then noted [POD-84]', () => {
    const actions = pushResize(live(before), sized({ cpu: '200m', memory: '64Mi' }));
    expect(actions).toMatchObject([
      {
        do: 'patch',
        side: 'host',
        subresource: 'resize',
        patch: {
          metadata: { uid: 'host-uid', resourceVersion: '70' },
          spec: { containers: [{ name: 'app', resources: { requests: { cpu: '200m', memory: '64Mi' } } }] },
        },
      },
      { do: 'patch', side: 'host', patch: { metadata: { uid: 'host-uid' } } },
    ]);
    expect(written(actions).noted).toBe('{"app":{"requests":{"cpu":"200m","memory":"64Mi"}}}');
  });

  test.each<[string, Pod, Pod]>([
    ['without resources', live(podOf()), podOf()],
    ['with resources as last applied', live(before), before],
    [
      'whose host has defaults of a limit range [POD-85]',
      live(before, { containers: [app({ cpu: '100m', memory: '64Mi' }, { memory: '1Gi' })] }),
      before,
    ],
    [
      'without resources, whose host has defaults [POD-85]',
      live(podOf(), { containers: [app({ cpu: '1' }, { cpu: '2' })] }),
      podOf(),
    ],
    ['resized on the host by an autoscaler [POD-85]', live(before, { containers: [app({ cpu: '3' })] }), before],
    ['that is going on the host', live(before, {}, deleting), sized({ cpu: '1' })],
    ['that is going', live(before), { ...sized({ cpu: '1' }), metadata: { ...before.metadata, ...deleting } }],
  ])('a pod %s is left alone', (_, host, virtual) => {
    expect(pushResize(host, virtual)).toEqual([]);
  });

  test('only what the tenant changed changes; the rest of the host stays [POD-85]', () => {
    const sidecar = { name: 'sidecar', image: 'mesh', resources: { limits: { cpu: '1' } } };
    const host = live(before, {
      containers: [sidecar, app({ cpu: '100m', memory: '96Mi', 'example.com/gpu': '1' }, { memory: '1Gi' })],
    });
    expect(written(pushResize(host, sized({ cpu: '200m', memory: '64Mi' }))).sent?.containers).toEqual([
      sidecar,
      app({ cpu: '200m', memory: '96Mi', 'example.com/gpu': '1' }, { memory: '1Gi' }),
    ]);
  });

  test('a value that the tenant takes away is taken away on the host', () => {
    const host = live(sized({ cpu: '100m' }, { cpu: '1', memory: '1Gi' }));
    const { sent } = written(pushResize(host, sized({ cpu: '100m' }, { cpu: '1' })));
    expect(sent?.containers).toMatchObject([{ resources: { limits: { cpu: '1' } } }]);
    expect(sent?.containers?.[0]?.['resources']).not.toHaveProperty('limits.memory');
  });

  test('init containers that keep running are resized, too', () => {
    const proxy = { name: 'proxy', restartPolicy: 'Always', resources: { requests: { cpu: '1' } } };
    const bigger = { ...proxy, resources: { requests: { cpu: '2' } } };
    const host = live(podOf({ initContainers: [proxy] }));
    const { sent, noted } = written(pushResize(host, podOf({ initContainers: [bigger] })));
    expect(sent?.initContainers).toMatchObject([{ name: 'proxy', resources: { requests: { cpu: '2' } } }]);
    expect(noted).toBe('{"proxy":{"requests":{"cpu":"2"}}}');
  });

  test('a resize that was made and not noted, or made by the host, is only noted: never sent twice', () => {
    const host = live(before, { containers: [app({ cpu: '0.2', memory: '64Mi' })] });
    const actions = pushResize(host, sized({ cpu: '200m', memory: '64Mi' }));
    expect(written(actions)).toEqual({ sent: undefined, noted: expect.any(String) as string });
  });

  test('the note goes with the last resource', () => {
    const [action] = pushResize(live(before, { containers: [app()] }), podOf());
    expect(action).toMatchObject({ patch: { metadata: { annotations: { [key]: null } } } });
  });

  test.each(['{', '[]', '"x"'])('a broken note %s is compared once and written again', (text) => {
    const host = live(before);
    const broken = { ...host, metadata: { ...host.metadata, annotations: { [key]: text } } };
    expect(written(pushResize(broken, before))).toEqual({ sent: undefined, noted: expect.any(String) as string });
  });
});

describe('the note of applied resources [POD-85]', () => {
  test('is made with the pod, and not for pods without resources', () => {
    expect(live(sized({ cpu: '1' })).metadata.annotations).toMatchObject({ [key]: '{"app":{"requests":{"cpu":"1"}}}' });
    expect(live(podOf()).metadata.annotations).not.toHaveProperty([key]);
  });

  test('is not renewed by an ordinary update: the resize would be forgotten', () => {
    const host = live(sized({ cpu: '1' }));
    expect(mergePatch(host, pods.merge(host, live(sized({ cpu: '2' }))))).toBeUndefined();
    const without = live(podOf());
    expect(mergePatch(without, pods.merge(without, live(sized({ cpu: '2' }))))).toBeUndefined();
  });

  test('cannot be written by a tenant', () => {
    const { metadata, ...rest } = podOf();
    const forged = { ...rest, metadata: { ...metadata, annotations: { [key]: '{"app":{}}' } } };
    expect(live(forged).metadata.annotations).not.toHaveProperty([key]);
  });
});

describe('pull()', () => {
  test('makes one kind of change at a time: first the ephemeral containers, then the resize', () => {
    const host = live(sized({ cpu: '1' }));
    const bigger = sized({ cpu: '2' }, undefined, { ephemeralContainers: [{ name: 'debug' }] });
    const subresources = (of: Pod): readonly unknown[] =>
      pull(of, bigger, view).map((action) => action.do === 'patch' && action.subresource);
    expect(subresources(host)).toEqual(['ephemeralcontainers']);
    expect(subresources({ ...host, spec: { ...host.spec, ephemeralContainers: [{ name: 'debug' }] } })).toEqual([
      'resize',
      undefined,
    ]);
  });

  test('brings back how the resize goes [POD-86]', () => {
    const status = {
      resize: 'InProgress',
      conditions: [
        { type: 'PodResizePending', status: 'True' },
        { type: 'PodResizeInProgress', status: 'True' },
      ],
      containerStatuses: [
        { name: 'app', allocatedResources: { cpu: '1' }, resources: { requests: { cpu: '1' }, limits: { cpu: '2' } } },
      ],
    };
    expect(statusFromHost({ ...live(podOf()), status }, podOf())).toEqual(status);
  });
});
