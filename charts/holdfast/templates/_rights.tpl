{{/* What the configuration asks of the Kubernetes API, as `holdfast check` does: the rights of each component that runs.
   A define "holdfast.rights.TYPE" writes a list of {group, resources, verbs, names, namespaces}; without namespaces the
   rights are those of the whole cluster. It is given `root` and the component's `config`. */}}

{{- define "holdfast.rights.k8sattributes" -}}
{{- if not .config.passthrough }}
{{- $extract := .config.extract | default dict }}
{{- $kinds := list "pod" }}
{{- range concat ($extract.labels | default list) ($extract.annotations | default list) }}
{{- $kinds = append $kinds (.from | default "pod") }}
{{- end }}
{{- $metadata := ternary $extract.metadata (list "k8s.deployment.name") (kindIs "slice" $extract.metadata) }}
{{- $names := ternary (list) (list "k8s.deployment.name" "service.name") (eq (toString $extract.deployment_name_from_replicaset) "true") }}
{{- range $metadata }}
{{- if or (has . $names) (eq . "k8s.deployment.uid") }}{{ $kinds = append $kinds "replicaset" }}{{ end }}
{{- if eq . "k8s.node.uid" }}{{ $kinds = append $kinds "node" }}{{ end }}
{{- if eq . "k8s.cluster.uid" }}{{ $kinds = append $kinds "namespace" }}{{ end }}
{{- if eq . "k8s.cronjob.uid" }}{{ $kinds = append $kinds "job" }}{{ end }}
{{- end }}
{{- if has "deployment" $kinds }}{{ $kinds = append $kinds "replicaset" }}{{ end }}
{{- $groups := dict "replicaset" "apps" "deployment" "apps" "statefulset" "apps" "daemonset" "apps" "job" "batch" }}
{{- $namespace := (.config.filter | default dict).namespace }}
{{- range $kinds | uniq }}
{{- $spaces := list }}
{{- if and $namespace (not (has . (list "node" "namespace"))) }}{{ $spaces = list $namespace }}{{ end }}
- {group: {{ get $groups . | quote }}, resources: [{{ . }}s], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.rights.k8s_cluster" -}}
{{- $on := list }}
{{- range $name, $metric := .config.metrics | default dict }}
{{- if ($metric | default dict).enabled }}{{ $on = append $on $name }}{{ end }}
{{- end }}
{{- $enabled := join " " $on }}
{{- $spaces := ternary (list .config.namespace) (.config.namespaces | default list) (ne (.config.namespace | default "") "") }}
{{- $core := list "pods" "replicationcontrollers" "resourcequotas" }}
{{- if contains "k8s.persistentvolumeclaim." $enabled }}{{ $core = append $core "persistentvolumeclaims" }}{{ end }}
{{- if contains "k8s.service." $enabled }}{{ $core = append $core "services" }}{{ end }}
- {group: "", resources: {{ toJson $core }}, verbs: [list, watch], namespaces: {{ toJson $spaces }}}
- {group: apps, resources: [deployments, replicasets, daemonsets, statefulsets], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
- {group: batch, resources: [jobs, cronjobs], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
- {group: autoscaling, resources: [horizontalpodautoscalers], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- if contains "k8s.service.endpoint." $enabled }}
- {group: discovery.k8s.io, resources: [endpointslices], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- end }}
{{- if not $spaces }}
- {group: "", resources: [nodes, namespaces], verbs: [list, watch]}
{{- if contains "k8s.persistentvolume." $enabled }}
- {group: "", resources: [persistentvolumes], verbs: [list, watch]}
{{- end }}
{{- if eq (.config.distribution | default "") "openshift" }}
- {group: quota.openshift.io, resources: [clusterresourcequotas], verbs: [list, watch]}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.rights.k8s_events" -}}
- {group: "", resources: [events], verbs: [list, watch], namespaces: {{ .config.namespaces | default list | toJson }}}
{{- end }}

{{/* Without a group the API is asked for it; these are the usual ones. */}}
{{- define "holdfast.rights.k8sobjects" -}}
{{- $usual := dict }}
{{- range $group, $names := dict "apps" "deployments replicasets statefulsets daemonsets" "batch" "jobs cronjobs" "autoscaling" "horizontalpodautoscalers" "networking.k8s.io" "ingresses networkpolicies" "policy" "poddisruptionbudgets" "storage.k8s.io" "storageclasses" "discovery.k8s.io" "endpointslices" "coordination.k8s.io" "leases" }}
{{- range splitList " " $names }}{{ $_ := set $usual . $group }}{{ end }}
{{- end }}
{{- range .config.objects }}
- group: {{ .group | default (get $usual .name) | quote }}
  resources: [{{ .name | quote }}]
  verbs: {{ ternary (list "list" "watch") (list "list") (eq (.mode | default "pull") "watch") | toJson }}
  namespaces: {{ .namespaces | default list | toJson }}
{{- end }}
{{- end }}

{{/* Kubelets know pods as a resource of their own since 1.33, and as one of all that a proxy leads to before. */}}
{{- define "holdfast.rights.kubeletstats" -}}
{{- $on := list }}
{{- range $name, $metric := .config.metrics | default dict }}
{{- if ($metric | default dict).enabled }}{{ $on = append $on $name }}{{ end }}
{{- end }}
{{- $labels := .config.extra_metadata_labels | default list }}
{{- if eq (.config.auth_type | default "tls") "serviceAccount" }}
- {group: "", resources: [nodes/stats], verbs: [get]}
{{- if or $labels (regexMatch "_(limit|request)_utilization( |$)" (join " " $on)) }}
- {group: "", resources: [{{ ternary "nodes/pods" "nodes/proxy" (semverCompare ">=1.33.0-0" .root.Capabilities.KubeVersion.Version) }}], verbs: [get]}
{{- end }}
{{- end }}
{{- if eq ((.config.k8s_api_config | default (dict "auth_type" "none")).auth_type | default "serviceAccount") "serviceAccount" }}
{{- if regexMatch "\\.node\\.utilization( |$)" (join " " $on) }}
- {group: "", resources: [nodes], verbs: [get]}
{{- end }}
{{- if has "k8s.volume.type" $labels }}
- {group: "", resources: [persistentvolumeclaims, persistentvolumes], verbs: [get]}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.rights.k8s_observer" -}}
{{- $spaces := .config.namespaces | default list | toJson }}
{{- if ne (toString .config.observe_pods) "false" }}
- {group: "", resources: [pods], verbs: [list, watch], namespaces: {{ $spaces }}}
{{- end }}
{{- if .config.observe_services }}
- {group: "", resources: [services], verbs: [list, watch], namespaces: {{ $spaces }}}
{{- end }}
{{- if .config.observe_ingresses }}
- {group: networking.k8s.io, resources: [ingresses], verbs: [list, watch], namespaces: {{ $spaces }}}
{{- end }}
{{- if .config.observe_nodes }}
- {group: "", resources: [nodes], verbs: [list, watch]}
{{- end }}
{{- end }}

{{- define "holdfast.rights.k8s_leader_elector" -}}
{{- $spaces := list .config.lease_namespace | toJson }}
- {group: coordination.k8s.io, resources: [leases], verbs: [create], namespaces: {{ $spaces }}}
- {group: coordination.k8s.io, resources: [leases], verbs: [get, update], names: [{{ .config.lease_name | quote }}], namespaces: {{ $spaces }}}
{{- end }}

{{- define "holdfast.rights.prometheus" -}}
{{- $root := .root }}
{{- range (.config.config | default dict).scrape_configs }}
{{- range .kubernetes_sd_configs }}
{{- if not (or .kubeconfig_file .api_server) }}
{{- $attached := .attach_metadata | default dict }}
{{- $joins := has .role (list "endpoints" "endpointslice") }}
{{- $given := .namespaces | default dict }}
{{- $spaces := $given.names | default list }}
{{- if $given.own_namespace }}{{ $spaces = append $spaces (include "holdfast.namespace" $root) }}{{ end }}
{{- $core := list }}
{{- if or $joins (eq .role "pod") }}{{ $core = append $core "pods" }}{{ end }}
{{- if or $joins (eq .role "service") }}{{ $core = append $core "services" }}{{ end }}
{{- if eq .role "endpoints" }}{{ $core = append $core "endpoints" }}{{ end }}
{{- with $core }}
- {group: "", resources: {{ toJson . }}, verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- end }}
{{- if eq .role "endpointslice" }}
- {group: discovery.k8s.io, resources: [endpointslices], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- else if eq .role "ingress" }}
- {group: networking.k8s.io, resources: [ingresses], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- end }}
{{- if and $attached.deployment (or $joins (eq .role "pod")) }}
- {group: apps, resources: [replicasets], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- end }}
{{- if and $attached.cronjob (or $joins (eq .role "pod")) }}
- {group: batch, resources: [jobs], verbs: [list, watch], namespaces: {{ toJson $spaces }}}
{{- end }}
{{- if or (eq .role "node") (and $attached.node (or $joins (eq .role "pod"))) }}
- {group: "", resources: [nodes], verbs: [list, watch]}
{{- end }}
{{- if and $attached.namespace (ne .role "node") }}
- {group: "", resources: [namespaces], verbs: [list, watch]}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "holdfast.rights.loadbalancing" -}}
{{- with (.config.resolver | default dict).k8s }}
{{- $parts := splitList "." .service }}
{{- $space := include "holdfast.namespace" $.root }}
{{- if gt (len $parts) 1 }}{{ $space = index $parts 1 }}{{ end }}
- {group: discovery.k8s.io, resources: [endpointslices], verbs: [list, watch], namespaces: [{{ $space | quote }}]}
{{- end }}
{{- end }}

