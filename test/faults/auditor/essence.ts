/**
 * What two runs of the same workload must have in common, whatever befell them: the state of one virtual namespace and of its copies
 * without everything that differs from run to run (UIDs, addresses, times, and the name of the namespace itself). I1 against a
 * reference run without faults.
 */
import { at, copied, isCopy, isReserved, listAt, marks } from './words.ts';
import type { Thing } from './words.ts';
import type { World } from './world.ts';

/** Controllers put one into every namespace, sooner or later. */
const notOfTheWorkload: ReadonlySet<string> = new Set(['kube-root-ca.crt']);

/** Sorted lines, one for each object. */
export function essenceOf(world: World, namespace: string): readonly string[] {
  const { release } = world;
  return copied
    .flatMap((plural) => [
      ...world
        .now('virtual', plural)
        .filter(({ metadata }) => metadata.namespace === namespace && !notOfTheWorkload.has(metadata.name))
        .map((thing) => `virtual ${plural} ${lineOf(thing)}`),
      ...world
        .now('host', plural)
        .filter((thing) => isCopy(thing, release) && thing.metadata.annotations?.[marks.objectNamespace] === namespace)
        .filter((thing) => !notOfTheWorkload.has(thing.metadata.annotations?.[marks.objectName] ?? ''))
        .map((thing) => `host ${plural} ${lineOf(thing)}`),
    ])
    .map((line) => line.replaceAll(namespace, '<namespace>'))
    .toSorted();
}

function lineOf(thing: Thing): string {
  const labels = Object.entries(thing.metadata.labels ?? {}).filter(([key]) => !isReserved(key));
  const parts = {
    labels: Object.fromEntries(labels.toSorted(([a], [b]) => a.localeCompare(b))),
    data: thing['data'],
    type: thing['type'],
    phase: at(thing, 'status', 'phase'),
    node: at(thing, 'spec', 'nodeName'),
    images: listAt(thing, 'spec', 'containers').map((container) => at(container, 'image')),
    ports: listAt(thing, 'spec', 'ports').map((port) => at(port, 'port')),
    selector: at(thing, 'spec', 'selector'),
  };
  return `${thing.metadata.annotations?.[marks.objectName] ?? thing.metadata.name} ${JSON.stringify(parts)}`;
}
