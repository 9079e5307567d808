/** Real caches and real views over a handful of objects, for tests of code that decides. */
import { Cache } from '../../syncer/cluster/cache.ts';
import { openView, Stores } from '../../syncer/loop/stores.ts';
import type { OpenView } from '../../syncer/loop/stores.ts';
import { apiVersion } from '../../syncer/model/kind.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import * as kinds from '../../syncer/model/kubernetes.ts';
import type { KubeObject, Metadata } from '../../syncer/model/object.ts';
import type { Side } from '../../syncer/model/side.ts';
import type { Index } from '../../syncer/model/view.ts';
import { resources } from '../../syncer/resources/index.ts';
import { release } from './release.ts';

/** For suites that try the machinery itself. */
export interface Widget extends KubeObject {
  readonly size?: number;
  readonly state?: string;
}
export const widgets: Kind<Widget> = {
  group: 'toys.example',
  version: 'v1',
  plural: 'widgets',
  kind: 'Widget',
  namespaced: true,
};

export interface World {
  readonly virtual?: readonly KubeObject[];
  readonly host?: readonly KubeObject[];
  readonly nowMs?: number;
}

const all: readonly Kind[] = [
  ...Object.values(kinds),
  widgets,
  ...resources.flatMap(({ sources }) => sources.map(({ kind }) => kind)),
];
const indexes: readonly Index[] = resources.flatMap((resource) => resource.indexes);

export function viewOf({ virtual = [], host = [], nowMs = 0 }: World): OpenView {
  const stores = new Stores();
  for (const kind of all) {
    stores.add('virtual', kind, cacheOf('virtual', kind, virtual));
    stores.add('host', kind, cacheOf('host', kind, host));
  }
  return openView(stores, release, nowMs);
}

function cacheOf(side: Side, kind: Kind, objects: readonly KubeObject[]): Cache {
  const own = indexes.filter((index) => index.side === side && index.kind.plural === kind.plural);
  const cache = new Cache({ side, kind, indexes: own, onChange: () => {} });
  cache.replaceAll(
    objects.filter((each) => each.kind === kind.kind),
    '1',
  );
  return cache;
}

export function object<T extends KubeObject>(kind: Kind<T>, metadata: Partial<Metadata>, rest: object = {}): T {
  return {
    apiVersion: apiVersion(kind),
    kind: kind.kind,
    metadata: { name: 'web', ...metadata },
    ...rest,
  } as unknown as T;
}
