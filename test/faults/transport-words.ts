/** What tests of the transport have words for: which requests, which faults, and what was asked. */
import type { ProxiedRequest } from './proxy/rules.ts';
import type { Stage } from './transport-stage.ts';

export const ofWatch: (request: ProxiedRequest) => boolean = ({ plural, isWatch }) =>
  plural === 'configmaps' && isWatch;
export const ofList: (request: ProxiedRequest) => boolean = ({ plural, isList }) => plural === 'configmaps' && isList;

/** What an API server says of a version that is too old. */
export const expired = {
  kind: 'Status',
  apiVersion: 'v1',
  metadata: {},
  status: 'Failure',
  message: 'too old resource version: 1 (2)',
  reason: 'Expired',
  code: 410,
} as const;

/** What the syncer asked for since the last test: `watch 17`, `list ≥17`, `list`, `probe`. */
export function asked({ proxy }: Stage): readonly string[] {
  return proxy.seen
    .filter(({ request }) => request.plural === 'configmaps')
    .map(({ request: { query, isWatch } }) => {
      const version = query.get('resourceVersion');
      if (isWatch) return `watch ${version}`;
      if (version !== null) return `list ≥${version}`;
      return query.get('limit') === '1' ? 'probe' : 'list';
    });
}

/** One byte of the first character beyond ASCII is changed. */
export function corrupted(text: string): Buffer {
  const bytes = Buffer.from(text);
  const at = bytes.findIndex((byte) => byte > 0x7f);
  if (at < 0) throw new Error('There is no such character in it.');
  bytes[at] = 0xff;
  return bytes;
}

/** It has a version, as lists have, and nothing else of one. */
export const noList = { kind: 'Status', metadata: { resourceVersion: '99999999' } } as const;