{{- define "holdfast.rights.resourcedetection" -}}
{{- $detectors := .config.detectors | default list }}
{{- if or (has "k8snode" $detectors) (has "k8s_api" $detectors) }}
- {group: "", resources: [nodes], verbs: [get]}
{{- end }}
{{- if or (has "k8s_api" $detectors) (has "kubeadm" $detectors) }}
- {group: "", resources: [namespaces], verbs: [get], names: [kube-system]}
{{- end }}
{{- if has "kubeadm" $detectors }}
- {group: "", resources: [configmaps], verbs: [get], names: [kubeadm-config], namespaces: [kube-system]}
{{- end }}
{{- if has "openshift" $detectors }}
- {group: config.openshift.io, resources: [infrastructures], verbs: [get], names: [cluster]}
{{- end }}
{{- end }}

{{/* The components that run, and those that receiver_creator may start: a list of {type, config}. */}}
{{- define "holdfast.running" -}}
{{- $config := include "holdfast.config" . | fromYaml }}
{{- $used := dict "extensions" ($config.service.extensions | default list) }}
{{- range $section := list "receivers" "processors" "exporters" }}
{{- $ids := list }}
{{- range $config.service.pipelines }}
{{- $ids = concat $ids (index (. | default dict) $section | default list) }}
{{- end }}
{{- $_ := set $used $section $ids }}
{{- end }}
{{- $running := list }}
{{- range $section, $ids := $used }}
{{- range $id := $ids | uniq }}
{{- $type := first (splitList "/" $id) }}
{{- $component := index ($config | dig $section dict | default dict) $id | default dict }}
{{- $running = append $running (dict "type" $type "config" $component) }}
{{- if eq $type "receiver_creator" }}
{{- range $inner, $template := $component.receivers | default dict }}
{{- $running = append $running (dict "type" (first (splitList "/" $inner)) "config" ($template.config | default dict)) }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- toYaml $running }}
{{- end }}

