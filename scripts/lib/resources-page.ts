/** docs/resources.md: what is synced, and what that takes on the host. Pure; follows from the registry. */
import { apiVersion } from '../../syncer/model/kind.ts';
import type { PolicyRule, Resource } from '../../syncer/model/resource.ts';

/** The whole page. `copied` are those of `all` that have a copy on the host for each virtual object. */
export function resourcesPage(all: readonly Resource[], copied: readonly Resource[]): string {
  const rows = all.map((resource) => {
    const { name, kind, hostRules } = resource;
    const how = copied.includes(resource) ? 'a copy on the host for each' : 'made from others';
    const rights = hostRules.length === 0 ? 'none' : hostRules.map(rightsText).join('<br>');
    return `| \`${name}\` | ${apiVersion(kind)} ${kind.kind} | ${how} | ${rights} |`;
  });
  return [
    '# What is synced',
    '',
    'Generated from syncer/resources/index.ts by `npm run generate`; do not edit.',
    '',
    'Everything else lives in the virtual cluster only. The rights are those of the syncer in the host namespace.',
    '',
    '| Resource | Kind | How | Rights on the host |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

function rightsText({ apiGroups, resources, verbs }: PolicyRule): string {
  const what = apiGroups.flatMap((group) =>
    resources.map((resource) => (group === '' ? resource : `${resource}.${group}`)),
  );
  return `${what.map((each) => `\`${each}\``).join(', ')}: ${verbs.join(', ')}`;
}
