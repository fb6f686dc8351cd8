{{/* The configuration: values.config or alternateConfig, and the presets that are enabled. */}}

{{/* The names of the presets that count, in the order in which they are added. kubernetesEvents is left out in a daemonset. */}}
{{- define "holdfast.presets" -}}
{{- $on := list }}
{{- range list "logsCollection" "hostMetrics" "kubeletMetrics" "kubernetesEvents" "kubernetesObjects" "clusterMetrics" "kubernetesAttributes" "resourceDetection" }}
{{- if and (index $.Values.presets .).enabled (not (and (eq . "kubernetesEvents") (eq $.Values.mode "daemonset"))) }}
{{- $on = append $on . }}
{{- end }}
{{- end }}
{{- if not (include "holdfast.detectors" . | fromYamlArray) }}
{{- $on = without $on "resourceDetection" }}
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

{{/* "true" when one of several pods does what the preset says. */}}
{{- define "holdfast.elects" -}}
{{- if and (include "holdfast.hasPeers" .root) (has .name (list "clusterMetrics" "kubernetesEvents" "kubernetesObjects")) (not (index .root.Values.presets .name).disableLeaderElection) }}true{{ end }}
{{- end }}

{{/* What the preset kubernetesObjects reads, as YAML. */}}
{{- define "holdfast.objects" -}}
{{- $values := .values }}
{{- $groups := dict }}
{{- range $name, $kinds := .groups }}
{{- if eq $name "vpa" }}
{{- if and $values.autoscaling.enabled (dig "vpa" "enabled" false $values.autoscaling) }}{{ $_ := set $groups $name $kinds }}{{ end }}
{{- else if (index $values $name).enabled }}
{{- $_ := set $groups $name $kinds }}
{{- end }}
{{- end }}
{{- $objects := list }}
{{- range $groups }}
{{- range $group, $names := . }}
{{- range $name := $names }}
{{- $one := ternary (dict "name" $name) (dict "name" $name "group" $group) (eq $group "") }}
{{- $objects = append $objects (merge (dict "mode" "pull") $one) }}
{{- if $values.watch }}{{ $objects = append $objects (merge (dict "mode" "watch") $one) }}{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- if $values.events.enabled }}
{{- $objects = append $objects (dict "name" "events" "group" "events.k8s.io" "mode" "watch" "exclude_watch_type" (list "DELETED")) }}
{{- end }}
{{- toYaml $objects }}
{{- end }}

{{/* The detectors of the preset resourceDetection. */}}
{{- define "holdfast.detectors" -}}
{{- $names := list }}
{{- range list "env" "k8snode" "k8s_api" "aks" "eks" "gcp" }}
{{- if (index $.Values.presets.resourceDetection . | default dict).enabled }}{{ $names = append $names . }}{{ end }}
{{- end }}
{{- if has "k8snode" $names }}{{ $names = without $names "k8s_api" }}{{ end }}
{{- toYaml $names }}
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
{{- if eq .name "kubernetesObjects" }}
{{- $_ := set $receivers.k8sobjects "objects" (include "holdfast.objects" (dict "values" $root.Values.presets.kubernetesObjects "groups" $preset.groups) | fromYamlArray) }}
{{- else if eq .name "resourceDetection" }}
{{- $processor := index $preset.config.processors "resourcedetection/env" }}
{{- $detectors := include "holdfast.detectors" $root | fromYamlArray }}
{{- $_ := set $processor "detectors" $detectors }}
{{- range list "aks" "eks" "gcp" }}
{{- if has . $detectors }}
{{- $_ := set $processor . (dict "resource_attributes" (dict "k8s.cluster.name" (dict "enabled" true))) }}
{{- end }}
{{- end }}
{{- if has "eks" $detectors }}{{ $_ := set $processor "timeout" "15s" }}{{ end }}
{{- end }}
{{- if include "holdfast.elects" . }}
{{- range $receivers }}
{{- $_ := set . "k8s_leader_elector" "k8s_leader_elector" }}
{{- end }}
{{- $lease := dict "auth_type" "serviceAccount" "lease_name" (include "holdfast.fullname" $root) "lease_namespace" (include "holdfast.namespace" $root) }}
{{- $_ := set $preset.config "extensions" (dict "k8s_leader_elector" $lease) }}
{{- $_ := set $preset "extensions" (list "k8s_leader_elector") }}
{{- end }}
{{- /* By the name that the configuration has for it. */}}
{{- $base := $root.Values.alternateConfig | default $root.Values.config }}
{{- $named := concat (keys ($base.receivers | default dict)) (keys ($base.processors | default dict)) }}
{{- range ($base.service | default dict).pipelines }}
{{- $named = concat $named ((. | default dict).receivers | default list) ((. | default dict).processors | default list) }}
{{- end }}
{{- $text := toYaml $preset }}
{{- range $name, $other := dict "filelog" "file_log" "k8sattributes" "k8s_attributes" }}
{{- if has $other $named }}{{ $text = regexReplaceAll (printf "\\b%s\\b" $name) $text $other }}{{ end }}
{{- end }}
{{- $text }}
{{- end }}