{{/* {scope: {key: rule}}: the rules of the whole cluster in the scope "", and those of namespaces. Nothing when there are none. */}}
{{- define "holdfast.rights" -}}
{{- $types := dict "k8s_attributes" "k8sattributes" "k8s_objects" "k8sobjects" "kubelet_stats" "kubeletstats" "load_balancing" "loadbalancing" }}
{{- range list "k8sattributes" "k8s_cluster" "k8s_events" "k8sobjects" "kubeletstats" "k8s_observer" "k8s_leader_elector" "prometheus" "loadbalancing" "resourcedetection" }}
{{- $_ := set $types . . }}
{{- end }}
{{- $scopes := dict }}
{{- range include "holdfast.running" . | fromYamlArray }}
{{- $type := get $types .type }}
{{- if and $type (or (eq $type "kubeletstats") (eq (.config.auth_type | default "serviceAccount") "serviceAccount")) }}
{{- range include (printf "holdfast.rights.%s" $type) (dict "root" $ "config" .config) | fromYamlArray }}
{{- $right := . }}
{{- $spaces := .namespaces | default list }}
{{- if or (not $spaces) (contains "$" (join "" $spaces)) }}{{ $spaces = list "" }}{{ end }}
{{- range $space := $spaces }}
{{- $rules := get $scopes $space | default dict }}
{{- $key := printf "%s %s %s" $right.group (join "," $right.verbs) ($right.names | default list | join ",") }}
{{- $rule := get $rules $key | default (dict "apiGroups" (list $right.group) "resources" list "verbs" $right.verbs) }}
{{- with $right.names }}{{ $_ := set $rule "resourceNames" . }}{{ end }}
{{- $_ := set $rule "resources" (concat $rule.resources $right.resources | uniq | sortAlpha) }}
{{- $_ := set $rules $key $rule }}
{{- $_ := set $scopes $space $rules }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- if .Values.clusterRole.create }}
{{- $rules := get $scopes "" | default dict }}
{{- $_ := set $scopes "" $rules }}
{{- range $at, $rule := .Values.clusterRole.rules }}
{{- $_ := set $rules (printf "~%03d" $at) $rule }}
{{- end }}
{{- end }}
{{- if $scopes }}{{ toYaml $scopes }}{{ end }}
{{- end }}
{{- define "holdfast.clusterRoleName" -}}
{{- .Values.clusterRole.name | default (printf "%s-%s" (include "holdfast.namespace" .) (include "holdfast.fullname" .) | trunc 63 | trimSuffix "-") }}
{{- end }}
