/**
 * The package as a user installs it, from the tarball that would be published: with CDKTF, with its community successor in its place, and with
 * nothing but what `Provisioner.native()` needs. Takes npm's registry; where that cannot be reached the reason is said and nothing tried.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const execute = promisify(execFile);
const root = resolve(import.meta.dirname, '..', '..');
const successor = 'npm:cdktn@0.24.0';
const bindings = { '@cdktf/provider-helm': '12.1.2', '@cdktf/provider-kubernetes': '12.1.1' };

/** npm fetches from a registry, which may take its time. */
const patienceMs = 240_000;

let folder: string;
let tarball: string;
const problem = await registryProblem();

/** Runs npm, or fails with what it said. */
async function npm(cwd: string, ...args: readonly string[]): Promise<string> {
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  const { stdout } = await execute('npm', [...args, ...quiet], { cwd, env: environment });
  return stdout;
}

/** Without what `npm test` says about this checkout to an npm that works somewhere else. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)));

async function registryProblem(): Promise<string | undefined> {
  const asked = await execute('npm', ['view', 'cdktn@0.24.0', 'version'], { cwd: tmpdir(), timeout: 60_000 }).catch(
    String,
  );
  return typeof asked === 'string' ? `npm's registry does not answer: ${asked.split('\n')[0]}` : undefined;
}

/** A project of a user, with what is in its package.json installed. */
async function project(name: string, manifest: { dependencies: object; overrides?: object }): Promise<string> {
  const place = join(folder, name);
  mkdirSync(place);
  const dependencies = { 'cdktf-vcluster': `file:${tarball}`, constructs: '10.7.2', ...manifest.dependencies };
  writeFileSync(
    join(place, 'package.json'),
    JSON.stringify({ private: true, type: 'module', ...manifest, dependencies }),
  );
  await npm(place, 'install');
  return place;
}

/** A program with both provisioners and a way inside. */
const program = `import { App, LocalBackend, TerraformStack } from 'cdktf';
import { Provisioner, TenantEnvironment, VirtualCluster } from 'cdktf-vcluster';
const app = new App({ outdir: 'out' });
const stack = new TerraformStack(app, 'platform');
new LocalBackend(stack, { path: 'terraform.tfstate' });
const tenant = new TenantEnvironment(stack, 'team-a', { quota: { memory: '4Gi' }, admins: ['a'] });
tenant.cluster.addManifest('motd', 'apiVersion: v1\\nkind: ConfigMap\\nmetadata: { name: motd }\\ndata: { run: "\${HOME}" }\\n');
const team = new VirtualCluster(stack, 'team-b', { provisioner: Provisioner.native(), kubernetesVersion: '1.36' });
const data = { server: \`"\${team.endpoint}"\` };
tenant.cluster.addManifest('of-b', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'of-b' }, data });
app.synth();
`;

/** Runs a program in a project; returns the stack it has made, without the version of the CDK. */
async function synthesised(place: string, text: string): Promise<Readonly<Record<string, unknown>>> {
  writeFileSync(join(place, 'main.ts'), text);
  await execute(process.execPath, ['main.ts'], { cwd: place, env: { ...environment, KUBE_CONFIG_PATH: '/host' } });
  const { '//': about, ...stack } = JSON.parse(
    readFileSync(join(place, 'out', 'stacks', 'platform', 'cdk.tf.json'), 'utf8'),
  );
  expect(about.metadata).toHaveProperty('version');
  return stack;
}

describe.skipIf(problem !== undefined)(`the package${problem === undefined ? '' : `, skipped: ${problem}`}`, () => {
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'package-'));
    await npm(root, 'pack', '--pack-destination', folder);
    tarball = join(folder, readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? '');
  });

  afterAll(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  test('holds the constructs and the charts, and nothing of the syncer, the provider or the tests', async () => {
    const { stdout } = await execute('tar', ['-tzf', tarball]);
    const files = stdout.split('\n').map((path) => path.replace(/^package\//, ''));
    for (const wanted of ['dist/constructs/index.js', 'dist/constructs/index.d.ts', 'chart/Chart.yaml']) {
      expect(files).toContain(wanted);
    }
    expect(files).toContain('constructs/manifests/templates/objects.yaml');
    expect(files.filter((path) => /^(dist\/)?(syncer|provider|operations|test|testbed)\/|\.test\./.test(path))).toEqual(
      [],
    );
  });

  test(
    'with the community’s successor of CDKTF, by an alias, synthesises to the same',
    async () => {
      const present = await project('cdktf', { dependencies: { cdktf: '0.21.0', ...bindings } });
      const alias = { cdktf: successor };
      const future = await project('cdktn', {
        dependencies: { ...alias, ...bindings },
        overrides: {
          ...Object.fromEntries(Object.keys(bindings).map((name) => [name, alias])),
          'cdktf-vcluster': alias,
        },
      });
      const installed = JSON.parse(readFileSync(join(future, 'node_modules', 'cdktf', 'package.json'), 'utf8'));
      expect(installed.name).toBe('cdktn');
      const wanted = await synthesised(present, program);
      expect(Object.keys(wanted).toSorted()).toEqual(['ephemeral', 'provider', 'resource', 'terraform']);
      expect(await synthesised(future, program)).toEqual(wanted);
    },
    patienceMs,
  );

  test('is found by require() as well', async () => {
    const text = "const { VirtualCluster } = require('cdktf-vcluster'); process.stdout.write(typeof VirtualCluster);";
    const place = join(folder, 'cdktf');
    const { stdout } = await execute(process.execPath, ['--input-type=commonjs', '-e', text], {
      cwd: place,
      env: environment,
    });
    expect(stdout).toBe('function');
  });

  test('has types that a strict program compiles with', async () => {
    const place = join(folder, 'cdktf');
    const settings = {
      compilerOptions: { module: 'nodenext', strict: true, noEmit: true, types: [] },
      files: ['main.ts'],
    };
    writeFileSync(join(place, 'main.ts'), program);
    writeFileSync(join(place, 'tsconfig.json'), JSON.stringify(settings));
    const compiler = join(root, 'node_modules', '.bin', 'tsc');
    const { stdout } = await execute(compiler, ['-p', place], { env: environment }).catch((error) => error);
    expect(stdout).toBe('');
  });

  test(
    'needs no binding of another provider for Provisioner.native(), and names the one that Helm needs',
    async () => {
      const place = await project('native', { dependencies: { cdktf: '0.21.0' } });
      expect(readdirSync(join(place, 'node_modules'))).not.toContain('@cdktf');
      const frame = program.replaceAll(/^(const )?tenant.*\n/gm, '');
      expect(Object.keys((await synthesised(place, frame))['resource'] as object)).toEqual(['vcluster_cluster']);
      const helm = frame.replace('provisioner: Provisioner.native(), ', '');
      await expect(synthesised(place, helm)).rejects.toThrow(
        /@cdktf\/provider-kubernetes is not installed\..*Run: npm install @cdktf\/provider-kubernetes/,
      );
    },
    patienceMs,
  );
});
