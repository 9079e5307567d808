/** Every option as a type. Generated from config/options.ts by `npm run generate`; do not edit. */
import type { Quantity, Reference, Resources, Toleration } from './option.ts';

/** What a user may write in values.yaml, or pass to a construct. */
export interface Values {
  readonly controlPlane?: {
    readonly distro?: {
      readonly k8s?: {
        /**
         * Kubernetes version of the virtual cluster: a minor ("1.36") or an exact release ("1.36.3").
         * @default '1.36'
         */
        readonly version?: string;
        readonly image?: {
          /**
           * Where the images kube-apiserver and kube-controller-manager are pulled from.
           * @default 'registry.k8s.io'
           */
          readonly registry?: string;
        };
        readonly apiServer?: {
          /**
           * Resources of the container kube-apiserver.
           * @default {"requests":{"cpu":"30m","memory":"256Mi"}}
           */
          readonly resources?: Resources;
        };
        readonly controllerManager?: {
          /**
           * Resources of the container kube-controller-manager.
           * @default {"requests":{"cpu":"15m","memory":"64Mi"}}
           */
          readonly resources?: Resources;
        };
      };
    };
    readonly backingStore?: {
      readonly etcd?: {
        /**
         * Image of etcd, which stores the objects of the virtual cluster.
         * @default 'registry.k8s.io/etcd:3.6.8-0'
         */
        readonly image?: string;
        /**
         * Resources of the container etcd.
         * @default {"requests":{"cpu":"15m","memory":"64Mi"}}
         */
        readonly resources?: Resources;
      };
    };
    readonly coredns?: {
      readonly deployment?: {
        /**
         * Image of the cluster DNS that runs inside the virtual cluster.
         * @default 'registry.k8s.io/coredns/coredns:v1.13.1'
         */
        readonly image?: string;
      };
    };
    readonly syncer?: {
      readonly image?: {
        /**
         * Image of the syncer, without its tag.
         * @default 'ghcr.io/cdktf-vcluster/syncer'
         */
        readonly repository?: string;
        /**
         * Tag of the syncer image; empty means the version of the chart.
         * @default ''
         */
        readonly tag?: string;
        /**
         * When the syncer image is pulled.
         * @default 'IfNotPresent'
         */
        readonly pullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
      };
      /**
       * Resources of the container syncer and of the init container that makes certificates.
       * @default {"requests":{"cpu":"10m","memory":"96Mi"}}
       */
      readonly resources?: Resources;
    };
    readonly serviceMonitor?: {
      /**
       * Create a ServiceMonitor, so that a Prometheus run by the Prometheus Operator scrapes the syncer.
       * @default false
       */
      readonly enabled?: boolean;
      /**
       * Further labels of the ServiceMonitor, as your Prometheus selects it.
       * @default {}
       */
      readonly labels?: Readonly<Record<string, string>>;
      /**
       * Annotations of the ServiceMonitor.
       * @default {}
       */
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly prometheusRule?: {
      /**
       * Create a PrometheusRule with the alerts of docs/observability.md, for this virtual cluster alone.
       * @default false
       */
      readonly enabled?: boolean;
      /**
       * Further labels of the PrometheusRule, as your Prometheus selects it.
       * @default {}
       */
      readonly labels?: Readonly<Record<string, string>>;
      /**
       * Annotations of the PrometheusRule.
       * @default {}
       */
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly grafanaDashboard?: {
      /**
       * Create a ConfigMap with the dashboard of the syncer, for the dashboard sidecar of Grafana.
       * @default false
       */
      readonly enabled?: boolean;
      /**
       * Labels by which the sidecar finds the ConfigMap.
       * @default {"grafana_dashboard":"1"}
       */
      readonly labels?: Readonly<Record<string, string>>;
      /**
       * Annotations of the ConfigMap, such as the folder in Grafana.
       * @default {}
       */
      readonly annotations?: Readonly<Record<string, string>>;
    };
    readonly statefulSet?: {
      /**
       * Labels of the StatefulSet, by which virtual clusters are found and grouped. `app` and `release` are taken.
       * @default {}
       */
      readonly labels?: Readonly<Record<string, string>>;
      /**
       * Annotations of the StatefulSet.
       * @default {}
       */
      readonly annotations?: Readonly<Record<string, string>>;
      readonly persistence?: {
        readonly volumeClaim?: {
          /**
           * Keep the objects of the virtual cluster on a volume. Without it they are lost with the pod. Cannot be changed later: Kubernetes does not let the volume claims of a StatefulSet change.
           * @default true
           */
          readonly enabled?: boolean;
          /**
           * Size of that volume. Cannot be changed later: Kubernetes does not let the volume claims of a StatefulSet change.
           * @default '5Gi'
           */
          readonly size?: Quantity;
          /**
           * StorageClass of that volume; empty means the host's default. Cannot be changed later: Kubernetes does not let the volume claims of a StatefulSet change.
           * @default ''
           */
          readonly storageClass?: string;
          /**
           * What happens to the volume when the release is deleted. `Delete` leaves nothing behind.
           * @default 'Delete'
           */
          readonly retentionPolicy?: 'Delete' | 'Retain';
        };
      };
      readonly scheduling?: {
        /**
         * Labels a host node must have to run the control plane.
         * @default {}
         */
        readonly nodeSelector?: Readonly<Record<string, string>>;
        /**
         * Taints of host nodes that the control plane tolerates.
         * @default []
         */
        readonly tolerations?: readonly Toleration[];
        /**
         * PriorityClass of the control plane pod on the host.
         * @default ''
         */
        readonly priorityClassName?: string;
      };
    };
    readonly advanced?: {
      readonly serviceAccount?: {
        /**
         * Secrets of the host namespace with which the images of the control plane are pulled.
         * @default []
         */
        readonly imagePullSecrets?: readonly Reference[];
        /**
         * Annotations of the service account that the syncer uses on the host.
         * @default {}
         */
        readonly annotations?: Readonly<Record<string, string>>;
      };
      readonly workloadServiceAccount?: {
        /**
         * Secrets of the host namespace with which the images of tenant pods are pulled.
         * @default []
         */
        readonly imagePullSecrets?: readonly Reference[];
        /**
         * Annotations of the service account that tenant pods run under on the host. It has no rights.
         * @default {}
         */
        readonly annotations?: Readonly<Record<string, string>>;
      };
    };
  };
  readonly networking?: {
    readonly advanced?: {
      /**
       * DNS domain inside the virtual cluster. Cannot be changed later: certificates, DNS records and running pods of the virtual cluster carry it.
       * @default 'cluster.local'
       */
      readonly clusterDomain?: string;
    };
  };
  readonly tracing?: {
    /**
     * Base URL of an OTLP/HTTP receiver that the syncer sends its spans to; empty means no tracing.
     * @default ''
     */
    readonly endpoint?: string;
    /**
     * Secret of the host namespace whose key `headers` is sent along, in the form of OTEL_EXPORTER_OTLP_HEADERS.
     * @default ''
     */
    readonly headersSecret?: string;
    /**
     * Part of the looks at keys that are traced, from 0 to 1.
     * @default '1'
     */
    readonly sampleRatio?: string;
  };
  readonly logging?: {
    /**
     * How much the syncer logs.
     * @default 'info'
     */
    readonly level?: 'debug' | 'info' | 'warn' | 'error';
  };
  readonly sync?: {
    readonly toHost?: {
      readonly pods?: {
        readonly rewriteHosts?: {
          /**
           * Give pods with a subdomain their full name in /etc/hosts, by an unprivileged init container.
           * @default true
           */
          readonly enabled?: boolean;
          readonly initContainer?: {
            /**
             * Image of that init container, a copy of the syncer image; empty means the syncer image itself.
             * @default ''
             */
            readonly image?: string;
            /**
             * Resources of that init container. In a pod of class Guaranteed its requests are raised to its limits.
             * @default {"requests":{"cpu":"10m","memory":"48Mi"},"limits":{"cpu":"200m","memory":"64Mi"}}
             */
            readonly resources?: Resources;
          };
        };
        /**
         * Images that run in place of others, by exact reference as pods write it.
         * @default {}
         */
        readonly translateImage?: Readonly<Record<string, string>>;
        /**
         * Tolerations that every pod gets, each as `key=value:effect` or `key:effect`.
         * @default []
         */
        readonly enforceTolerations?: readonly string[];
        /**
         * Taints that pods may not tolerate, by key; `*` means tolerations without a key, which tolerate every taint.
         * @default ["*","node-role.kubernetes.io/control-plane","node-role.kubernetes.io/master"]
         */
        readonly denyTolerations?: readonly string[];
        /**
         * Schedulers of the host that pods may name; pods that name another get the host's default one. `*` means any.
         * @default ["default-scheduler"]
         */
        readonly schedulerNames?: readonly string[];
        /**
         * PriorityClass of the host for pods that keep none of their own.
         * @default ''
         */
        readonly priorityClassName?: string;
        /**
         * PriorityClasses of the host that pods may name. When empty, the class of a pod stays inside the virtual cluster.
         * @default []
         */
        readonly priorityClasses?: readonly string[];
        /**
         * RuntimeClass of the host for every pod, whatever the pod says.
         * @default ''
         */
        readonly runtimeClassName?: string;
        /**
         * RuntimeClasses of the host that pods may name; `*` means any.
         * @default ["*"]
         */
        readonly runtimeClasses?: readonly string[];
        /**
         * CSI drivers whose inline volumes pods may use. Their attributes reach the driver as written, so they may name host objects.
         * @default []
         */
        readonly inlineCsiDrivers?: readonly string[];
      };
    };
    readonly fromHost?: {
      readonly nodes?: {
        readonly selector?: {
          /**
           * Labels that a host node must have to run pods of the virtual cluster; added to the node selector of every pod.
           * @default {}
           */
          readonly labels?: Readonly<Record<string, string>>;
        };
      };
    };
  };
  readonly policies?: {
    /**
     * Pod Security Standard that pods must meet to run on the host, whatever the labels of their namespace.
     * @default 'baseline'
     */
    readonly podSecurityStandard?: 'privileged' | 'baseline' | 'restricted';
  };
}
