{{- define "vcluster.etcd" -}}
- name: etcd
  image: {{ .Values.controlPlane.backingStore.etcd.image }}
  restartPolicy: Always
  command: [etcd]
  args:
    - --name=$(POD_NAME)
    - --data-dir=/data/etcd
    - --listen-client-urls=https://127.0.0.1:2379
    - --advertise-client-urls=https://127.0.0.1:2379
    - --listen-peer-urls=http://127.0.0.1:2380
    - --listen-metrics-urls=http://0.0.0.0:2381
    - --client-cert-auth
    - --trusted-ca-file=/pki/etcd/ca.crt
    - --cert-file=/pki/etcd/server.crt
    - --key-file=/pki/etcd/server.key
    # One member has nobody to wait for before it elects itself: a second less on the way to ready.
    - --heartbeat-interval=50
    - --election-timeout=250
    - --enable-grpc-gateway=false
    - --log-level=warn
  env:
    - name: POD_NAME
      valueFrom:
        fieldRef: { fieldPath: metadata.name }
  ports:
    - name: etcd-health
      containerPort: 2381
  startupProbe:
    httpGet: { path: /readyz, port: 2381 }
    periodSeconds: 1
    failureThreshold: 300
  livenessProbe:
    httpGet: { path: /livez, port: 2381 }
    periodSeconds: 10
    timeoutSeconds: 10
    failureThreshold: 6
  resources:
    {{- toYaml .Values.controlPlane.backingStore.etcd.resources | nindent 4 }}
  securityContext:
    {{- include "vcluster.securityContext" . | nindent 4 }}
  volumeMounts:
    - { name: data, mountPath: /data }
    - { name: pki, mountPath: /pki/etcd, subPath: etcd, readOnly: true }
{{- end }}

{{- define "vcluster.apiServer" -}}
{{- $issuer := printf "https://kubernetes.default.svc.%s" .Values.networking.advanced.clusterDomain -}}
- name: kube-apiserver
  image: {{ .Values.controlPlane.distro.k8s.image.registry }}/kube-apiserver:v{{ include "vcluster.kubernetesVersion" . }}
  restartPolicy: Always
  command: [kube-apiserver]
  args:
    - --secure-port=6443
    - --advertise-address=$(POD_IP)
    - --endpoint-reconciler-type=none
    - --service-cluster-ip-range=$(SERVICE_RANGE)
    - --tls-cert-file=/pki/apiserver/serving.crt
    - --tls-private-key-file=/pki/apiserver/serving.key
    - --client-ca-file=/pki/apiserver/client-ca.crt
    - --etcd-servers=https://127.0.0.1:2379
    - --etcd-cafile=/pki/apiserver/etcd-ca.crt
    - --etcd-certfile=/pki/apiserver/etcd-client.crt
    - --etcd-keyfile=/pki/apiserver/etcd-client.key
    - --authorization-mode=Node,RBAC
    - --enable-admission-plugins=NodeRestriction
    {{- /* Whether a claim may grow depends on its class, which only the host knows. */}}
    - --disable-admission-plugins=PersistentVolumeClaimResize
    - --admission-control-config-file=/pki/apiserver/admission.yaml
    - --allow-privileged=true
    - --service-account-issuer={{ $issuer }}
    - --api-audiences={{ $issuer }},https://kubernetes.default.svc,https://kubernetes.default
    - --service-account-key-file=/pki/apiserver/sa.pub
    - --service-account-signing-key-file=/pki/apiserver/sa.key
    # The lifetime that a token was asked for is the one it has.
    - --service-account-extend-token-expiration=false
    - --kubelet-client-certificate=/pki/apiserver/kubelet-client.crt
    - --kubelet-client-key=/pki/apiserver/kubelet-client.key
    - --kubelet-preferred-address-types=InternalIP,Hostname
    # Logs, exec, webhooks and aggregated APIs leave through the syncer, which knows where they may go.
    - --egress-selector-config-file=/pki/apiserver/egress.yaml
    - --requestheader-client-ca-file=/pki/apiserver/front-proxy-ca.crt
    - --requestheader-allowed-names=front-proxy-client
    - --requestheader-username-headers=X-Remote-User
    - --requestheader-group-headers=X-Remote-Group
    - --requestheader-extra-headers-prefix=X-Remote-Extra-
    - --proxy-client-cert-file=/pki/apiserver/front-proxy-client.crt
    - --proxy-client-key-file=/pki/apiserver/front-proxy-client.key
    - --profiling=false
    # Told to stop, it would wait for watches, which nobody ends, until it is killed, and leave etcd no time to stop well.
    - --shutdown-send-retry-after
    - --shutdown-watch-termination-grace-period=1s
  env:
    - name: POD_IP
      valueFrom:
        fieldRef: { fieldPath: status.podIP }
    - name: SERVICE_RANGE
      valueFrom:
        configMapKeyRef: { name: "{{ .Release.Name }}-control-plane", key: serviceRange }
  ports:
    - name: https
      containerPort: 6443
  # It listens a moment before it is ready; the controller manager, which starts then, waits for the rest by itself.
  startupProbe:
    tcpSocket: { port: 6443 }
    periodSeconds: 1
    timeoutSeconds: 5
    failureThreshold: 300
  readinessProbe:
    httpGet: { path: /readyz, port: 6443, scheme: HTTPS }
    periodSeconds: 1
    timeoutSeconds: 5
  # A failing store is no reason to restart the API server: it recovers by itself when the store does.
  livenessProbe:
    httpGet: { path: "/livez?exclude=etcd", port: 6443, scheme: HTTPS }
    periodSeconds: 10
    timeoutSeconds: 15
    failureThreshold: 8
  resources:
    {{- toYaml .Values.controlPlane.distro.k8s.apiServer.resources | nindent 4 }}
  securityContext:
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
      # The official binary carries this file capability; without it in the bounding set, exec fails with EPERM.
      add: [NET_BIND_SERVICE]
  volumeMounts:
    - { name: pki, mountPath: /pki/apiserver, subPath: apiserver, readOnly: true }
    - { name: run, mountPath: /run/vcluster, readOnly: true }
{{- end }}

