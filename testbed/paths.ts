/**
 * Where the testbed keeps things. Three roots: a cache that survives everything and is shared by all checkouts, a state
 * folder that `down` removes, and a run folder for sockets, whose names must stay short.
 * Must not create anything: callers make the folders they write to.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';

const isRoot = process.getuid?.() === 0;

/** Binaries and images of any version; never removed by the testbed. */
export const cacheDir: string = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cdktf-vcluster');

/** All state of running testbeds. Without root only API-level testbeds run, from a folder of the user. */
export const stateDir: string = isRoot ? '/var/lib/cdktf-vcluster-testbed' : join(cacheDir, 'testbed');

/** Sockets and mounts of the node-level testbed. */
export const runDir: string = isRoot ? '/run/cdktf-vcluster-testbed' : join(stateDir, 'run');

/** Control planes of API-level tests. */
export const controlPlanesDir: string = join(stateDir, 'control-planes');

/** The folder of one named API-level control plane; `down` stops what a crashed run left in it. */
export function controlPlaneDir(name: string): string {
  return join(controlPlanesDir, name);
}
