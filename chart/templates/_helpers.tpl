{{/* Labels of every object of the release. Services select the pod by the same two. */}}
{{- define "vcluster.labels" -}}
app: vcluster
release: {{ .Release.Name }}
{{- end }}

{{/* The Kubernetes release to run: "1.36" stands for one release, "1.36.3" for itself. Refuses what does not exist. */}}
{{- define "vcluster.kubernetesVersion" -}}
{{- $known := .Files.Get "files/kubernetes-versions.json" | fromJson -}}
{{- $wanted := .Values.controlPlane.distro.k8s.version | trimPrefix "v" -}}
{{- $minor := splitList "." $wanted | initial | join "." -}}
{{- if hasKey $known.defaults $wanted -}}
{{- index $known.defaults $wanted -}}
{{- else if not (hasKey $known.releases $minor) -}}
{{- fail (printf "controlPlane.distro.k8s.version: Kubernetes %s is not supported. Supported are %s; write one of them." $wanted (keys $known.releases | sortAlpha | join ", ")) -}}
{{- else if not (has $wanted (index $known.releases $minor)) -}}
{{- $releases := index $known.releases $minor -}}
{{- fail (printf "controlPlane.distro.k8s.version: Kubernetes %s does not exist. Write %q, or one of its releases %s to %s." $wanted $minor (first $releases) (last $releases)) -}}
{{- else -}}
{{- $wanted -}}
{{- end -}}
{{- end }}

{{- define "vcluster.syncerImage" -}}
{{- with .Values.controlPlane.syncer.image -}}
{{- printf "%s:%s" .repository (.tag | default $.Chart.AppVersion) -}}
{{- end -}}
{{- end }}

{{/* Pod Security `restricted`, and more: nothing writes to its image, nothing keeps a capability. */}}
{{- define "vcluster.securityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end }}

{{/* None while the live StatefulSet says that it is paused. A chart that is rendered without a host knows of no pause. */}}
{{- define "vcluster.replicas" -}}
{{- $live := lookup "apps/v1" "StatefulSet" .Release.Namespace .Release.Name -}}
{{- $annotations := dig "metadata" "annotations" dict ($live | default dict) | default dict -}}
{{- if eq (get $annotations "loft.sh/paused" | toString) "true" -}}0{{- else -}}1{{- end -}}
{{- end }}

{{- define "vcluster.volumeClaimSpec" -}}
{{- with .Values.controlPlane.statefulSet.persistence.volumeClaim -}}
accessModes: [ReadWriteOnce]
{{- with .storageClass }}
storageClassName: {{ . | quote }}
{{- end }}
resources:
  requests:
    storage: {{ .size }}
{{- end }}
{{- end }}
