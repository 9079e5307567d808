/** The registry: everything that is synced. Adding a resource is a file beside this one, a line here and a sample (CONTRIBUTING.md). */
import type { Resource } from '../model/resource.ts';
import { configMaps } from './configmaps.ts';
import { defineToHost } from './define.ts';
import { eventsAbout } from './events.ts';
import { kubernetesService } from './kubernetes-service.ts';
import { nodes } from './nodes.ts';
import { persistentVolumeClaims } from './persistentvolumeclaims.ts';
import { pods } from './pods/pods.ts';
import { tokens } from './pods/tokens.ts';
import { secrets } from './secrets.ts';
import { services } from './services.ts';

/** What tenants make and the host runs, with a copy of each there. */
export const copied: readonly Resource[] = [services, configMaps, secrets, persistentVolumeClaims, defineToHost(pods)];

export const resources: readonly Resource[] = [
  nodes,
  kubernetesService,
  ...copied,
  tokens,
  eventsAbout(copied.map(({ kind }) => kind)),
];
