/**
 * JSON as no client writes it: numbers that no double holds, keys of prototypes, doubled keys, half characters, a megabyte. What the
 * virtual API server stores is what the host gets, to the byte; what it does not take never gets there. SEED=<number> repeats a run.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { configMaps, pods, secrets, services } from '../../syncer/model/kubernetes.ts';
import type { Kind } from '../../syncer/model/kind.ts';
import { objectPath, collectionPath } from '../../syncer/model/kind.ts';
import { until } from '../support/eventually.ts';
import { isLong, random, raw, seed, shop, Stage } from './hostile.ts';

const force = '"annotations":{"vcluster.loft.sh/force-sync":"true"}';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.open('hostile-json');
});

afterAll(() => stage.close());

/** Creates an object from a text. @returns the status code */
async function post(kind: Kind, body: string): Promise<number> {
  const path = collectionPath(kind, shop);
  return (await raw(stage.pair, 'virtual', { method: 'POST', path, body })).status;
}

async function textOf(side: 'host' | 'virtual', kind: Kind, name: string): Promise<string> {
  const key = side === 'host' ? stage.hostKey(name) : { namespace: shop, name };
  return (await raw(stage.pair, side, { method: 'GET', path: objectPath(kind, key) })).body;
}

/** A field of an object as text, with every key and character of it. */
function fieldIn(text: string, field: string): string {
  return JSON.stringify((JSON.parse(text) as Readonly<Record<string, unknown>>)[field]);
}

/** Waits until the host has the same text in a field, and everything is at rest with it. */
async function arrives(kind: Kind, name: string, field: string): Promise<string> {
  await stage.onHost(kind, name);
  const wanted = fieldIn(await textOf('virtual', kind, name), field);
  await until(
    `${field} of ${name} on the host`,
    async () => fieldIn(await textOf('host', kind, name), field) === wanted,
  );
  return wanted;
}

describe('numbers', () => {
  test('beyond 2^53 stay what they are, through creation and every change [F71] [CORE-23, POD-82]', async () => {
    const huge = ['9007199254740993', '-9007199254740993', '9223372036854775807', '-9223372036854775808', '1'];
    const tolerations = huge.map(
      (seconds, index) => `{"key":"k${index}","operator":"Exists","effect":"NoExecute","tolerationSeconds":${seconds}}`,
    );
    const spec = `{"containers":[{"name":"c","image":"x"}],"tolerations":[${tolerations.join(',')}],"terminationGracePeriodSeconds":-0}`;
    expect(await post(pods, `{"metadata":{"name":"huge"},"spec":${spec}}`)).toBe(201);
    const secondsOf = (text: string): readonly string[] => text.match(/"tolerationSeconds":-?\d+/gu) ?? [];
    await stage.running('huge');
    const wanted = huge.map((seconds) => `"tolerationSeconds":${seconds}`);
    expect(secondsOf(await textOf('host', pods, 'huge'))).toEqual(expect.arrayContaining(wanted));
    const more = `[${[...tolerations, '{"key":"more","operator":"Exists","effect":"NoExecute","tolerationSeconds":9007199254740995}'].join(',')}`;
    const virtual = JSON.parse(await textOf('virtual', pods, 'huge')) as { spec: { tolerations: { key: string }[] } };
    const added = virtual.spec.tolerations
      .filter(({ key }) => key.startsWith('node.'))
      .map((each) => JSON.stringify(each));
    const body = `{"metadata":{"labels":{"a":"b"}},"spec":{"tolerations":${more},${added.join(',')}]}}`;
    const path = objectPath(pods, { namespace: shop, name: 'huge' });
    expect((await raw(stage.pair, 'virtual', { method: 'PATCH', path, body })).status).toBe(200);
    await stage.onHost(pods, 'huge', ({ metadata }) => metadata.labels?.['a'] === 'b');
    const after = secondsOf(await textOf('host', pods, 'huge'));
    expect(after).toEqual(expect.arrayContaining([...wanted, '"tolerationSeconds":9007199254740995']));
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.clear();
  });
});

