/**
 * Every option of a virtual cluster, declared once: type, default, one line of doc.
 *
 * Names follow vcluster.yaml where it has one. From this file come `chart/values.schema.json`, `docs/configuration.md` and the type
 * `Values` of the constructs (`npm run generate`), and the checks of parse.ts; `chart/values.yaml` is
 * hand-written and a test keeps its values equal to the defaults here.
 * This is data: it must stay readable without running anything. No option is listed before it is honoured.
 */
import { podOptions } from './pod-options.ts';

const ownOptions = {
  controlPlane: {
    distro: {
      k8s: {
        version: {
          type: 'version',
          default: '1.36',
          doc: 'Kubernetes version of the virtual cluster: a minor ("1.36") or an exact release ("1.36.3").',
        },
        image: {
          registry: {
            type: 'string',
            default: 'registry.k8s.io',
            pattern: '^[a-z0-9][a-z0-9.:/_-]*[a-z0-9]$',
            doc: 'Where the images kube-apiserver and kube-controller-manager are pulled from.',
          },
        },
        apiServer: {
          resources: {
            type: 'resources',
            default: { requests: { cpu: '30m', memory: '256Mi' } },
            doc: 'Resources of the container kube-apiserver.',
          },
        },
        controllerManager: {
          resources: {
            type: 'resources',
            default: { requests: { cpu: '15m', memory: '64Mi' } },
            doc: 'Resources of the container kube-controller-manager.',
          },
        },
      },
    },
    backingStore: {
      etcd: {
        image: {
          type: 'string',
          default: 'registry.k8s.io/etcd:3.6.8-0',
          pattern: '^[^\\s:]+(:[0-9]+)?(/[^\\s:@]+)*(:[\\w.-]+)?(@sha256:[0-9a-f]{64})?$',
          doc: 'Image of etcd, which stores the objects of the virtual cluster.',
        },
        resources: {
          type: 'resources',
          default: { requests: { cpu: '15m', memory: '64Mi' } },
          doc: 'Resources of the container etcd.',
        },
      },
    },
    coredns: {
      deployment: {
        image: {
          type: 'string',
          default: 'registry.k8s.io/coredns/coredns:v1.13.1',
          pattern: '^[^\\s:]+(:[0-9]+)?(/[^\\s:@]+)*(:[\\w.-]+)?(@sha256:[0-9a-f]{64})?$',
          doc: 'Image of the cluster DNS that runs inside the virtual cluster.',
        },
      },
    },
    syncer: {
      image: {
        repository: {
          type: 'string',
          default: 'ghcr.io/cdktf-vcluster/syncer',
          pattern: '^[a-z0-9][a-z0-9.:/_-]*[a-z0-9]$',
          doc: 'Image of the syncer, without its tag.',
        },
        tag: {
          type: 'string',
          default: '',
          pattern: '^[\\w.-]*$',
          doc: 'Tag of the syncer image; empty means the version of the chart.',
        },
        pullPolicy: {
          type: 'string',
          default: 'IfNotPresent',
          values: ['Always', 'IfNotPresent', 'Never'],
          doc: 'When the syncer image is pulled.',
        },
      },
      resources: {
        type: 'resources',
        default: { requests: { cpu: '10m', memory: '96Mi' } },
        doc: 'Resources of the container syncer and of the init container that makes certificates.',
      },
    },
    serviceMonitor: {
      enabled: {
        type: 'boolean',
        default: false,
        doc: 'Create a ServiceMonitor, so that a Prometheus run by the Prometheus Operator scrapes the syncer.',
      },
      labels: {
        type: 'stringMap',
        default: {},
        doc: 'Further labels of the ServiceMonitor, as your Prometheus selects it.',
      },
      annotations: { type: 'stringMap', default: {}, doc: 'Annotations of the ServiceMonitor.' },
    },
    prometheusRule: {
      enabled: {
        type: 'boolean',
        default: false,
        doc: 'Create a PrometheusRule with the alerts of docs/observability.md, for this virtual cluster alone.',
      },
      labels: {
        type: 'stringMap',
        default: {},
        doc: 'Further labels of the PrometheusRule, as your Prometheus selects it.',
      },
      annotations: { type: 'stringMap', default: {}, doc: 'Annotations of the PrometheusRule.' },
    },
    grafanaDashboard: {
      enabled: {
        type: 'boolean',
        default: false,
        doc: 'Create a ConfigMap with the dashboard of the syncer, for the dashboard sidecar of Grafana.',
      },
      labels: {
        type: 'stringMap',
        default: { grafana_dashboard: '1' },
        doc: 'Labels by which the sidecar finds the ConfigMap.',
      },
      annotations: {
        type: 'stringMap',
        default: {},
        doc: 'Annotations of the ConfigMap, such as the folder in Grafana.',
      },
    },
    statefulSet: {
      labels: {
        type: 'stringMap',
        default: {},
        doc: 'Labels of the StatefulSet, by which virtual clusters are found and grouped. `app` and `release` are taken.',
      },
      annotations: { type: 'stringMap', default: {}, doc: 'Annotations of the StatefulSet.' },
      persistence: {
        volumeClaim: {
          enabled: {
            type: 'boolean',
            default: true,
            doc: 'Keep the objects of the virtual cluster on a volume. Without it they are lost with the pod.',
            fixed: 'Kubernetes does not let the volume claims of a StatefulSet change',
          },
          size: {
            type: 'quantity',
            default: '5Gi',
            doc: 'Size of that volume.',
            fixed: 'Kubernetes does not let the volume claims of a StatefulSet change',
          },
          storageClass: {
            type: 'string',
            default: '',
            doc: "StorageClass of that volume; empty means the host's default.",
            fixed: 'Kubernetes does not let the volume claims of a StatefulSet change',
          },
          retentionPolicy: {
            type: 'string',
            default: 'Delete',
            values: ['Delete', 'Retain'],
            doc: 'What happens to the volume when the release is deleted. `Delete` leaves nothing behind.',
          },
        },
      },
      scheduling: {
        nodeSelector: {
          type: 'stringMap',
          default: {},
          doc: 'Labels a host node must have to run the control plane.',
        },
        tolerations: {
          type: 'tolerations',
          default: [],
          doc: 'Taints of host nodes that the control plane tolerates.',
        },
        priorityClassName: {
          type: 'string',
          default: '',
          doc: 'PriorityClass of the control plane pod on the host.',
        },
      },
    },
    advanced: {
      serviceAccount: {
        imagePullSecrets: {
          type: 'references',
          default: [],
          doc: 'Secrets of the host namespace with which the images of the control plane are pulled.',
        },
        annotations: {
          type: 'stringMap',
          default: {},
          doc: 'Annotations of the service account that the syncer uses on the host.',
        },
      },
      workloadServiceAccount: {
        imagePullSecrets: {
          type: 'references',
          default: [],
          doc: 'Secrets of the host namespace with which the images of tenant pods are pulled.',
        },
        annotations: {
          type: 'stringMap',
          default: {},
          doc: 'Annotations of the service account that tenant pods run under on the host. It has no rights.',
        },
      },
    },
  },
  networking: {
    advanced: {
      clusterDomain: {
        type: 'string',
        default: 'cluster.local',
        pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$',
        doc: 'DNS domain inside the virtual cluster.',
        fixed: 'certificates, DNS records and running pods of the virtual cluster carry it',
      },
    },
  },
  tracing: {
    endpoint: {
      type: 'string',
      default: '',
      pattern: '^(https?://\\S+)?$',
      doc: 'Base URL of an OTLP/HTTP receiver that the syncer sends its spans to; empty means no tracing.',
    },
    headersSecret: {
      type: 'string',
      default: '',
      doc: 'Secret of the host namespace whose key `headers` is sent along, in the form of OTEL_EXPORTER_OTLP_HEADERS.',
    },
    sampleRatio: {
      type: 'string',
      default: '1',
      pattern: '^(0(\\.[0-9]+)?|1(\\.0+)?)$',
      doc: 'Part of the looks at keys that are traced, from 0 to 1.',
    },
  },
  logging: {
    level: {
      type: 'string',
      default: 'info',
      values: ['debug', 'info', 'warn', 'error'],
      doc: 'How much the syncer logs.',
    },
  },
} as const;

export const options: typeof ownOptions & typeof podOptions = { ...ownOptions, ...podOptions };

export type { Values } from './values.ts';
