/**
 * The options that decide about pods: `sync` and `policies`. The chart hands both branches to the syncer whole, so what is declared
 * here reaches syncer/pod-rules.ts without another edit.
 */
export const podOptions = {
  sync: {
    toHost: {
      pods: {
        rewriteHosts: {
          enabled: {
            type: 'boolean',
            default: true,
            doc: 'Give pods with a subdomain their full name in /etc/hosts, by an unprivileged init container.',
          },
          initContainer: {
            image: {
              type: 'string',
              default: '',
              pattern: '^([^\\s:]+(:[0-9]+)?(/[^\\s:@]+)*(:[\\w.-]+)?(@sha256:[0-9a-f]{64})?)?$',
              doc: 'Image of that init container, a copy of the syncer image; empty means the syncer image itself.',
            },
            resources: {
              type: 'resources',
              default: { requests: { cpu: '10m', memory: '48Mi' }, limits: { cpu: '200m', memory: '64Mi' } },
              doc: 'Resources of that init container. In a pod of class Guaranteed its requests are raised to its limits.',
            },
          },
        },
        translateImage: {
          type: 'stringMap',
          default: {},
          doc: 'Images that run in place of others, by exact reference as pods write it.',
        },
        enforceTolerations: {
          type: 'strings',
          default: [],
          pattern: '^[\\w./-]+(=[\\w.-]*)?:(NoSchedule|PreferNoSchedule|NoExecute)$',
          doc: 'Tolerations that every pod gets, each as `key=value:effect` or `key:effect`.',
        },
        denyTolerations: {
          type: 'strings',
          default: ['*', 'node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'],
          pattern: '^(\\*|[\\w./-]+)$',
          doc: 'Taints that pods may not tolerate, by key; `*` means tolerations without a key, which tolerate every taint.',
        },
        schedulerNames: {
          type: 'strings',
          default: ['default-scheduler'],
          pattern: '^(\\*|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$',
          doc: "Schedulers of the host that pods may name; pods that name another get the host's default one. `*` means any.",
        },
        priorityClassName: {
          type: 'string',
          default: '',
          pattern: '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$',
          doc: 'PriorityClass of the host for pods that keep none of their own.',
        },
        priorityClasses: {
          type: 'strings',
          default: [],
          pattern: '^(\\*|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$',
          doc: 'PriorityClasses of the host that pods may name. When empty, the class of a pod stays inside the virtual cluster.',
        },
        runtimeClassName: {
          type: 'string',
          default: '',
          pattern: '^([a-z0-9]([a-z0-9.-]*[a-z0-9])?)?$',
          doc: 'RuntimeClass of the host for every pod, whatever the pod says.',
        },
        runtimeClasses: {
          type: 'strings',
          default: ['*'],
          pattern: '^(\\*|[a-z0-9]([a-z0-9.-]*[a-z0-9])?)$',
          doc: 'RuntimeClasses of the host that pods may name; `*` means any.',
        },
        inlineCsiDrivers: {
          type: 'strings',
          default: [],
          pattern: '^(\\*|[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?)$',
          doc: 'CSI drivers whose inline volumes pods may use. Their attributes reach the driver as written, so they may name host objects.',
        },
      },
    },
    fromHost: {
      nodes: {
        selector: {
          labels: {
            type: 'stringMap',
            default: {},
            doc: 'Labels that a host node must have to run pods of the virtual cluster; added to the node selector of every pod.',
          },
        },
      },
    },
  },
  policies: {
    podSecurityStandard: {
      type: 'string',
      default: 'baseline',
      values: ['privileged', 'baseline', 'restricted'],
      doc: 'Pod Security Standard that pods must meet to run on the host, whatever the labels of their namespace.',
    },
  },
} as const;