{{- define "vcluster.controllerManager" -}}
- name: kube-controller-manager
  image: {{ .Values.controlPlane.distro.k8s.image.registry }}/kube-controller-manager:v{{ include "vcluster.kubernetesVersion" . }}
  command: [kube-controller-manager]
  args:
    - --kubeconfig=/pki/controller-manager/kubeconfig
    - --authentication-kubeconfig=/pki/controller-manager/kubeconfig
    # Started while the API server still writes its roles, it may not read this configuration yet, and needs it for nobody.
    - --authentication-tolerate-lookup-failure=true
    # It makes a service account and a token for each of its controllers before any starts: at its default rate that takes 4 s.
    - --kube-api-qps=200
    - --kube-api-burst=400
    - --authorization-kubeconfig=/pki/controller-manager/kubeconfig
    - --use-service-account-credentials
    - --service-account-private-key-file=/pki/controller-manager/sa.key
    - --root-ca-file=/pki/controller-manager/ca.crt
    - --cluster-signing-cert-file=/pki/controller-manager/ca.crt
    - --cluster-signing-key-file=/pki/controller-manager/ca.key
    # What the host does for the virtual cluster must not be done twice: nodes and volumes are the host's.
    - --controllers=*,-nodeipam,-nodelifecycle,-persistentvolume-binder,-attachdetach,-persistentvolume-expander,-cloud-node-lifecycle,-ttl
    - --leader-elect=false
    - --profiling=false
  ports:
    - name: kcm-health
      containerPort: 10257
  startupProbe:
    httpGet: { path: /healthz, port: 10257, scheme: HTTPS }
    periodSeconds: 1
    timeoutSeconds: 5
    failureThreshold: 120
  readinessProbe:
    httpGet: { path: /healthz, port: 10257, scheme: HTTPS }
    periodSeconds: 1
    timeoutSeconds: 5
  livenessProbe:
    httpGet: { path: /healthz, port: 10257, scheme: HTTPS }
    periodSeconds: 10
    timeoutSeconds: 15
    failureThreshold: 8
  resources:
    {{- toYaml .Values.controlPlane.distro.k8s.controllerManager.resources | nindent 4 }}
  securityContext:
    {{- include "vcluster.securityContext" . | nindent 4 }}
  volumeMounts:
    - { name: pki, mountPath: /pki/controller-manager, subPath: controller-manager, readOnly: true }
{{- end }}
