import { assert, constantFrom, array, property, string } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Key } from '../model/side.ts';
import { hostPath, routeOf } from './routes.ts';
import type { PodRoute, Route, Subresource } from './routes.ts';

const host: Key<'host'> = { namespace: 'tenant-a', name: 'web-x-default-x-vc1' };
const base = '/api/v1/namespaces/tenant-a/pods/web-x-default-x-vc1';

function toHost(method: string, target: string): string {
  const route = routeOf({ method, target });
  return route.is === 'pod' ? hostPath(route, host) : route.is === 'refused' ? String(route.status) : route.is;
}

describe('routeOf() and hostPath()', () => {
  test.each([
    // KUB-01
    ['GET', '/containerLogs/default/web/app', `${base}/log?container=app`],
    [
      'GET',
      '/containerLogs/default/web/app?follow=true&tailLines=5&timestamps=true&stream=Stdout',
      `${base}/log?follow=true&timestamps=true&tailLines=5&stream=Stdout&container=app`,
    ],
    [
      'GET',
      '/containerLogs/default/web/app?insecureSkipTLSVerifyBackend=true&previous=true',
      `${base}/log?previous=true&container=app`,
    ],
    [
      'GET',
      '/containerLogs/default/web/app?sinceTime=2026-01-02T03%3A04%3A05Z',
      `${base}/log?sinceTime=2026-01-02T03%3A04%3A05Z&container=app`,
    ],
    ['POST', '/containerLogs/default/web/app', '405'],
    ['HEAD', '/containerLogs/default/web/app', '405'],
    // KUB-02, KUB-08
    [
      'POST',
      '/exec/default/web/app?command=sh&command=-c&command=echo+a%3Bb&input=1&output=1&error=1&tty=1',
      `${base}/exec?command=sh&command=-c&command=echo+a%3Bb&stdin=true&stdout=true&stderr=true&tty=true&container=app`,
    ],
    [
      'GET',
      '/exec/default/web/app?command=ls&output=true&error=0&tty=',
      `${base}/exec?command=ls&stdout=true&container=app`,
    ],
    ['POST', '/exec/default/web/5f6-UID/app?command=ls', `${base}/exec?command=ls&container=app`],
    ['DELETE', '/exec/default/web/app?command=ls', '405'],
    // KUB-03
    ['POST', '/attach/default/web/app?input=1&tty=1&command=ls', `${base}/attach?stdin=true&tty=true&container=app`],
    // KUB-04
    ['POST', '/portForward/default/web', `${base}/portforward`],
    ['POST', '/portForward/default/web/some-uid', `${base}/portforward`],
    ['GET', '/portForward/default/web?port=80,443', `${base}/portforward?ports=80%2C443`],
    // KUB-05
    ['GET', '/healthz', 'healthz'],
    ['GET', '/pods', 'pods'],
    ['GET', '/pods/', 'pods'],
    ['POST', '/pods', '405'],
    ['GET', '/stats/summary', '404'],
    ['GET', '/metrics', '404'],
    ['GET', '/metrics/cadvisor', '404'],
    ['GET', '/runningpods/', '404'],
    // KUB-06
    ['POST', '/run/default/web/app?cmd=ls', '404'],
    ['POST', '/checkpoint/default/web/app', '404'],
    ['GET', '/logs/', '404'],
    ['GET', '/debug/pprof/heap', '404'],
    ['PUT', '/debug/flags/v', '404'],
    ['GET', '/', '404'],
    ['GET', '', '404'],
  ])('%s %s → %s [KUB-01…08]', (method, target, expected) => {
    expect(toHost(method, target)).toBe(expected);
  });

  test.each([
    '//containerLogs/default/web/app',
    '/containerLogs//default/web/app',
    '/containerLogs/default/web/app/',
    '/containerLogs/default/web/../../kube-system/other/app',
    '/containerLogs/default/%2e%2e/web/app',
    '/containerLogs/../exec/default/web/app',
    '/containerLogs/default/web%2fapp',
    '/containerLogs/default/web;v=1/app',
    '/containerLogs/default/web\\app/x',
    '/containerLogs/default/web/app#x',
    '/containerLogs/default/web/app%00',
    '/containerLogs/default/WEB/app',
    '/containerLogs/default/web/.',
    '/containerLogs/default/../app',
    '/containerLogs/default/web-/app',
    '/containerlogs/default/web/app',
    '/exec/default/web/uid/app/more',
    'http://10.0.0.1/containerLogs/default/web/app',
    'containerLogs/default/web/app',
    `/containerLogs/default/${'a.'.repeat(127)}aa/app`,
  ])('refuses %s [KUB-32] [F67]', (target) => {
    expect(routeOf({ method: 'GET', target })).toMatchObject({ is: 'refused', status: 404 });
  });

  test('a parameter of the tenant never becomes one that the host would act on [F67]', () => {
    expect(
      toHost('GET', '/containerLogs/default/web/app?container=secret&namespace=x&dryRun=All&follow=1&follow=0'),
    ).toBe(`${base}/log?follow=1&container=app`);
    expect(toHost('POST', '/exec/default/web/app?stdin=1&container=other&command=a%26container%3Dother')).toBe(
      `${base}/exec?command=a%26container%3Dother&container=app`,
    );
  });
});