{{/* Removes components of one section whose value is null and that nothing uses: what a values file has switched off.
   Likewise the chart's own exporter debug once backends have taken its place, and what is there for those who name it. */}}
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
{{- $isDefault := or (and (eq $section "exporters") (eq $id "debug") (not $value)) (has (printf "%s/%s" $section $id) (list "receivers/prometheus" "extensions/health_check")) }}
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

{{/* Sends Holdfast's own traces, metrics and logs on, as internalTelemetryViaOTLP says. Its metrics stay readable at the port. */}}
{{- define "holdfast.ownTelemetry" -}}
{{- $given := .root.Values.internalTelemetryViaOTLP }}
{{- $telemetry := .config.service.telemetry | default dict }}
{{- range $signal := list "traces" "metrics" "logs" }}
{{- $own := index $given $signal }}
{{- if $own.enabled }}
{{- $exporter := dict "protocol" "http/protobuf" "endpoint" (required (printf "internalTelemetryViaOTLP.endpoint is needed for %s" $signal) ($own.endpoint | default $given.endpoint)) }}
{{- with $own.headers | default $given.headers }}{{ $_ := set $exporter "headers" . }}{{ end }}
{{- $sender := dict "exporter" (dict "otlp" $exporter) }}
{{- $section := index $telemetry $signal | default dict }}
{{- if eq $signal "metrics" }}
{{- $port := dict "pull" (dict "exporter" (dict "prometheus" (dict "host" "0.0.0.0" "port" 8888))) }}
{{- $_ := set $section "readers" (append ($section.readers | default (list $port)) (dict "periodic" $sender)) }}
{{- else }}
{{- $_ := set $section "processors" (append ($section.processors | default list) (dict "batch" $sender)) }}
{{- end }}
{{- $_ := set $telemetry $signal $section }}
{{- end }}
{{- end }}
{{- if $telemetry }}{{ $_ := set .config.service "telemetry" $telemetry }}{{ end }}
{{- end }}

{{/* Gives the protocols of the receiver otlp the files of tls.secretName. */}}
{{- define "holdfast.serveTls" -}}
{{- $tls := .root.Values.tls }}
{{- if $tls.enabled }}
{{- $files := dict "cert_file" (printf "%s/tls.crt" $tls.mountPath) "key_file" (printf "%s/tls.key" $tls.mountPath) }}
{{- if $tls.requireClientCertificate }}{{ $_ := set $files "client_ca_file" (printf "%s/ca.crt" $tls.mountPath) }}{{ end }}
{{- $protocols := ((.config.receivers | default dict).otlp | default dict).protocols }}
{{- if not $protocols }}
{{- fail "tls.enabled needs a receiver otlp with protocols" }}
{{- end }}
{{- range $name, $protocol := $protocols | deepCopy }}
{{- $own := $protocol | default dict }}
{{- if not (hasKey $own "tls") }}
{{- $_ := set $protocols $name (merge (dict "tls" $files) $own) }}
{{- end }}
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
{{- /* Beside what the configuration reads and detects itself. */}}
{{- if eq $name "kubernetesObjects" }}
{{- with (($config.receivers | default dict).k8sobjects | default dict).objects }}
{{- $_ := set $config.receivers.k8sobjects "objects" (concat $preset.config.receivers.k8sobjects.objects . | uniq) }}
{{- end }}
{{- else if eq $name "resourceDetection" }}
{{- with (index ($config.processors | default dict) "resourcedetection/env" | default dict).detectors }}
{{- $_ := set (index $config.processors "resourcedetection/env") "detectors" (concat . (index $preset.config.processors "resourcedetection/env").detectors | uniq) }}
{{- end }}
{{- end }}
{{- $config = mergeOverwrite $preset.config $config }}
{{- $found := false }}
{{- range $signal, $added := $preset.pipelines }}
{{- range $id, $pipeline := $config.service.pipelines }}
{{- if and $pipeline (eq (first (splitList "/" $id)) $signal) }}
{{- $found = true }}
{{- if or $added.first_processors (eq $id $signal) }}
{{- $_ := set $pipeline "receivers" (concat ($pipeline.receivers | default list) ($added.receivers | default list) | uniq) }}
{{- $here := $pipeline.processors | default list }}
{{- range $added.first_processors | default list | reverse }}
{{- if not (has . $here) }}{{ $here = prepend $here . }}{{ end }}
{{- end }}
{{- $_ := set $pipeline "processors" $here }}
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
{{- include "holdfast.ownTelemetry" (dict "root" . "config" $config) }}
{{- include "holdfast.prune" (dict "config" $config) }}
{{- include "holdfast.serveTls" (dict "root" . "config" $config) }}
{{- tpl (toYaml $config) . }}
{{- end }}
