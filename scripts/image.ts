/**
 * `npm run image`: builds the syncer's image as the archive dist/image/syncer.tar, without any registry or container tool.
 *
 * With `--root-only FOLDER` it only makes the root file system there; the Dockerfile uses that.
 */
import { parseArgs } from 'node:util';
import { buildRootFileSystem, buildSyncerImage } from './lib/image.ts';

const { values } = parseArgs({ options: { 'root-only': { type: 'string' } } });
const folder = values['root-only'];
if (Number(process.versions.node.split('.')[0]) < 24) {
  throw new Error(
    `The image runs the Node that builds it, and this is ${process.version}; use \`npm run image\`, which brings 24.`,
  );
}
if (folder === undefined) {
  const startedMs = Date.now();
  const { name, archive, reused } = await buildSyncerImage();
  const took = `${((Date.now() - startedMs) / 1000).toFixed(1)} s`;
  console.log(`${name}: ${archive} ${reused ? 'is up to date' : 'built'} (${took})`);
} else {
  await buildRootFileSystem(folder);
  console.log(`Root file system of the image: ${folder}`);
}
