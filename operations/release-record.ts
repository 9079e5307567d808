/** How Helm keeps a revision of a release in a Secret: base64 of base64 of gzipped JSON. Pure. */
import { gunzipSync } from 'node:zlib';
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

/** The Secret of the newest revision; undefined when there is none. */
export function newest(secrets: readonly HostObject[]): HostObject | undefined {
  return secrets.toSorted((left, right) => revision(right) - revision(left))[0];
}

function revision({ metadata }: HostObject): number {
  return Number(metadata.labels?.['version'] ?? 0);
}

/** Reads one revision. @throws when it is none */
export function decodeRelease(secret: HostObject): Release {
  const text = Buffer.from(secret.data?.['release'] ?? '', 'base64').toString('latin1');
  const record = JSON.parse(gunzipSync(Buffer.from(text, 'base64')).toString('utf8')) as Recorded;
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

function infoOf({ info = {} }: Recorded): Pick<Release, 'status' | 'description' | 'updated'> {
  const { status = 'unknown', description = '', last_deployed: updated = '' } = info;
  return { status: status as ReleaseStatus, description, updated };
}

function chartOf({ chart }: Recorded): Release['chart'] {
  const { name = '', version = '', appVersion = '', home = '' } = chart?.metadata ?? {};
  return { name, version, appVersion, home };
}
