/**
 * The toy provider as a program of its own, for tests of its process. Leaves its process id in the folder that TOY_PIDS names. TOY_BROKEN
 * is why it cannot be loaded; with TOY_STRAY errors happen outside of any call.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { serveProcess } from '../../provider/wire/serve.ts';

const pids = process.env['TOY_PIDS'];
if (pids !== undefined) writeFileSync(join(pids, String(process.pid)), '');

// What a library may do at any time, outside of every call.
if (process.env['TOY_STRAY'] !== undefined) {
  setTimeout(() => {
    throw new Error('a stray exception');
  });
  void Promise.reject(new Error('a stray rejection'));
}

void serveProcess({
  source: 'registry.terraform.io/test/toy',
  start: async (surroundings) => {
    if (process.env['TOY_BROKEN'] !== undefined) throw new Error(process.env['TOY_BROKEN']);
    const [{ serviceOf }, { toy }] = await Promise.all([
      import('../../provider/framework/server.ts'),
      import('./toy.ts'),
    ]);
    return serviceOf(toy, surroundings);
  },
}).then((exitCode) => process.exit(exitCode));
