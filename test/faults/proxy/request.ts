/** From the head and body of an HTTP/2 request to what rules look at. */
import { constants } from 'node:http2';
import type { IncomingHttpHeaders } from 'node:http2';
import type { Side } from '../../../syncer/model/side.ts';
import type { ProxiedRequest } from './rules.ts';

interface Place {
  readonly group: string;
  readonly plural: string;
  readonly namespace: string;
  readonly name: string;
  readonly subresource: string;
}

const nowhere: Place = { group: '', plural: '', namespace: '', name: '', subresource: '' };

/** `/api/v1/…` or `/apis/<group>/<version>/…`, in a namespace or not; the namespace itself is a resource as well. */
const grouped = /^\/api(?:s\/(?<group>[^/]+))?\/[^/]+\/(?<rest>.+)$/;
const namespaced = /^namespaces\/(?<namespace>[^/]+)\/(?!(?:status|finalize)$)(?<rest>.+)$/;

/** What a path of the Kubernetes API names. */
export function placeOf(pathname: string): Place {
  const found = groupsOf(grouped, pathname);
  if (found['rest'] === undefined) return nowhere;
  const inside = groupsOf(namespaced, found['rest']);
  const parts = (inside['rest'] ?? found['rest']).split('/').map(decodeURIComponent);
  const [plural = '', name = '', subresource = ''] = parts;
  return { group: found['group'] ?? '', plural, namespace: inside['namespace'] ?? '', name, subresource };
}

function groupsOf(pattern: RegExp, text: string): Readonly<Record<string, string | undefined>> {
  return pattern.exec(text)?.groups ?? {};
}

export function requestOf(
  side: Side,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Omit<ProxiedRequest, 'number' | 'ordinal'> {
  const method = String(headers[constants.HTTP2_HEADER_METHOD]);
  const path = String(headers[constants.HTTP2_HEADER_PATH]);
  const url = new URL(path, 'https://proxy');
  const place = placeOf(url.pathname);
  const isRead = method === 'GET';
  const isWatch = isRead && /^(true|1)$/.test(url.searchParams.get('watch') ?? '');
  return {
    side,
    method,
    path,
    query: url.searchParams,
    ...place,
    name: place.name === '' && method === 'POST' ? nameIn(body) : place.name,
    isWatch,
    isList: isRead && !isWatch && place.plural !== '' && place.name === '',
    isWrite: !isRead,
    headers,
    body,
  };
}

function nameIn(body: Buffer): string {
  try {
    const { metadata } = JSON.parse(body.toString()) as { metadata?: { name?: string } };
    return metadata?.name ?? '';
  } catch {
    return '';
  }
}
