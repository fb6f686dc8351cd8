{{/* The injector of sidecars. */}}

{{- define "holdfast.webhookName" -}}
{{- printf "%s-webhook" (include "holdfast.fullname" .) }}
{{- end }}

{{- define "holdfast.webhookClusterName" -}}
{{- printf "%s-%s" (include "holdfast.namespace" .) (include "holdfast.webhookName" .) | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "holdfast.webhookSelector" -}}
app.kubernetes.io/name: {{ include "holdfast.name" . }}-webhook
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{/* Without a configuration of its own a sidecar sends to the release's Service, where it has one. */}}
{{- define "holdfast.webhookConfig" -}}
{{- if .Values.webhook.config }}
{{- tpl (toYaml .Values.webhook.config) . }}
{{- else if include "holdfast.hasService" . }}
{{- if .Values.tls.enabled }}
{{- fail "webhook.config is needed when tls.enabled is true: other namespaces do not have the authority of the certificate" }}
{{- end }}
receivers:
  otlp:
    protocols:
      grpc: {endpoint: "localhost:4317"}
      http: {endpoint: "localhost:4318"}
processors:
  memory_limiter: {check_interval: 1s, limit_percentage: 75, spike_limit_percentage: 20}
  batch: {timeout: 1s}
exporters:
  otlp:
    endpoint: {{ include "holdfast.fullname" . }}.{{ include "holdfast.namespace" . }}.svc:4317
    tls: {insecure: true}
service:
  telemetry: {metrics: {address: "0.0.0.0:8888"}}
  pipelines:
    traces: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}
    metrics: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}
    logs: {receivers: [otlp], processors: [memory_limiter, batch], exporters: [otlp]}
{{- end }}
{{- end }}

{{- define "holdfast.webhookSettings" -}}
{{- $hook := .Values.webhook }}
{{- $settings := dict "image" (include "holdfast.image" .) "namespace" (include "holdfast.namespace" .) "configMap" $hook.configMap "queueSize" $hook.queueSize "env" $hook.env }}
{{- with include "holdfast.webhookConfig" . | trim }}
{{- $_ := set $settings "config" (printf "%s\n" .) }}
{{- end }}
{{- with $hook.container }}
{{- $_ := set $settings "container" . }}
{{- end }}
{{- toYaml $settings }}
{{- end }}
