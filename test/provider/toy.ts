/**
 * A small provider for tests of the framework: boxes are JSON files in a folder. Everything a resource can do has one
 * attribute here that does it; what a test needs from the outside (fail now, wait) is asked for by attributes, too.
 */
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { list, map, nested, object, set } from '../../provider/framework/attributes.ts';
import { matches, oneOf, wholeNumber } from '../../provider/framework/checks.ts';
import { defineDataSource, type DataSourceType } from '../../provider/framework/data-source.ts';
import { defineProvider, type ProviderType } from '../../provider/framework/define-provider.ts';
import { failure, ProviderError, warning } from '../../provider/framework/diagnostics.ts';
import { defineEphemeral, type EphemeralType } from '../../provider/framework/ephemeral.ts';
import { ArgumentError, defineFunction, type FunctionType } from '../../provider/framework/function.ts';
import { defineResource, type ResourceType } from '../../provider/framework/resource.ts';
import { timeouts } from '../../provider/framework/timeouts.ts';
import { isRecord, isUnknown, UNKNOWN, type Value, type ValueRecord } from '../../provider/framework/values.ts';

interface Configured {
  /** @throws ProviderError while the folder is not known */
  folder(): string;
}

type Stored = ValueRecord & { readonly writes: number };

async function stored(folder: string, name: string): Promise<Stored | undefined> {
  const path = join(folder, `${name}.json`);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  return there ? (JSON.parse(await readFile(path, 'utf8')) as Stored) : undefined;
}

