{{- define "vcluster.pki" -}}
- name: pki
  image: {{ include "vcluster.syncerImage" . }}
  imagePullPolicy: {{ .Values.controlPlane.syncer.image.pullPolicy }}
  args:
    - pki
    - --name={{ .Release.Name }}
    - --namespace={{ .Release.Namespace }}
    - --domain={{ .Values.networking.advanced.clusterDomain }}
    - --pod-security={{ .Values.policies.podSecurityStandard }}
    - --out=/pki
  resources:
    {{- toYaml .Values.controlPlane.syncer.resources | nindent 4 }}
  securityContext:
    {{- include "vcluster.securityContext" . | nindent 4 }}
  volumeMounts:
    - { name: pki, mountPath: /pki }
    - { name: host-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
{{- end }}

{{- define "vcluster.syncer" -}}
- name: syncer
  # A sidecar without a startup probe: it loads while etcd and the API server start, and waits for them by itself.
  restartPolicy: Always
  image: {{ include "vcluster.syncerImage" . }}
  imagePullPolicy: {{ .Values.controlPlane.syncer.image.pullPolicy }}
  args:
    - run
    - --name={{ .Release.Name }}
    - --namespace={{ .Release.Namespace }}
    - --pki=/pki/syncer
    - --domain={{ .Values.networking.advanced.clusterDomain }}
    - --egress-socket=/run/vcluster/egress.sock
    - --coredns-image={{ .Values.controlPlane.coredns.deployment.image }}
    - --kubernetes-version={{ include "vcluster.kubernetesVersion" . }}
    - --workload-service-account=vc-workload-{{ .Release.Name }}
    - --image={{ include "vcluster.syncerImage" . }}
    - --image-pull-policy={{ .Values.controlPlane.syncer.image.pullPolicy }}
    {{- with .Values.controlPlane.advanced.workloadServiceAccount.imagePullSecrets }}
    - --workload-pull-secrets={{ range $index, $secret := . }}{{ if $index }},{{ end }}{{ $secret.name }}{{ end }}
    {{- end }}
    # The options that decide about pods, as JSON: what they mean is said in one place, config/options.ts.
    - {{ printf "--values=%s" (pick .Values "sync" "policies" | toJson) | toJson }}
    - --log-level={{ .Values.logging.level }}
  {{- with .Values.tracing }}
  {{- if .endpoint }}
  env:
    - { name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .endpoint | quote }} }
    - { name: OTEL_TRACES_SAMPLER_ARG, value: {{ .sampleRatio | quote }} }
    {{- if .headersSecret }}
    - name: OTEL_EXPORTER_OTLP_HEADERS
      valueFrom:
        secretKeyRef: { name: {{ .headersSecret }}, key: headers }
    {{- end }}
  {{- end }}
  {{- end }}
  ports:
    - name: metrics
      containerPort: 8080
  # Ready means the whole virtual cluster: both sides read, API address in place, DNS applied, kubeconfig written.
  readinessProbe:
    httpGet: { path: /readyz, port: 8080 }
    periodSeconds: 1
    timeoutSeconds: 5
  # Alive does not depend on either API server: a restart would not help.
  livenessProbe:
    httpGet: { path: /healthz, port: 8080 }
    initialDelaySeconds: 5
    periodSeconds: 10
    timeoutSeconds: 10
    failureThreshold: 6
  resources:
    {{- toYaml .Values.controlPlane.syncer.resources | nindent 4 }}
  securityContext:
    {{- include "vcluster.securityContext" . | nindent 4 }}
  volumeMounts:
    - { name: pki, mountPath: /pki/syncer, subPath: syncer, readOnly: true }
    - { name: run, mountPath: /run/vcluster }
    - { name: host-token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
{{- end }}