describe('keys and texts', () => {
  const awkward = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype', 'valueOf'];

  test('of prototypes are keys like others: in data, in environments, in labels and selectors [F71] [LAB-12]', async () => {
    const data = awkward.map((key) => `"${key}":"${key}!"`).join(',');
    expect(await post(configMaps, `{"metadata":{"name":"keys",${force}},"data":{${data}}}`)).toBe(201);
    expect(await arrives(configMaps, 'keys', 'data')).toContain('"__proto__":"__proto__!"');
    const env = awkward.map((name) => `{"name":"${name}","value":"${name}!"}`).join(',');
    const labels = '{"constructor":"x","toString":"y"}';
    const spec = `{"containers":[{"name":"c","image":"x","env":[${env}]}],"nodeSelector":{"constructor":"x"}}`;
    expect(await post(pods, `{"metadata":{"name":"keys","labels":${labels}},"spec":${spec}}`)).toBe(201);
    const service = `{"metadata":{"name":"keys"},"spec":{"selector":${labels},"ports":[{"port":80}]}}`;
    expect(await post(services, service)).toBe(201);
    const host = await stage.onHost(pods, 'keys');
    expect(host.metadata.labels).toMatchObject({ constructor: 'x', toString: 'y' });
    expect(host.spec['nodeSelector']).toEqual({ constructor: 'x' });
    const values = new Map(host.spec.containers[0]?.env?.map(({ name, value }) => [name, value]));
    expect(awkward.map((name) => values.get(name))).toEqual(awkward.map((name) => `${name}!`));
    expect((await stage.onHost(services, 'keys')).spec.selector).toMatchObject({ constructor: 'x', toString: 'y' });
    await stage.clear();
  });

  const texts: readonly (readonly [string, string])[] = [
    ['halves of characters', String.raw`"\ud800 \udc00 \ud83d\ude00 x\udfff"`],
    ['control characters and separators of lines', String.raw`"\u0000\u0001\u001f\u007f\u2028\u2029\ufeff"`],
    ['markup that encoders like to change', String.raw`"<script>&amp;\u003c\/script>"`],
    ['numbers as texts', '"9007199254740993e400"'],
    ['JSON within', JSON.stringify(`${'['.repeat(10_000)}${']'.repeat(10_000)}`)],
  ];

  test.each(texts)('%s arrive as they are stored [F71]', async (_about, text) => {
    expect(await post(configMaps, `{"metadata":{"name":"text",${force}},"data":{"a":${text}}}`)).toBe(201);
    expect(await arrives(configMaps, 'text', 'data')).toContain('"a":');
    await stage.clear();
  });

  test('that stand twice: what the virtual API server makes of them is what the host gets [F71]', async () => {
    const body = `{"metadata":{"name":"first","name":"twice",${force}},"data":{"a":"1","a":"2"},"data":{"a":"3"}}`;
    expect(await post(configMaps, body)).toBe(201);
    expect(await arrives(configMaps, 'twice', 'data')).toContain('"a":"3"');
    await stage.clear();
  });

  test(`of a generator: data and bytes of all kinds arrive to the byte (SEED=${seed})`, async () => {
    const count = isLong ? 300 : 30;
    const alphabet = ['a', '"', '\\', '\n', 'é', '😀', '\u0000', '\u2028', '<', '{', ' '];
    const text = (): string =>
      Array.from({ length: Math.floor(random() * 40) }, () => alphabet[Math.floor(random() * alphabet.length)]).join(
        '',
      );
    const names = Array.from({ length: count }, (_, index) => `made-${index}`);
    for (const name of names) {
      const data = JSON.stringify({ a: text(), b: text(), __proto__x: text() });
      const bytes = JSON.stringify({ c: randomBytes(Math.floor(random() * 99)).toString('base64') });
      const body = `{"metadata":{"name":"${name}",${force}},"data":${data},"binaryData":${bytes}}`;
      expect(await post(configMaps, body)).toBe(201);
    }
    for (const name of names) {
      await arrives(configMaps, name, 'data');
      await arrives(configMaps, name, 'binaryData');
    }
    expect(await stage.writtenAtRest()).toEqual([]);
    await stage.clear();
  });
});

describe('size', () => {
  test('a megabyte arrives; an object that only our own notes make too large is refused with a warning, and others go on [F71] [CS-10] [I7]', async () => {
    const megabyte = 'x'.repeat(1_000_000);
    expect(await post(configMaps, `{"metadata":{"name":"large",${force}},"data":{"a":"${megabyte}"}}`)).toBe(201);
    const host = await stage.onHost(configMaps, 'large');
    expect(host.data?.['a']?.length).toBe(megabyte.length);
    const note = 'x'.repeat(262_144 - 60);
    const annotations = `"annotations":{"vcluster.loft.sh/force-sync":"true","n":"${note}"}`;
    expect(await post(secrets, `{"metadata":{"name":"full",${annotations}}}`)).toBe(201);
    const full = await stage.virtual(secrets, 'full');
    if (full !== undefined) await stage.warning(full, /too long|may not be/iu);
    expect(await stage.host(secrets, 'full')).toBeUndefined();
    await stage.alive('beside-the-large');
    await stage.clear();
  });

  test('what nests too deeply is refused by the virtual API server, and nobody is hurt [F71] [I9]', async () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const spec = `{"containers":[{"name":"c","image":"x"}],"overhead":${deep}}`;
    expect(await post(pods, `{"metadata":{"name":"deep"},"spec":${spec}}`)).toBeGreaterThanOrEqual(400);
    await stage.alive('beside-the-deep');
  });
});
