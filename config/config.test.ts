import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { completeValues } from './complete.ts';
import { configurationPage } from './emit-docs.ts';
import { valuesSchema } from './emit-schema.ts';
import {
  defaultReleases,
  kubernetesReleases,
  resolveKubernetesVersion,
  testedKubernetesVersion,
} from './kubernetes-versions.ts';
import { nameProblem } from './names.ts';
import { optionsOf } from './option.ts';
import type { OptionTree } from './option.ts';
import { options } from './options.ts';
import { valuesProblems } from './parse.ts';

const chart = join(import.meta.dirname, '../chart');
const chartValues = parse(readFileSync(join(chart, 'values.yaml'), 'utf8')) as unknown;

function at(values: unknown, path: string): unknown {
  return path.split('.').reduce((value, key) => (value as Record<string, unknown> | undefined)?.[key], values);
}

describe('options', () => {
  test.each([...optionsOf(options)])('%s has the same default in chart/values.yaml', (path, option) => {
    expect(at(chartValues, path)).toEqual(option.default);
    expect(option.doc).toMatch(/^[A-Z].*\.$/);
  });

  test('are all there is in chart/values.yaml, and valid', () => {
    expect(valuesProblems(chartValues)).toEqual([]);
  });

  test('are each read by a template of the chart, or handed to the syncer whole', () => {
    const files = [
      '_control-plane.tpl',
      '_helpers.tpl',
      '_syncer.tpl',
      'accounts.yaml',
      'monitoring.yaml',
      'statefulset.yaml',
      'volume.yaml',
    ];
    const templates = files.map((file) => readFileSync(join(chart, 'templates', file), 'utf8')).join('\n');
    const handedOver = /pick \.Values "sync" "policies" /.test(templates) ? ['sync', 'policies'] : [];
    const each = [...optionsOf(options)].map(([path]) => path.split('.'));
    for (const path of each.filter(([branch = '']) => !handedOver.includes(branch))) {
      expect(templates, path.join('.')).toContain(`.${path.at(-1) ?? ''}`);
    }
  });
});

describe('valuesSchema()', () => {
  test('is what the chart carries', () => {
    expect(valuesSchema(options)).toEqual(JSON.parse(readFileSync(join(chart, 'values.schema.json'), 'utf8')));
  });

  test('closes every branch', () => {
    const tree: OptionTree = { a: { b: { type: 'boolean', default: true, doc: 'B.' } } };
    expect(valuesSchema(tree)).toMatchObject({
      additionalProperties: false,
      properties: {
        global: { type: 'object' },
        a: { additionalProperties: false, properties: { b: { type: 'boolean' } } },
      },
    });
  });
});

test('configurationPage() has a row for every option', () => {
  const page = configurationPage(options, kubernetesReleases);
  for (const [path] of optionsOf(options)) expect(page).toContain(`| \`${path}\` |`);
});

describe('valuesProblems()', () => {
  test.each([
    [{ controlPlane: { sincer: {} } }, 'controlPlane.sincer is not an option. Did you mean controlPlane.syncer?'],
    [{ version: '1.36' }, 'version is not an option. Did you mean controlPlane.distro.k8s.version?'],
    [{ controlPlane: true }, 'controlPlane must be an object, not boolean true.'],
    [{ logging: { level: 'loud' } }, 'logging.level must be one of debug, info, warn, error, not "loud".'],
    [
      { controlPlane: { distro: { k8s: { version: 1.36 } } } },
      'controlPlane.distro.k8s.version must be a string such as "1.36" (in quotes), not number 1.36.',
    ],
    [
      { controlPlane: { syncer: { resources: { request: {} } } } },
      'controlPlane.syncer.resources must be an object with requests and limits, each a map of quantities, not an object.',
    ],
    [
      { networking: { advanced: { clusterDomain: 'Not_A_Domain' } } },
      expect.stringContaining('networking.advanced.clusterDomain: "Not_A_Domain" does not have the form'),
    ],
    [null, 'The values must be an object, not null.'],
    [
      { sync: { toHost: { pods: { enforceTolerations: ['a=b:NoSchedule', 'a=b'] } } } },
      expect.stringContaining('sync.toHost.pods.enforceTolerations: "a=b" does not have the form'),
    ],
    [
      { sync: { toHost: { pods: { schedulerNames: 'mine' } } } },
      'sync.toHost.pods.schedulerNames must be a list of strings, not string "mine".',
    ],
    [
      { policies: { podSecurityStandard: 'strict' } },
      'policies.podSecurityStandard must be one of privileged, baseline, restricted, not "strict".',
    ],
  ])('of %j', (values, problem) => {
    expect(valuesProblems(values)).toEqual([problem]);
  });

  test('are none for values that may be left out, and for what Helm adds', () => {
    expect(valuesProblems({ controlPlane: undefined, global: { x: 1 } })).toEqual([]);
  });
});

describe('completeValues()', () => {
  test('adds defaults, and takes whole what an option holds', () => {
    const given = { toHost: { pods: { denyTolerations: [], translateImage: { a: 'b' } } } };
    const { pods } = completeValues(options.sync, given).toHost;
    expect(pods).toMatchObject({ denyTolerations: [], translateImage: { a: 'b' }, runtimeClasses: ['*'] });
    expect(completeValues(options.policies, undefined)).toEqual({ podSecurityStandard: 'baseline' });
  });
});

describe('resolveKubernetesVersion()', () => {
  test('turns a minor version into the tested release, else the newest', () => {
    expect(resolveKubernetesVersion('1.36')).toEqual({ version: testedKubernetesVersion });
    expect(resolveKubernetesVersion('1.34')).toEqual({ version: kubernetesReleases['1.34']?.at(-1) });
    expect(Object.keys(defaultReleases())).toEqual(Object.keys(kubernetesReleases));
  });

  test('takes an exact release, with or without v', () => {
    expect(resolveKubernetesVersion('v1.35.2')).toEqual({ version: '1.35.2' });
  });

  test.each(['1.36.99', '1.12', '2', '', 'latest'])('says what to write instead of %j', (text) => {
    expect(resolveKubernetesVersion(text)).toHaveProperty('problem', expect.stringMatching(/[Ww]rite /));
  });
});

describe('nameProblem() [NAM-12]', () => {
  test.each(['a', 'team-a', `t${'0'.repeat(51)}`])('accepts %s', (name) => {
    expect(nameProblem(name)).toBeUndefined();
  });

  test.each(['', 'Team', '1team', 'team-', '-team', 'team.a', 'team_a', 't'.repeat(53), 't'.repeat(64)])(
    'refuses %j',
    (name) => {
      expect(nameProblem(name)).toMatch(/Choose/);
    },
  );
});
