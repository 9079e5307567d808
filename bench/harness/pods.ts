/**
 * The pod that every benchmark makes: small, but with what pods in real clusters have. A pod carries its own ID as an argument of
 * its container: the one field that no syncer changes, so that the observer knows it on both sides under whatever name.
 */
import type { Pod } from '../../syncer/model/kubernetes.ts';

const prefix = 'bench-id=';

export interface PodOptions {
  readonly namespace: string;
  /** Whether it mounts a service-account token, as pods do by default. */
  readonly token: boolean;
  /** A config map that it mounts. */
  readonly configMap?: string;
}

/** The ID is also its name. */
export function podOf(id: string, { namespace, token, configMap }: PodOptions): Pod {
  return {
    metadata: {
      name: id,
      namespace,
      labels: { app: 'bench', 'app.kubernetes.io/name': 'bench', 'app.kubernetes.io/part-of': 'benchmarks' },
    },
    spec: {
      automountServiceAccountToken: token,
      ...(configMap !== undefined && { volumes: [{ name: 'config', configMap: { name: configMap } }] }),
      containers: [
        {
          name: 'main',
          image: 'registry.example.com/bench/app:1.2.3',
          args: [`${prefix}${id}`],
          env: [
            { name: 'LOG_LEVEL', value: 'info' },
            { name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          ],
          ports: [{ name: 'http', containerPort: 8080 }],
          resources: { requests: { cpu: '1m', memory: '1Mi' } },
        },
      ],
    },
  };
}

/** The ID of a pod of ours on either side. */
export function tryIdOf({ spec }: Pod): string | undefined {
  const args: unknown = spec.containers[0]?.['args'];
  const first: unknown = Array.isArray(args) ? args[0] : undefined;
  return typeof first === 'string' && first.startsWith(prefix) ? first.slice(prefix.length) : undefined;
}
