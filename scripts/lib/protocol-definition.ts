/**
 * The official definition of the plugin protocol: terraform-plugin-go has the provider service, go-plugin what goes around it.
 * It comes from the Go module proxy (`go mod download`), is pinned by version and digest and is kept in the user's cache; no
 * byte of it is committed here.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { attempt } from './command.ts';

/** One file of the definition. */
export interface DefinitionFile {
  readonly module: string;
  readonly version: string;
  readonly path: string;
  /** Of the file, hexadecimal. */
  readonly sha256: string;
}

/** Protocol 6.8 is what Terraform 1.11 and OpenTofu 1.11 both speak: ephemeral resources and write-only attributes are in it. */
export const definition: readonly DefinitionFile[] = [
  {
    module: 'github.com/hashicorp/terraform-plugin-go',
    version: 'v0.26.0',
    path: 'tfprotov6/internal/tfplugin6/tfplugin6.proto',
    sha256: '3f329a77ed9f214270fdf69952a32e42cb677dcdf659f30859a87549d32563cc',
  },
  ...[
    ['grpc_broker', 'd0ccff34a758826f10a13950870781a16f5fc70ac4ddd1ad1ccbf638441b4bd5'],
    ['grpc_controller', '6638cc559b6afded03bdf157b6305bf0288fbe2c3f1509f97b8d4c3e80eca929'],
    ['grpc_stdio', '969c0c03bfdf752433332f7f0696cb5b48b7513da3c05f599d2ccff86ef90878'],
  ].map(([name = '', digest = '']) => ({
    module: 'github.com/hashicorp/go-plugin',
    version: 'v1.7.0',
    path: `internal/plugin/${name}.proto`,
    sha256: digest,
  })),
];

/** One digest over all pins; the generated file carries it. */
export const definitionDigest: string = sha256(definition.map((file) => file.sha256).join('\n'));

/** The text of every file, from the cache or the module proxy. Fails with what to do when neither has it. */
export async function readDefinition(): Promise<readonly { readonly file: DefinitionFile; readonly text: string }[]> {
  const texts = [];
  for (const file of definition) texts.push({ file, text: await readOne(file) });
  return texts;
}

/** SHA-256, hexadecimal. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function readOne(file: DefinitionFile): Promise<string> {
  const cached = join(cacheFolder(), `${file.sha256}.proto`);
  if (existsSync(cached)) {
    const text = await readFile(cached, 'utf8');
    if (sha256(text) === file.sha256) return text;
  }
  const text = await readFile(join(await downloaded(file), file.path), 'utf8');
  const found = sha256(text);
  if (found !== file.sha256) {
    throw new Error(
      `${file.path} of ${file.module} ${file.version} has the SHA-256 ${found}, but ${file.sha256} is pinned in ` +
        'scripts/lib/protocol-definition.ts. Released modules do not change: find out why before you change the pin.',
    );
  }
  await mkdir(dirname(cached), { recursive: true });
  // Written aside and renamed: another run may be reading.
  await writeFile(`${cached}.${process.pid}`, text);
  await rename(`${cached}.${process.pid}`, cached);
  return text;
}

async function downloaded(file: DefinitionFile): Promise<string> {
  const what = `${file.module}@${file.version}`;
  // Outside of any module: a go.mod near by must not choose another version.
  const result = await attempt('go', ['mod', 'download', '-json', what], {
    cwd: tmpdir(),
    env: { GOFLAGS: '-mod=mod' },
  });
  const { Dir, Error: why }: { Dir?: string; Error?: string } = JSON.parse(result.stdout || '{}');
  if (Dir === undefined) {
    throw new Error(
      `The definition of the plugin protocol (${what}) could not be downloaded: ${why ?? result.stderr.trim()}. ` +
        'Go and the Go module proxy are needed once; after that it is in the cache.',
    );
  }
  return Dir;
}

function cacheFolder(): string {
  return join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'cdktf-vcluster', 'protocol');
}
