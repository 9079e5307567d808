/**
 * `node scripts/provider-protocol.ts`: writes provider/wire/tfplugin6.ts from the official definition of the plugin protocol.
 * With `--check` it writes nothing, needs no network and exits with 1 when the file does not follow from the pinned definition
 * (scripts/lib/protocol-definition.ts) or was changed by hand.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isCurrent, makeProtocolFile, protocolPath } from './lib/protocol-file.ts';

const file = join(import.meta.dirname, '..', protocolPath);

if (!process.argv.includes('--check')) {
  await writeFile(file, await makeProtocolFile());
  console.log(`Wrote ${protocolPath}.`);
} else if (isCurrent(await readFile(file, 'utf8'))) {
  console.log(`${protocolPath} is up to date.`);
} else {
  console.error(
    `${protocolPath} does not follow from the pinned definition. Run \`node scripts/provider-protocol.ts\`.`,
  );
  process.exitCode = 1;
}
