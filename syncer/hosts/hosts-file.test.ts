import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withFullName } from './hosts-file.ts';
import { hosts } from './main.ts';

const fqdn = 'web-0.web.shop.svc.cluster.local';
const names = { addresses: ['10.244.0.7'], hostname: 'web-0', fqdn };

/** As a kubelet writes it, with a host alias behind it. */
function kubelet(...own: readonly string[]): string {
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    'fe00::0\tip6-localnet',
    ...own,
    '',
    '# Entries added by HostAliases.',
    '10.96.7.7\tkubernetes.default.svc.cluster.local\tkubernetes',
    '',
  ].join('\n');
}

describe('withFullName()', () => {
  test('puts the full name first, as a kubelet would, and leaves the rest [POD-128, VEC-25]', () => {
    const expected = kubelet(`10.244.0.7\t${fqdn}\tweb-0`);
    expect(withFullName(kubelet('10.244.0.7\tweb-0'), names)).toBe(expected);
  });

  test('of both families [POD-130]', () => {
    const both = { ...names, addresses: ['10.244.0.7', 'fd00::7'] };
    expect(withFullName(kubelet('10.244.0.7\tweb-0', 'fd00::7\tweb-0'), both)).toBe(
      kubelet(`10.244.0.7\t${fqdn}\tweb-0`, `fd00::7\t${fqdn}\tweb-0`),
    );
  });

  test('adds a line where there is none, whatever the file ends with', () => {
    expect(withFullName('127.0.0.1\tlocalhost\n', names)).toBe(`127.0.0.1\tlocalhost\n10.244.0.7\t${fqdn}\tweb-0\n`);
    expect(withFullName('127.0.0.1\tlocalhost', names)).toBe(`127.0.0.1\tlocalhost\n10.244.0.7\t${fqdn}\tweb-0\n`);
  });

  test('names are text, not patterns [POD-130]', () => {
    const dotted = { ...names, hostname: 'web.0' };
    expect(withFullName(kubelet('10.244.0.7\twebx0'), dotted)).toContain('10.244.0.7\twebx0\n');
  });

  test('a second time changes nothing', () => {
    const once = withFullName(kubelet('10.244.0.7\tweb-0'), names);
    expect(withFullName(once, names)).toBe(once);
  });

  test.each(['web-0 evil', 'a\nb', '', '$(id)', 'a;b'])('refuses the name %j', (hostname) => {
    expect(() => withFullName('', { ...names, hostname })).toThrow(RangeError);
  });
});

test('hosts() writes a file that everybody may read; without a flag it says which [POD-129]', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hosts-'));
  const [from, out] = [join(folder, 'from'), join(folder, 'hosts')];
  await writeFile(from, kubelet('10.244.0.7\tweb-0'));
  await hosts(['--addresses=10.244.0.7', '--hostname=web-0', `--fqdn=${fqdn}`, `--out=${out}`], from);
  expect(await readFile(out, 'utf8')).toBe(kubelet(`10.244.0.7\t${fqdn}\tweb-0`));
  expect(((await stat(out)).mode & 0o777).toString(8)).toBe('644');
  await expect(hosts(['--hostname=web-0'], from)).rejects.toThrow('hosts needs --addresses.');
  await rm(folder, { recursive: true });
});
