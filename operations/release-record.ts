/** How Helm keeps a revision of a release in a Secret: base64 of base64 of gzipped JSON. Pure. */
import { gunzipSync } from 'node:zlib';
import { OperationError } from './errors.ts';
import type { ClusterRef, HostObject } from './types.ts';

/** What Helm calls the states of a revision. */
export type ReleaseStatus =
  | 'unknown'
  | 'deployed'
  | 'uninstalled'
  | 'superseded'
  | 'failed'
  | 'uninstalling'
  | 'pending-install'
  | 'pending-upgrade'
  | 'pending-rollback';

export interface Release extends ClusterRef {
  readonly status: ReleaseStatus;
  readonly revision: number;
  /** Helm's own word on it, such as "Install complete". */
  readonly description: string;
  /** When this revision was begun; ISO 8601. */
  readonly updated: string;
  readonly chart: {
    readonly name: string;
    readonly version: string;
    readonly appVersion: string;
    /** Tells our charts from others of the same name. */
    readonly home: string;
  };
  /** What the user gave, without the chart's defaults. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What it put onto the host, as YAML. */
  readonly manifest: string;
}

interface Recorded {
  readonly name: string;
  readonly namespace: string;
  readonly version: number;
  readonly info?: { readonly status?: string; readonly description?: string; readonly last_deployed?: string };
  readonly config?: Readonly<Record<string, unknown>> | null;
  readonly manifest?: string;
  readonly chart?: {
    readonly metadata?: {
      readonly name?: string;
      readonly version?: string;
      readonly appVersion?: string;
      readonly home?: string;
    };
  };
}

/** The label selector of all revisions of a release. */
export function revisionsOf(name: string): string {
  return `owner=helm,name=${name}`;
}

/** Somebody has written into Helm's own records. */
export class ReleaseRecordError extends OperationError {
  override readonly name = 'ReleaseRecordError';
}

/**
 * The Secret of the newest revision of a release; undefined when there is none. Only under the name that Helm gives it: what is
 * applied follows from it, and labels may be anybody's, a tenant's too.
 */
export function newest(name: string, secrets: readonly HostObject[]): HostObject | undefined {
  const revision = ({ metadata }: HostObject): number => revisionIn(name, metadata.name) ?? -1;
  const records = secrets.filter((secret) => revision(secret) >= 0);
  return records.toSorted((left, right) => revision(right) - revision(left))[0];
}

function revisionIn(name: string, secret: string): number | undefined {
  const prefix = `sh.helm.release.v1.${name}.v`;
  const number = secret.startsWith(prefix) ? secret.slice(prefix.length) : '';
  return /^\d+$/.test(number) ? Number(number) : undefined;
}

/** Reads one revision. @throws ReleaseRecordError */
export function decodeRelease(secret: HostObject): Release {
  const record = recordIn(secret);
  return {
    name: record.name,
    namespace: record.namespace,
    revision: record.version,
    ...infoOf(record),
    chart: chartOf(record),
    values: record.config ?? {},
    manifest: record.manifest ?? '',
  };
}

function recordIn({ data, metadata: { namespace = '', name } }: HostObject): Recorded {
  try {
    const text = Buffer.from(data?.['release'] ?? '', 'base64').toString('latin1');
    return JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')) as Recorded;
  } catch (cause) {
    // Not what it says: it might be quoted there.
    throw new ReleaseRecordError(
      `Helm's record ${namespace}/${name} cannot be read`,
      'Somebody has changed this Secret, in which Helm keeps what it has installed. Put it back from a backup, or delete it: then ' +
        'the revision before it counts, and the next apply installs over what is there.',
      { cause },
    );
  }
}

function infoOf({ info = {} }: Recorded): Pick<Release, 'status' | 'description' | 'updated'> {
  const { status = 'unknown', description = '', last_deployed: updated = '' } = info;
  return { status: status as ReleaseStatus, description, updated };
}

function chartOf({ chart }: Recorded): Release['chart'] {
  const { name = '', version = '', appVersion = '', home = '' } = chart?.metadata ?? {};
  return { name, version, appVersion, home };
}
