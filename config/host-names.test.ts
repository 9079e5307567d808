/** Host names read backwards. Forwards they are tested with the syncer's words (syncer/translate/names.test.ts). */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostName, hostNameLengthMax, readHostName } from './host-names.ts';

const label = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?$/u);
const cluster = fc.stringMatching(/^[a-z]([-a-z0-9]{0,20}[a-z0-9])?$/u);

describe('readHostName()', () => {
  test.each([
    ['nginx-x-default-x-vc1', { name: 'nginx', namespace: 'default', cluster: 'vc1' }],
    ['kube-dns-x-kube-system-x-vc1', { name: 'kube-dns', namespace: 'kube-system', cluster: 'vc1' }],
    ['a.b-x-default-x-vc1', { name: 'a.b', namespace: 'default', cluster: 'vc1' }],
    // Only one way to take it apart gives valid names: none may begin or end with "-".
    ['x-x-x-x-x', { name: 'x', namespace: 'x', cluster: 'x' }],
    // No virtual cluster is called "9x".
    ['a-x-b-x-c-x-9x', { name: 'a', namespace: 'b', cluster: 'c-x-9x' }],
  ])('%s', (text, object) => {
    expect(readHostName(text)).toEqual({ is: 'object', object });
  });

  test('a name that was cut is told as such, also when the cut came after a dot [VEC-02, VEC-03]', () => {
    expect(readHostName(hostName('a'.repeat(40), 'default', { name: 'my-vcluster' }))).toEqual({ is: 'shortened' });
    const afterDot = hostName(`${'a'.repeat(51)}.bbb`, 'default', { name: 'vc1' });
    expect(afterDot).toHaveLength(hostNameLengthMax - 1);
    expect(readHostName(afterDot)).toEqual({ is: 'shortened' });
  });

  test('the ambiguity of the wire format is told, with everything it can mean [VEC-08]', () => {
    expect(readHostName('a-x-b-x-c-x-vc1')).toEqual({
      is: 'ambiguous',
      objects: [
        { name: 'a', namespace: 'b', cluster: 'c-x-vc1' },
        { name: 'a', namespace: 'b-x-c', cluster: 'vc1' },
        { name: 'a-x-b', namespace: 'c', cluster: 'vc1' },
      ],
    });
  });

  test.each(['web', 'web-x-default', 'Web-x-default-x-vc1', '', '-x--x-', 'a-x-b.c-x-d', 'a-x-b-x-0', 'a'.repeat(70)])(
    '%j is no host name',
    (text) => {
      expect(readHostName(text)).toEqual({ is: 'foreign' });
    },
  );

  test('whatever was made by hostName() is read back, alone or among others, unless it was cut', () => {
    const readBack = (name: string, namespace: string, of: string): void => {
      const made = hostName(name, namespace, { name: of });
      const reading = readHostName(made);
      const wasCut = `${name}-x-${namespace}-x-${of}`.length > hostNameLengthMax;
      const mayBeCut = wasCut || /.{51}-[0-9a-f]{10}$/.test(made);
      const objects = reading.is === 'object' ? [reading.object] : reading.is === 'ambiguous' ? reading.objects : [];
      const found = objects.some((each) => JSON.stringify(each) === JSON.stringify({ name, namespace, cluster: of }));
      expect(mayBeCut ? reading.is === 'shortened' : found).toBe(true);
    };
    fc.assert(fc.property(label, label, cluster, readBack));
  });
});
