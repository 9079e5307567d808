/** The registry: everything that is synced. Adding a resource is a file beside this one and a line here (CONTRIBUTING.md). */
import type { Resource } from '../model/resource.ts';
import { configMaps } from './configmaps.ts';
import { defineToHost } from './define.ts';
import { events } from './events.ts';
import { kubernetesService } from './kubernetes-service.ts';
import { nodes } from './nodes.ts';
import { pods } from './pods/pods.ts';
import { tokens } from './pods/tokens.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';

export const resources: readonly Resource[] = [
  nodes,
  kubernetesService,
  services,
  configMaps,
  secrets,
  defineToHost(pods),
  tokens,
  events,
];