const pieces = [
  ['/', '//', '.', '..', '%2e%2e', '%2F', ';', '?', '&', '=', '#', '\\', '\0', '%', '+', ' ', ':', '@', 'é'],
  ['containerLogs', 'exec', 'attach', 'portForward', 'pods', 'run', 'default', 'web', 'app', 'kube-system', 'a.b'],
  ['/containerLogs/default/web/app', '/exec/default/web/app', '/portForward/default/web', '/attach/a/b/c'],
  ['container=x', 'command=ls', 'stdin=1', 'input=1', 'port=80', 'follow=true', 'as=admin'],
].flat();
const targets = array(constantFrom(...pieces), { maxLength: 12 }).map((parts) => parts.join(''));
const methods = constantFrom('GET', 'POST', 'PUT', 'HEAD', 'CONNECT', 'get');
const allowed: Readonly<Record<Subresource, readonly string[]>> = {
  log: [
    'follow',
    'previous',
    'timestamps',
    'tailLines',
    'limitBytes',
    'sinceSeconds',
    'sinceTime',
    'stream',
    'container',
  ],
  exec: ['command', 'stdin', 'stdout', 'stderr', 'tty', 'container'],
  attach: ['stdin', 'stdout', 'stderr', 'tty', 'container'],
  portforward: ['ports'],
};

/** What is wrong with a route, if anything. */
function harm(route: Route, target: string): string | undefined {
  if (route.is === 'refused') return [404, 405].includes(route.status) ? undefined : `status ${route.status}`;
  if (route.is !== 'pod') return /^\/(healthz|pods)\/?(\?|$)/.test(target) ? undefined : `not ${route.is}`;
  return target.includes(`/${route.pod.namespace}/${route.pod.name}`) ? harmOnHost(route) : 'another pod';
}

function harmOnHost(route: PodRoute): string | undefined {
  const url = new URL(hostPath(route, host), 'https://host');
  if (url.pathname !== `${base}/${route.subresource}` || url.hash !== '') return `host path ${url.pathname}${url.hash}`;
  const unknown = [...url.searchParams.keys()].find((name) => !allowed[route.subresource].includes(name));
  if (unknown !== undefined) return `parameter ${unknown}`;
  const containers = url.searchParams.getAll('container');
  return containers.join('&') === (route.container ?? '') ? undefined : `containers ${containers.join('&')}`;
}

describe('routeOf() with hostile requests [F67]', () => {
  test('either refuses or means exactly one pod and known parameters', () => {
    assert(
      property(methods, targets, (method, target) => {
        expect(harm(routeOf({ method, target }), target)).toBeUndefined();
      }),
      { numRuns: 5000 },
    );
  });

  test('survives any text', () => {
    assert(
      property(methods, string({ unit: 'binary-ascii', maxLength: 60 }), (method, text) => {
        for (const target of [text, `/exec/default/web/app?${text}`, `/containerLogs/${text}`]) {
          expect(harm(routeOf({ method, target }), target)).toBeUndefined();
        }
      }),
    );
  });
});
