/**
 * One sample for each resource of the registry: `<name of the resource>.ts` beside this file, found by its name, or the reason
 * here why there is none. A resource with neither fails.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resources } from '../../syncer/resources/index.ts';
import type { Sample, Skipped } from './sample.ts';

const skipped: Readonly<Record<string, Skipped>> = {
  nodes: { why: 'made from what pods show, by nobody else: tried with the nodes of conformance.kube.test.ts' },
  'kubernetes-service': { why: 'one object that the API server makes: tried in services.kube.test.ts' },
  tokens: { why: 'one Secret for each pod, made by nobody else: tried in resilience.kube.test.ts' },
  events: { why: 'made by the host: tried with the events of conformance.kube.test.ts' },
};

/** By the names of their resources; undefined for a resource that was forgotten. */
export const samples: ReadonlyMap<string, Sample | Skipped | undefined> = new Map(
  await Promise.all(resources.map(async ({ name }) => [name, skipped[name] ?? (await sampleOf(name))] as const)),
);

async function sampleOf(name: string): Promise<Sample | undefined> {
  const file = join(import.meta.dirname, `${name}.ts`);
  if (!existsSync(file)) return undefined;
  const { sample } = (await import(file)) as { readonly sample?: Sample };
  return sample;
}
