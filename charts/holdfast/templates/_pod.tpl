{{/* The pod and its container; the sidecar's parts are templates that another chart includes. */}}

{{- define "holdfast.queueType" -}}
{{- $own := dict "daemonset" "hostPath" "statefulset" "volumeClaim" "deployment" "emptyDir" "sidecar" "emptyDir" }}
{{- $type := .Values.queue.type | default (ternary "existingClaim" (get $own .Values.mode) (ne .Values.queue.existingClaim "")) }}
{{- if and (eq $type "volumeClaim") (ne .Values.mode "statefulset") }}
{{- fail (printf "queue.type volumeClaim makes one claim a pod, which needs mode statefulset, not %s: use existingClaim, hostPath or emptyDir" .Values.mode) }}
{{- end }}
{{- if and (eq $type "existingClaim") (include "holdfast.hasPeers" .) }}
{{- fail "queue.existingClaim is one volume, which one pod serves at a time: use mode statefulset for several" }}
{{- end }}
{{- $type }}
{{- end }}

{{- define "holdfast.wants" -}}
{{- if has .preset (splitList "," (include "holdfast.presets" .root)) }}true{{ end }}
{{- end }}

{{/* "true" when the logs of the node's pods are read. */}}
{{- define "holdfast.readsLogs" -}}
{{- $presets := splitList "," (include "holdfast.presets" .) }}
{{- if or (has "logsCollection" $presets) (has "annotationDiscoveryLogs" $presets) }}true{{ end }}
{{- end }}

{{/* "true" when the container has to be user 0: files of the kubelet are root's. */}}
{{- define "holdfast.needsRoot" -}}
{{- if include "holdfast.readsLogs" . }}true{{ end }}
{{- end }}

