{{/* The cluster-wide rules that the enabled presets need, and those of clusterRole; nothing when there are none. */}}
{{- define "holdfast.rules" -}}
{{- $rules := list }}
{{- range splitList "," (include "holdfast.presets" .) }}
{{- if . }}
{{- $rules = concat $rules ((include "holdfast.preset" (dict "root" $ "name" .) | fromYaml).rules | default list) }}
{{- end }}
{{- end }}
{{- if .Values.clusterRole.create }}
{{- $rules = concat $rules .Values.clusterRole.rules }}
{{- end }}
{{- with $rules | uniq }}
{{- toYaml . }}
{{- end }}
{{- end }}

{{- define "holdfast.clusterRoleName" -}}
{{- .Values.clusterRole.name | default (printf "%s-%s" (include "holdfast.namespace" .) (include "holdfast.fullname" .) | trunc 63 | trimSuffix "-") }}
{{- end }}
