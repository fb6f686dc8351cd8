{{/* Names, labels and the image. */}}

{{- define "holdfast.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* At most 52 characters: the controllers add to the names of pods. */}}
{{- define "holdfast.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- $name := include "holdfast.name" . }}
{{- ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "holdfast.namespace" -}}
{{- .Values.namespaceOverride | default .Release.Namespace }}
{{- end }}

{{- define "holdfast.selector" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "holdfast.labels" -}}
{{ include "holdfast.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: {{ .Values.mode }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with .Values.additionalLabels }}
{{ tpl (toYaml .) $ }}
{{- end }}
{{- end }}

{{/* name, namespace and labels of an object; `suffix` is added to the name, `annotations` are its own; `namespace`
   is another one than the release's. */}}
{{- define "holdfast.metadata" -}}
{{- $root := .root -}}
metadata:
  name: {{ .name | default (printf "%s%s" (include "holdfast.fullname" $root) (.suffix | default "")) }}
  {{- if not .cluster }}
  namespace: {{ .namespace | default (include "holdfast.namespace" $root) }}
  {{- end }}
  labels:
    {{- include "holdfast.labels" $root | nindent 4 }}
    {{- with .labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "holdfast.image" -}}
{{- $registry := .Values.global.imageRegistry | default "" }}
{{- $repository := .Values.image.repository | default "holdfast/holdfast" }}
{{- $name := ternary (printf "%s/%s" $registry $repository) $repository (ne $registry "") }}
{{- if .Values.image.digest }}
{{- printf "%s@%s" $name .Values.image.digest }}
{{- else }}
{{- printf "%s:%s" $name (.Values.image.tag | default .Chart.AppVersion) }}
{{- end }}
{{- end }}

{{- define "holdfast.serviceAccountName" -}}
{{- .Values.serviceAccount.name | default (ternary (include "holdfast.fullname" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{/* Of the receivers' certificate. */}}
{{- define "holdfast.tlsSecretName" -}}
{{- .Values.tls.secretName | default (printf "%s-tls" (include "holdfast.fullname" .)) }}
{{- end }}

{{/* Nothing when command.extraArgs says where the configuration is. */}}
{{- define "holdfast.configMapName" -}}
{{- if .Values.configMap.create }}
{{- include "holdfast.fullname" . }}
{{- else if .Values.configMap.existingName }}
{{- tpl .Values.configMap.existingName . }}
{{- else if not (contains "--config" (join " " .Values.command.extraArgs)) }}
{{- fail "configMap.existingName is needed when configMap.create is false, or a --config in command.extraArgs" }}
{{- end }}
{{- end }}

{{/* "true" or nothing. */}}
{{- define "holdfast.hasService" -}}
{{- if and (ne .Values.mode "sidecar") (ternary (ne .Values.mode "daemonset") (eq (toString .Values.service.enabled) "true") (kindIs "invalid" .Values.service.enabled)) }}true{{ end }}
{{- end }}

{{- define "holdfast.isScaled" -}}
{{- if and .Values.autoscaling.enabled (has .Values.mode (list "deployment" "statefulset")) }}true{{ end }}
{{- end }}

{{/* "true" when more than one pod may run. */}}
{{- define "holdfast.hasPeers" -}}
{{- if or (eq .Values.mode "daemonset") (include "holdfast.isScaled" .) (gt (int .Values.replicaCount) 1) }}true{{ end }}
{{- end }}
