{{/* For the pod of an application, in a chart that has this one as a dependency with mode sidecar:

       {{ include "holdfast.sidecar.container" .Subcharts.holdfast | nindent 8 }}   under spec.containers
       {{ include "holdfast.sidecar.volumes" .Subcharts.holdfast | nindent 8 }}     under spec.volumes

   "holdfast.sidecar.native" belongs under spec.initContainers instead, first, where the cluster has such containers
   (Kubernetes 1.29): it starts before the application, stops after it, and does not keep a Job from ending. */}}

{{- define "holdfast.sidecar.check" -}}
{{- if ne .Values.mode "sidecar" }}
{{- fail (printf "the sidecar's templates of the chart holdfast need mode sidecar, not %s" .Values.mode) }}
{{- end }}
{{- end }}

{{/* The pod's own settings may be others', so user and profile are in the container. */}}
{{- define "holdfast.sidecar.parts" -}}
{{- include "holdfast.sidecar.check" . }}
{{- $container := include "holdfast.container" . | fromYamlArray | first }}
{{- $user := dict "runAsNonRoot" true "runAsUser" 10001 "runAsGroup" 10001 "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- $_ := set $container "securityContext" (merge $container.securityContext $user) }}
{{- toYaml $container }}
{{- end }}

{{- define "holdfast.sidecar.container" -}}
{{- toYaml (list (include "holdfast.sidecar.parts" . | fromYaml)) }}
{{- end }}

{{- define "holdfast.sidecar.native" -}}
{{- toYaml (list (set (include "holdfast.sidecar.parts" . | fromYaml) "restartPolicy" "Always")) }}
{{- end }}

{{- define "holdfast.sidecar.volumes" -}}
{{- include "holdfast.sidecar.check" . }}
{{- include "holdfast.volumes" . }}
{{- end }}