async function store(folder: string, name: string, box: Stored): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.json`), JSON.stringify(box));
}

const box: ResourceType<Configured> = defineResource({
  name: 'toy_box',
  doc: 'A box.\n\nIt is a file.',
  example: 'resource "toy_box" "one" {\n  name = "one"\n}\n',
  version: 2,
  importId: 'name',
  attributes: {
    name: {
      type: 'string',
      required: true,
      doc: 'Name of the box.',
      replace: 'a box cannot be renamed',
      check: matches(/^[a-z]+$/, 'lower-case letters'),
    },
    color: { type: 'string', optional: true, default: 'red', doc: 'Color.', check: oneOf('red', 'green', 'blue') },
    size: { type: 'number', optional: true, doc: 'Size.', check: wholeNumber(1, 10) },
    weight: { type: 'number', optional: true, doc: 'Weight, which may have a fraction.' },
    tags: { type: map('string'), optional: true, doc: 'Tags.' },
    labels: { type: set('string'), optional: true, doc: 'Labels.' },
    anything: { type: 'dynamic', optional: true, doc: 'Anything.' },
    lid: {
      optional: true,
      doc: 'Lid.',
      type: nested('single', {
        material: { type: 'string', optional: true, default: 'wood', doc: 'Material.' },
        hinges: {
          optional: true,
          doc: 'Hinges.',
          type: nested('list', {
            side: { type: 'string', required: true, doc: 'Side.', check: oneOf('left', 'right') },
            screws: { type: list('number'), optional: true, doc: 'Screws.' },
            number: { type: 'string', computed: true, doc: 'Serial number.' },
          }),
        },
      }),
    },
    password: { type: 'string', optional: true, sensitive: true, doc: 'Password.' },
    key_wo: { type: 'string', optional: true, writeOnly: true, sensitive: true, doc: 'Key, never stored.' },
    fail: {
      type: 'string',
      optional: true,
      doc: 'When to fail.',
      check: oneOf('before', 'after', 'bug', 'inconsistent', 'unknown'),
    },
    wait: { type: 'bool', optional: true, doc: 'Wait in the middle until stopped.' },
    id: { type: 'string', computed: true, doc: 'Id.' },
    serial: { type: 'string', computed: true, doc: 'Changes with every write when `size` changes.' },
    drift: { type: list('string'), computed: true, doc: 'What others have changed.' },
    timeouts: timeouts({ create: '5m' }),
  },
  validate: (config) =>
    config.size === 7 && config.color === 'green'
      ? [failure('Ugly box', 'A green box cannot have size 7.', ['size'])]
      : [],
  plan: ({ prior, planned }) => {
    if (prior === undefined) return {};
    return {
      values: {
        ...((prior.drift?.length ?? 0) > 0 && { drift: [] }),
        ...(prior.size !== planned.size && { serial: UNKNOWN }),
      },
      replace:
        typeof planned.size === 'number' && planned.size < (prior.size ?? 0)
          ? [{ path: ['size'], why: 'a box cannot shrink' }]
          : [],
    };
  },
  planDelete: ({ prior }) =>
    prior.tags?.['protected'] === 'yes'
      ? [failure('Box is protected', 'Remove the tag "protected" first.', ['tags', 'protected'])]
      : [warning('Box goes', 'With everything in it.')],
  create: async ({ config, planned, provider, signal, checkpoint, log }) => {
    if (config.fail === 'before') throw new ProviderError('No box', 'Because of fail = "before".', { path: ['fail'] });
    const folder = provider.folder();
    log.info('Making a box', { name: config.name, key: config.key_wo });
    await store(folder, config.name, { writes: 1, key: config.key_wo, ...known(planned as ValueRecord) });
    // A key that is handed back by mistake must not be kept either.
    const made = { key_wo: config.key_wo, id: config.name, serial: '1', drift: [], lid: numbered(planned.lid) };
    const state = { ...planned, ...made };
    checkpoint({ ...state, serial: UNKNOWN }, { half: true });
    if (config.wait) await sleep(600_000, undefined, { signal });
    if (config.fail === 'after') throw new ProviderError('Half a box', `With ${config.key_wo ?? 'no key'}.`);
    if (config.fail === 'bug') throw new TypeError(`cannot read ${config.password ?? ''}`);
    if (config.fail === 'inconsistent') return { state: { ...state, color: 'blue' } };
    if (config.fail === 'unknown') return { state: { ...state, serial: UNKNOWN } };
    return { state, private: { made: true } };
  },
  read: async ({ state, provider, private: kept }) => {
    const found = await stored(provider.folder(), state.name);
    if (found === undefined) return undefined;
    const drift = found['color'] === state.color ? [] : [`color: ${state.color} → ${asText(found['color'])}`];
    const imported = kept['imported'] === true;
    return {
      state: {
        ...state,
        ...(imported && { color: asText(found['color']) }),
        id: state.name,
        serial: String(found.writes),
        drift: imported ? [] : drift,
      },
      private: {},
    };
  },
  update: async ({ config, planned, prior, provider }) => {
    const folder = provider.folder();
    const found = await stored(folder, prior.name);
    const writes = (found?.writes ?? 0) + 1;
    await store(folder, config.name, { key: config.key_wo, ...known(planned as ValueRecord), writes });
    const serial = isUnknown(planned.serial) ? String(writes) : planned.serial;
    return { state: { ...planned, serial, lid: numbered(planned.lid) } };
  },
  delete: async ({ prior, provider }) => {
    await rm(join(provider.folder(), `${prior.name}.json`), { force: true });
  },
  import: async ({ id }) => {
    if (!/^[a-z]+$/.test(id)) {
      throw new ProviderError('Not the id of a box', `It must be lower-case letters, got: ${JSON.stringify(id)}.`);
    }
    return { state: { name: id }, private: { imported: true } };
  },
  upgrades: {
    0: ({ colour, ...rest }) => ({ ...rest, color: colour ?? 'red' }),
    1: (state) => ({ ...state, size: Number(state['size']) }),
  },
});

/** Gives every hinge its number, the first time. */
function numbered(lid: Value): never {
  if (!isRecord(lid) || !Array.isArray(lid['hinges'])) return lid as never;
  const hinges: readonly ValueRecord[] = lid['hinges'];
  const numberOf = (hinge: ValueRecord, index: number): Value =>
    isUnknown(hinge['number']) ? `no-${String(index)}` : (hinge['number'] ?? null);
  // The shape of a lid, which only its attributes know.
  return { ...lid, hinges: hinges.map((hinge, index) => ({ ...hinge, number: numberOf(hinge, index) })) } as never;
}

function known(values: ValueRecord): ValueRecord {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => !isUnknown(value)));
}

const boxes: DataSourceType<Configured> = defineDataSource({
  name: 'toy_box',
  doc: 'Looks at a box.',
  attributes: {
    name: { type: 'string', required: true, doc: 'Name.' },
    color: { type: 'string', computed: true, doc: 'Color.' },
  },
  read: async ({ config, provider }) => {
    const found = await stored(provider.folder(), config.name);
    if (found === undefined) throw new ProviderError('No such box', `${config.name} is not there.`, { path: ['name'] });
    return { state: { color: asText(found['color']) } };
  },
});

/** What the ephemeral has done, a line each, in the folder's `ephemeral.log`. */
const view: EphemeralType<Configured> = defineEphemeral({
  name: 'toy_view',
  doc: 'A view into a box while Terraform runs.',
  attributes: {
    box: { type: 'string', required: true, doc: 'Id of the box.' },
    renew_after_ms: { type: 'number', optional: true, doc: 'When to renew.' },
    key: { type: 'string', computed: true, sensitive: true, doc: 'The key of the box.' },
  },
  open: async ({ config, provider }) => {
    const found = await stored(provider.folder(), config.box);
    if (found === undefined) throw new ProviderError('No such box', `${config.box} is not there.`, { path: ['box'] });
    await note(provider.folder(), `open ${config.box}`);
    return {
      result: { key: asText(found['key']) },
      private: { box: config.box, everyMs: config.renew_after_ms },
      ...(config.renew_after_ms !== null && { renewAt: new Date(Date.now() + config.renew_after_ms) }),
    };
  },
  renew: async ({ provider, private: kept }) => {
    await note(provider.folder(), `renew ${asText(kept['box'])}`);
    return { renewAt: new Date(Date.now() + Number(kept['everyMs'])) };
  },
  close: async ({ provider, private: kept }) => {
    await note(provider.folder(), `close ${asText(kept['box'])}`);
  },
});

async function note(folder: string, line: string): Promise<void> {
  await writeFile(join(folder, 'ephemeral.log'), `${line}\n`, { flag: 'a' });
}

const split: FunctionType = defineFunction({
  name: 'split_id',
  summary: 'Splits an id.',
  doc: 'Splits `box/side`.',
  parameters: [
    { name: 'id', type: 'string', doc: 'The id.' },
    { name: 'side', type: 'string', doc: 'The side when the id names none.', nullable: true },
  ],
  returns: object({ box: 'string', side: 'string' }),
  run: (id, side) => {
    const [name, own = side] = id.split('/');
    if (own === null || own === undefined) throw new ArgumentError(0, `must be "box/side", got: ${JSON.stringify(id)}`);
    return { box: name ?? '', side: own };
  },
});

/** The toy provider. */
export const toy: ProviderType = defineProvider({
  name: 'toy',
  version: '1.0.0',
  doc: 'Boxes in a folder.',
  attributes: {
    folder: { type: 'string', required: true, doc: 'Where the boxes are.' },
    secret: { type: 'string', optional: true, sensitive: true, doc: 'A secret.' },
  },
  configure: ({ folder }) => ({
    folder: () => {
      if (isUnknown(folder)) throw new ProviderError('The folder is not known yet', 'Apply what it comes from first.');
      return folder;
    },
  }),
  resources: [box],
  dataSources: [boxes],
  ephemerals: [view],
  functions: [split],
});

function asText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