{{- define "holdfast.podSecurityContext" -}}
{{- $context := dict "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- if include "holdfast.needsRoot" . }}
{{- $context = merge $context (dict "runAsUser" 0 "runAsGroup" 0) }}
{{- else }}
{{- $context = merge $context (dict "runAsNonRoot" true "runAsUser" 10001 "runAsGroup" 10001 "fsGroup" 10001 "fsGroupChangePolicy" "OnRootMismatch") }}
{{- end }}
{{- toYaml (mergeOverwrite $context (deepCopy .Values.podSecurityContext)) }}
{{- end }}

{{- define "holdfast.securityContext" -}}
{{- $context := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) }}
{{- toYaml (mergeOverwrite $context (deepCopy .Values.securityContext)) }}
{{- end }}

{{- define "holdfast.drains" -}}
{{- $enabled := toString .Values.drain.enabled }}
{{- $ends := and (eq (include "holdfast.queueType" .) "emptyDir") (ne .Values.mode "sidecar") }}
{{- if or (eq $enabled "true") (and (eq $enabled "auto") (or $ends (include "holdfast.isScaled" .))) }}true{{ end }}
{{- end }}

{{/* Seconds. */}}
{{- define "holdfast.drainTimeout" -}}
{{- $grace := int .Values.terminationGracePeriodSeconds }}
{{- $timeout := int (.Values.drain.timeoutSeconds | default (div (mul $grace 3) 4)) }}
{{- if ge $timeout $grace }}
{{- fail (printf "drain.timeoutSeconds (%d) must be less than terminationGracePeriodSeconds (%d), or the kubelet kills the pod while it drains" $timeout $grace) }}
{{- end }}
{{- $timeout }}
{{- end }}

{{- define "holdfast.lifecycle" -}}
{{- if .Values.lifecycleHooks }}
{{- toYaml .Values.lifecycleHooks }}
{{- else if include "holdfast.drains" . }}
preStop:
  exec:
    command:
      - {{ .Values.drain.command }}
      - drain
      - --data-dir={{ .Values.queue.mountPath }}
      - --timeout={{ include "holdfast.drainTimeout" . }}s
      {{- with .Values.drain.to }}
      - --to={{ tpl . $ }}
      {{- end }}
{{- end }}
{{- end }}

{{/* A variable whose value is a field of the pod. */}}
{{- define "holdfast.field" -}}
- name: {{ .name }}
  valueFrom:
    fieldRef:
      fieldPath: {{ .path }}
{{- end }}

{{- define "holdfast.env" -}}
{{- $node := dict "K8S_NODE_NAME" "spec.nodeName" "K8S_NODE_IP" "status.hostIP" }}
{{- $own := dict "MY_POD_IP" "status.podIP" "OTEL_K8S_NODE_NAME" "spec.nodeName" "OTEL_K8S_NODE_IP" "status.hostIP" }}
{{- $pod := dict "OTEL_K8S_NAMESPACE" "metadata.namespace" "OTEL_K8S_POD_NAME" "metadata.name" "OTEL_K8S_POD_IP" "status.podIP" }}
{{- range $name, $path := merge $node $own $pod }}
{{ include "holdfast.field" (dict "name" $name "path" $path) }}
{{- end }}
- name: HOLDFAST_HEALTH
  value: 0.0.0.0:13133
{{- if eq (include "holdfast.queueType" .) "emptyDir" }}
- name: HOLDFAST_EPHEMERAL
  value: "1"
{{- end }}
{{- if eq .Values.mode "sidecar" }}
- name: HOLDFAST_LISTEN
  value: localhost
{{- end }}
{{- with .Values.extraEnvs }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{- define "holdfast.probe" -}}
{{- if and .probe (not (dig "disabled" false .probe)) }}
{{ .name }}:
  {{- toYaml .probe | nindent 2 }}
{{- end }}
{{- end }}

{{- define "holdfast.ports" -}}
{{- range $name, $port := .Values.ports }}
{{- if and $port $port.enabled }}
- name: {{ $name }}
  containerPort: {{ int $port.containerPort }}
  protocol: {{ $port.protocol | default "TCP" }}
  {{- if and $port.hostPort (eq $.Values.mode "daemonset") }}
  hostPort: {{ int $port.hostPort }}
  {{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.mounts" -}}
{{- if include "holdfast.configMapName" . }}
- name: {{ include "holdfast.volumeName" (dict "root" . "name" "config") }}
  mountPath: /conf
  readOnly: true
{{- end }}
- name: {{ include "holdfast.volumeName" (dict "root" . "name" "queue") }}
  mountPath: {{ .Values.queue.mountPath }}
{{- if include "holdfast.readsLogs" . }}
- name: varlogpods
  mountPath: /var/log/pods
  readOnly: true
- name: varlibdockercontainers
  mountPath: /var/lib/docker/containers
  readOnly: true
{{- end }}
{{- if include "holdfast.wants" (dict "root" . "preset" "hostMetrics") }}
- name: hostfs
  mountPath: /hostfs
  readOnly: true
  mountPropagation: HostToContainer
{{- end }}
{{- if .Values.tls.enabled }}
- name: tls
  mountPath: {{ .Values.tls.mountPath }}
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{/* In a pod of somebody else the names say whose the volumes are. */}}
{{- define "holdfast.volumeName" -}}
{{- ternary (printf "holdfast-%s" .name) .name (eq .root.Values.mode "sidecar") }}
{{- end }}

{{- define "holdfast.command" -}}
{{- with .Values.command.name }}
command: [{{ ternary . (printf "/%s" .) (hasPrefix "/" .) | quote }}]
{{- end }}
{{- end }}

{{- define "holdfast.container" -}}
- name: holdfast
  image: {{ include "holdfast.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- with include "holdfast.command" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  args:
    {{- if include "holdfast.configMapName" . }}
    - --config=/conf/relay.yaml
    {{- end }}
    - --data-dir={{ .Values.queue.mountPath }}
    {{- if .Values.watchConfig }}
    - --watch
    {{- end }}
    {{- range .Values.command.extraArgs }}
    - {{ . | quote }}
    {{- end }}
  env:
    {{- include "holdfast.env" . | trim | nindent 4 }}
  {{- with .Values.extraEnvsFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if ne .Values.mode "sidecar" }}
  {{- with include "holdfast.ports" . | trim }}
  ports:
    {{- . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- with include "holdfast.probe" (dict "name" "startupProbe" "probe" .Values.startupProbe) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "holdfast.probe" (dict "name" "livenessProbe" "probe" .Values.livenessProbe) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "holdfast.probe" (dict "name" "readinessProbe" "probe" .Values.readinessProbe) | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  {{- with include "holdfast.lifecycle" . | trim }}
  lifecycle:
    {{- . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "holdfast.securityContext" . | nindent 4 }}
  {{- with .Values.resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.resizePolicy }}
  resizePolicy:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- include "holdfast.mounts" . | nindent 4 }}
{{- end }}

{{- define "holdfast.volumes" -}}
{{- with include "holdfast.configMapName" . }}
- name: {{ include "holdfast.volumeName" (dict "root" $ "name" "config") }}
  configMap:
    name: {{ . }}
    {{- if not $.Values.configMap.create }}
    items:
      - key: {{ $.Values.configMap.existingPath | default "relay" }}
        path: relay.yaml
    {{- end }}
{{- end }}
{{- $type := include "holdfast.queueType" . }}
{{- if ne $type "volumeClaim" }}
- name: {{ include "holdfast.volumeName" (dict "root" . "name" "queue") }}
{{- if eq $type "hostPath" }}
  hostPath:
    path: {{ printf "%s/%s-%s" .Values.queue.hostPath.path (include "holdfast.namespace" .) (include "holdfast.fullname" .) }}
    type: DirectoryOrCreate
{{- else if eq $type "existingClaim" }}
  persistentVolumeClaim:
    claimName: {{ required "queue.existingClaim is needed when queue.type is existingClaim" .Values.queue.existingClaim }}
{{- else }}
  emptyDir:
    {{- toYaml .Values.queue.emptyDir | nindent 4 }}
{{- end }}
{{- end }}
{{- if include "holdfast.readsLogs" . }}
- name: varlogpods
  hostPath:
    path: /var/log/pods
- name: varlibdockercontainers
  hostPath:
    path: /var/lib/docker/containers
{{- end }}
{{- if include "holdfast.wants" (dict "root" . "preset" "hostMetrics") }}
- name: hostfs
  hostPath:
    path: /
{{- end }}
{{- if .Values.tls.enabled }}
- name: tls
  secret:
    secretName: {{ include "holdfast.tlsSecretName" . }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{- define "holdfast.initContainers" -}}
{{- $context := include "holdfast.podSecurityContext" . | fromYaml }}
{{- $user := (dig "runAsUser" 0 $context) | int }}
{{- if and .Values.queue.hostPath.initOwner (eq (include "holdfast.queueType" .) "hostPath") }}
- name: owner
  image: {{ include "holdfast.image" . | quote }}
  imagePullPolicy: {{ .Values.image.pullPolicy }}
  {{- with include "holdfast.command" . | trim }}
  {{- . | nindent 2 }}
  {{- end }}
  args: [init-dir, {{ printf "--owner=%d:%d" $user (dig "runAsGroup" $user $context | int) | quote }}, {{ .Values.queue.mountPath | quote }}]
  securityContext:
    runAsUser: 0
    runAsNonRoot: false
    allowPrivilegeEscalation: false
    readOnlyRootFilesystem: true
    capabilities:
      drop: [ALL]
      add: [CHOWN, DAC_OVERRIDE]
  volumeMounts:
    - name: queue
      mountPath: {{ .Values.queue.mountPath }}
{{- end }}
{{- with .Values.initContainers }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{- define "holdfast.affinity" -}}
{{- if .Values.affinity }}
{{- tpl (toYaml .Values.affinity) . }}
{{- else if and (include "holdfast.hasPeers" .) (ne .Values.mode "daemonset") }}
podAntiAffinity:
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- include "holdfast.selector" . | nindent 12 }}
{{- end }}
{{- end }}

{{- define "holdfast.spread" -}}
{{- if .Values.topologySpreadConstraints }}
{{- tpl (toYaml .Values.topologySpreadConstraints) . }}
{{- else if and (include "holdfast.hasPeers" .) (ne .Values.mode "daemonset") }}
- maxSkew: 1
  topologyKey: topology.kubernetes.io/zone
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "holdfast.selector" . | nindent 6 }}
{{- end }}
{{- end }}

