/**
 * Who is measured: a name and a command. The command gets everything by its environment (bench/README.md), runs in the foreground
 * until SIGTERM, and needs no other contract: that it is ready is seen by a probe pod that becomes Ready.
 */
import { join } from 'node:path';
import { buildSyncerImage, nodeFlags } from '../../scripts/lib/image.ts';

const root = join(import.meta.dirname, '../..');

export interface Contender {
  /** Lower-case letters, digits and hyphens: it becomes part of names of users and namespaces. */
  readonly name: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** A Node process that loads `BENCH_NODE_IMPORT`, so that its event loop can be measured. */
  readonly tellsLoopDelay: boolean;
}

/** The program of the image with the image's flags. `nodeOptions` are added, for profiles. */
export async function ours(nodeOptions: readonly string[] = []): Promise<Contender> {
  await buildSyncerImage();
  return {
    name: 'ours',
    command: ['sh', join(root, 'bench/contenders/ours.sh')],
    env: {
      NODE: process.execPath,
      NODE_FLAGS: [...nodeFlags, ...nodeOptions].join(' '),
      PROGRAM: join(root, 'dist/image/syncer.mjs'),
    },
    tellsLoopDelay: true,
  };
}

/** bench/naive: pods only, no cache of the other side, one write for each event. */
export function naive(): Contender {
  return {
    name: 'naive',
    command: ['sh', join(root, 'bench/contenders/naive.sh')],
    env: { NODE: process.execPath, NODE_FLAGS: nodeFlags.join(' '), PROGRAM: join(root, 'bench/naive/syncer.ts') },
    tellsLoopDelay: true,
  };
}

/** `name=command with arguments`, run by a shell. @throws when it is not of that form */
export function parseContender(text: string): Contender {
  const match = /^([a-z0-9-]+)=(.+)$/su.exec(text);
  const [, name, command] = match ?? [];
  if (name === undefined || command === undefined) {
    throw new Error(`--against must be naive, none or NAME=COMMAND, got: ${text}`);
  }
  return { name, command: ['sh', '-c', `exec ${command}`], env: {}, tellsLoopDelay: false };
}
