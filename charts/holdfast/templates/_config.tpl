{{/* The configuration: values.config or alternateConfig, and the presets that are enabled. */}}

{{/* The names of the presets that count, in the order in which they are added. kubernetesEvents is left out in a daemonset. */}}
{{- define "holdfast.presets" -}}
{{- $on := list }}
{{- range list "logsCollection" "hostMetrics" "kubeletMetrics" "kubernetesEvents" "clusterMetrics" "kubernetesAttributes" }}
{{- if and (index $.Values.presets .).enabled (not (and (eq . "kubernetesEvents") (eq $.Values.mode "daemonset"))) }}
{{- $on = append $on . }}
{{- end }}
{{- end }}
{{- range list "Logs" "Metrics" }}
{{- if (index $.Values.presets.annotationDiscovery (lower .)).enabled }}
{{- $on = append $on (printf "annotationDiscovery%s" .) }}
{{- end }}
{{- end }}
{{- if and (has "logsCollection" $on) (has "annotationDiscoveryLogs" $on) }}
{{- fail "presets.logsCollection and presets.annotationDiscovery.logs read the same files: enable one of them" }}
{{- end }}
{{- join "," $on }}
{{- end }}

{{- define "holdfast.needsLeader" -}}
{{- $presets := splitList "," (include "holdfast.presets" .) }}
{{- if and (include "holdfast.hasPeers" .) (or (has "clusterMetrics" $presets) (has "kubernetesEvents" $presets)) }}true{{ end }}
{{- end }}

{{/* A preset with what depends on values, as YAML. */}}
{{- define "holdfast.preset" -}}
{{- $root := .root }}
{{- $preset := $root.Files.Get (printf "presets/%s.yaml" .name) | fromYaml }}
{{- $receivers := $preset.config.receivers | default dict }}
{{- if eq .name "logsCollection" }}
{{- $own := printf "/var/log/pods/%s_%s*_*/%s/*.log" (include "holdfast.namespace" $root) (include "holdfast.fullname" $root) "holdfast" }}
{{- $_ := set $receivers.filelog "exclude" (ternary list (list $own) $root.Values.presets.logsCollection.includeCollectorLogs) }}
{{- $_ := set (first $receivers.filelog.operators) "max_log_size" $root.Values.presets.logsCollection.maxRecombineLogSize }}
{{- else if eq .name "kubernetesAttributes" }}
{{- $processor := $preset.config.processors.k8sattributes }}
{{- if eq $root.Values.mode "daemonset" }}
{{- $_ := set $processor "filter" (dict "node_from_env_var" "K8S_NODE_NAME") }}
{{- end }}
{{- $any := dict "tag_name" "$$1" "key_regex" "(.*)" "from" "pod" }}
{{- if $root.Values.presets.kubernetesAttributes.extractAllPodLabels }}
{{- $_ := set $processor.extract "labels" (list $any) }}
{{- end }}
{{- if $root.Values.presets.kubernetesAttributes.extractAllPodAnnotations }}
{{- $_ := set $processor.extract "annotations" (list $any) }}
{{- end }}
{{- end }}
{{- if and (hasPrefix "annotationDiscovery" .name) (eq $root.Values.mode "daemonset") }}
{{- $_ := set $preset.config.extensions.k8s_observer "node" "${env:K8S_NODE_NAME}" }}
{{- end }}
{{- if and (eq .name "kubernetesEvents") $root.Values.presets.kubernetesEvents.useK8sEventsReceiver }}
{{- $receivers = dict "k8s_events" dict }}
{{- $_ := set $preset.config "receivers" $receivers }}
{{- $_ := set $preset.pipelines.logs "receivers" (list "k8s_events") }}
{{- end }}
{{- if and (has .name (list "clusterMetrics" "kubernetesEvents")) (include "holdfast.needsLeader" $root) }}
{{- range $receivers }}
{{- $_ := set . "k8s_leader_elector" "k8s_leader_elector" }}
{{- end }}
{{- $lease := dict "auth_type" "serviceAccount" "lease_name" (include "holdfast.fullname" $root) "lease_namespace" (include "holdfast.namespace" $root) }}
{{- $_ := set $preset.config "extensions" (dict "k8s_leader_elector" $lease) }}
{{- $_ := set $preset "extensions" (list "k8s_leader_elector") }}
{{- end }}
{{- toYaml $preset }}
{{- end }}

{{/* Removes components of one section whose value is null and that nothing uses: what a values file has switched off.
   Likewise the chart's own exporter debug once backends have taken its place. */}}
{{- define "holdfast.prune" -}}
{{- $config := .config }}
{{- range $section := list "receivers" "processors" "exporters" "connectors" "extensions" }}
{{- $used := list }}
{{- if eq $section "extensions" }}
{{- $used = $config.service.extensions | default list }}
{{- else }}
{{- range $pipeline := $config.service.pipelines }}
{{- range list "receivers" "processors" "exporters" }}
{{- $used = concat $used (index ($pipeline | default dict) . | default list) }}
{{- end }}
{{- end }}
{{- end }}
{{- range $id, $value := index $config $section | default dict | deepCopy }}
{{- $isDefault := and (eq $section "exporters") (eq $id "debug") (not $value) }}
{{- if and (or (kindIs "invalid" $value) $isDefault) (not (has $id $used)) }}
{{- $_ := unset (index $config $section) $id }}
{{- end }}
{{- end }}
{{- end }}
{{- range $name, $pipeline := $config.service.pipelines | default dict | deepCopy }}
{{- if kindIs "invalid" $pipeline }}
{{- $_ := unset $config.service.pipelines $name }}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.config" -}}
{{- $config := deepCopy (.Values.alternateConfig | default .Values.config) }}
{{- $service := $config.service | default dict }}
{{- $_ := set $config "service" $service }}
{{- $_ := set $service "pipelines" ($service.pipelines | default dict) }}
{{- range $name := splitList "," (include "holdfast.presets" .) }}
{{- if $name }}
{{- $preset := include "holdfast.preset" (dict "root" $ "name" $name) | fromYaml }}
{{- $config = mergeOverwrite $preset.config $config }}
{{- $found := false }}
{{- range $signal, $added := $preset.pipelines }}
{{- range $id, $pipeline := $config.service.pipelines }}
{{- if and $pipeline (eq (first (splitList "/" $id)) $signal) }}
{{- $found = true }}
{{- if or $added.first_processors (eq $id $signal) }}
{{- $_ := set $pipeline "receivers" (concat ($pipeline.receivers | default list) ($added.receivers | default list) | uniq) }}
{{- $_ := set $pipeline "processors" (concat ($added.first_processors | default list) ($pipeline.processors | default list) | uniq) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if not $found }}
{{- fail (printf "presets.%s is enabled, but the configuration has no pipeline of the signals %s: add one or disable the preset" $name (keys $preset.pipelines | sortAlpha | join ", ")) }}
{{- end }}
{{- with $preset.extensions }}
{{- $_ := set $config.service "extensions" (concat ($config.service.extensions | default list) . | uniq) }}
{{- end }}
{{- end }}
{{- end }}
{{- include "holdfast.prune" (dict "config" $config) }}
{{- tpl (toYaml $config) . }}
{{- end }}