{{/* Whether the API is asked at all. */}}
{{- define "holdfast.mountsToken" -}}
{{- $said := .Values.serviceAccount.automountServiceAccountToken }}
{{- if kindIs "invalid" $said }}
{{- ternary "true" "false" (or .Values.clusterRole.create (ne (include "holdfast.rights" .) "")) }}
{{- else }}
{{- $said }}
{{- end }}
{{- end }}

{{/* The template of a workload's pods. */}}
{{- define "holdfast.podTemplate" -}}
metadata:
  labels:
    {{- include "holdfast.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
  annotations:
    kubectl.kubernetes.io/default-container: holdfast
    {{- if and .Values.configMap.create .Values.enableConfigChecksumAnnotation (not .Values.watchConfig) }}
    checksum/config: {{ include "holdfast.config" . | sha256sum }}
    {{- end }}
    {{- /* An exporter that logs what it sends would feed itself. */}}
    {{- $discovery := "io.opentelemetry.discovery.logs/enabled" }}
    {{- if and .Values.presets.annotationDiscovery.logs.enabled (not (hasKey .Values.podAnnotations $discovery)) }}
    {{ $discovery }}: "false"
    {{- end }}
    {{- with .Values.podAnnotations }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "holdfast.serviceAccountName" . }}
  automountServiceAccountToken: {{ include "holdfast.mountsToken" . }}
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "holdfast.podSecurityContext" . | nindent 4 }}
  terminationGracePeriodSeconds: {{ int .Values.terminationGracePeriodSeconds }}
  {{- with include "holdfast.initContainers" . | trim }}
  initContainers:
    {{- . | nindent 4 }}
  {{- end }}
  containers:
    {{- include "holdfast.container" . | nindent 4 }}
    {{- with .Values.extraContainers }}
    {{- tpl (toYaml .) $ | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "holdfast.volumes" . | nindent 4 }}
  {{- with include "holdfast.affinity" . | trim }}
  affinity:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with include "holdfast.spread" . | trim }}
  topologySpreadConstraints:
    {{- . | nindent 4 }}
  {{- end }}
  {{- range $key := list "nodeSelector" "tolerations" "hostAliases" "dnsConfig" }}
  {{- with index $.Values $key }}
  {{ $key }}:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
  {{- range $key := list "priorityClassName" "runtimeClassName" "schedulerName" "hostNetwork" "hostPID" "shareProcessNamespace" }}
  {{- with index $.Values $key }}
  {{ $key }}: {{ . }}
  {{- end }}
  {{- end }}
  {{- $policy := .Values.dnsPolicy | default (ternary "ClusterFirstWithHostNet" "" .Values.hostNetwork) }}
  {{- with $policy }}
  dnsPolicy: {{ . }}
  {{- end }}
{{- end }}
