/** Every example of docs/constructs.md is compiled, with the strictest settings, and run: it must synthesise to something. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

const root = resolve(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'constructs.md'), 'utf8');

/** What the page says that its examples leave out. */
const frame = `import { App, TerraformOutput, TerraformStack } from 'cdktf';
import {
  loadTenants, Provisioner, TenantEnvironment, TenantFleet, VclusterKubeconfig, VclusterProvider, VirtualCluster,
} from 'cdktf-vcluster';
import type { TenantEnvironmentProps } from 'cdktf-vcluster';
const app = new App();
const stack = new TerraformStack(app, 'platform');
`;

/** Blocks of code in one language; those that only show a type are none. */
function blocks(language: string): readonly string[] {
  const found = page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'));
  return [...found].map(([, code = '']) => code).filter((code) => !/^(type|function) /.test(code));
}

const examples = blocks('ts').map((code, index) => ({
  name: `example-${index + 1}`,
  code,
  first: code.split('\n')[0],
}));

// Below the checkout, so that the package is found by its own name.
let folder: string;

beforeAll(() => {
  mkdirSync(join(root, 'out'), { recursive: true });
  folder = mkdtempSync(join(root, 'out', 'docs-'));
  for (const yaml of blocks('yaml')) {
    const [, name] = /^# (\S+)$/m.exec(yaml) ?? [];
    if (name !== undefined) writeFileSync(join(folder, name), yaml);
  }
  for (const { name, code } of examples) {
    const isWhole = code.includes('new App(');
    // Imports of an example may stand below the frame: they are hoisted.
    writeFileSync(join(folder, `${name}.ts`), isWhole ? code : `${frame}${code}\napp.synth();\n`);
  }
  const settings = { extends: join(root, 'tsconfig.json'), include: ['*.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(settings));
  vi.stubEnv('KUBE_CONFIG_PATH', '/host.kubeconfig');
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('docs/constructs.md', () => {
  test('has examples', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  test('has examples that compile', () => {
    const compiler = join(root, 'node_modules', '.bin', 'tsc');
    expect(() => execFileSync(compiler, ['-p', folder], { stdio: 'pipe', encoding: 'utf8' })).not.toThrow();
  }, 60_000);

  test.each(examples)(
    '$name synthesises: $first',
    async ({ name }) => {
      const outdir = join(folder, `${name}.out`);
      vi.stubEnv('CDKTF_OUTDIR', outdir);
      await import(join(folder, `${name}.ts`));
      const stacks = existsSync(join(outdir, 'stacks')) ? readdirSync(join(outdir, 'stacks')) : [];
      expect(stacks).toEqual(['platform']);
      const program = JSON.parse(readFileSync(join(outdir, 'stacks', 'platform', 'cdk.tf.json'), 'utf8'));
      expect(Object.keys(program)).toEqual(expect.arrayContaining(['terraform']));
    },
    30_000,
  );
});
