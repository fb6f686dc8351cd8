#include "config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "associate.h"
#include "util/regex/regex.h"

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

static const char *check_extract(const struct hf_struct_list *list)
{
    const struct k8s_extract_field *fields = list->items;
    for (size_t i = 0; i < list->count; i++) {
        if (is_given(fields[i].key) && is_given(fields[i].key_regex)) {
            return "extract: of key and key_regex only one may be given";
        }
        if (!is_given(fields[i].key) && !is_given(fields[i].key_regex)) {
            return "extract: each label and annotation needs key or key_regex";
        }
    }
    return NULL;
}

static const char *check_filter(const struct hf_struct_list *list, bool of_labels)
{
    static const char *const label_ops[] = {"equals", "not-equals", "exists", "does-not-exist"};
    const struct k8s_filter_field *fields = list->items;
    for (size_t i = 0; i < list->count; i++) {
        bool known = !is_given(fields[i].op);
        for (size_t op = 0; op < (of_labels ? 4 : 2) && !known; op++) {
            known = strcmp(fields[i].op, label_ops[op]) == 0;
        }
        if (!known) {
            return of_labels ? "filter: op of a label is equals, not-equals, exists or "
                               "does-not-exist"
                             : "filter: op of a field is equals or not-equals";
        }
    }
    return NULL;
}

static const char *check_associations(const struct hf_struct_list *list)
{
    const struct k8s_association_config *rules = list->items;
    for (size_t i = 0; i < list->count; i++) {
        const struct k8s_source_config *sources = rules[i].sources.items;
        if (rules[i].sources.count > K8S_SOURCES_MAX) {
            return "pod_association: a rule has at most 4 sources";
        }
        for (size_t s = 0; s < rules[i].sources.count; s++) {
            bool by_attribute = strcmp(sources[s].from, "resource_attribute") == 0;
            if (!by_attribute && strcmp(sources[s].from, "connection") != 0) {
                return "pod_association: from is connection or resource_attribute";
            }
            if (by_attribute && !is_given(sources[s].name)) {
                return "pod_association: a source from resource_attribute needs a name";
            }
        }
    }
    return list->count > K8S_RULES_MAX ? "pod_association: at most 64 rules" : NULL;
}

#define NO_EFFECT(name)                                                                            \
    {                                                                                              \
        .key = (name), .type = HF_FIELD_IGNORED, .help = "Of the kubelet, which is not asked."     \
    }

static const struct hf_field kubelet_fields[] = {
    {.key = "enabled",
     .type = HF_FIELD_BOOL,
     .help = "Not supported: pods come of one watch for the process."},
    NO_EFFECT("endpoint"),
    NO_EFFECT("poll_interval"),
    NO_EFFECT("request_timeout"),
    NO_EFFECT("insecure_skip_verify"),
    NO_EFFECT("allow_insecure_http"),
    HF_FIELDS_END,
};

const char *k8s_config_check(const void *config)
{
    const struct k8s_config *k8s = config;
    const char *problem = check_extract(&k8s->extract.labels);
    problem = problem != NULL ? problem : check_extract(&k8s->extract.annotations);
    problem = problem != NULL ? problem : check_filter(&k8s->filter.labels, true);
    problem = problem != NULL ? problem : check_filter(&k8s->filter.fields, false);
    problem = problem != NULL ? problem : check_associations(&k8s->associations);
    if (problem == NULL && k8s->asks_kubelet) {
        problem =
            "kubelet: enabled is not supported, and behind a feature gate in the Go collector: "
            "filter::node_from_env_var makes the one watch of pods small";
    }
    if (problem == NULL && is_given(k8s->filter.node_from_env_var) &&
        getenv(k8s->filter.node_from_env_var) == NULL) {
        problem = "filter: the environment variable that node_from_env_var names is not set";
    }
    return problem;
}

static const char *check_regex(const char *key, const char *text)
{
    struct hf_regex *regex;
    char error[HF_REGEX_ERROR_MAX];
    (void)key;
    if (hf_regex_new(text, &regex, error) != HF_OK) {
        return "a regular expression";
    }
    hf_regex_free(regex);
    return NULL;
}

static const char *check_from(const char *key, const char *text)
{
    static const char *const kinds[] = {"pod",         "namespace", "node", "deployment",
                                        "statefulset", "daemonset", "job",  "replicaset"};
    (void)key;
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(text, kinds[i]) == 0) {
            return NULL;
        }
    }
    return "pod, namespace, node, deployment, statefulset, daemonset, replicaset or job";
}

static const char *const metadata_choices[] = {
#define K8S_METADATA_NAME(bit, name, is_default) name,
    K8S_METADATA(K8S_METADATA_NAME) NULL};

#define OF(type, member) offsetof(struct type, member)
#define TEXT(type_, key_, member_, help_)                                                          \
    {                                                                                              \
        .key = (key_), .type = HF_FIELD_STRING, .offset = OF(type_, member_), .help = (help_)      \
    }

static const struct hf_field extract_fields[] = {
    TEXT(k8s_extract_field, "tag_name", tag_name,
         "The attribute's name; with key_regex it may use $1 and ${name}. Without: "
         "k8s.pod.labels.KEY and so on."),
    TEXT(k8s_extract_field, "key", key, "The label or annotation, exactly."),
    {.key = "key_regex",
     .type = HF_FIELD_STRING,
     .offset = OF(k8s_extract_field, key_regex),
     .validate = check_regex,
     .help = "Or all whose whole name matches this regular expression."},
    {.key = "from",
     .type = HF_FIELD_STRING,
     .offset = OF(k8s_extract_field, from),
     .default_text = "pod",
     .validate = check_from,
     .help = "Whose: pod, namespace, node, deployment, statefulset, daemonset, replicaset, job."},
    HF_FIELDS_END,
};

static const struct hf_field filter_item_fields[] = {
    TEXT(k8s_filter_field, "key", key, "The label or field."),
    TEXT(k8s_filter_field, "value", value, "What its value is compared with."),
    TEXT(k8s_filter_field, "op", op,
         "equals (also without), not-equals; of labels also exists, does-not-exist."),
    HF_FIELDS_END,
};

static const struct hf_field source_fields[] = {
    {.key = "from",
     .type = HF_FIELD_STRING,
     .offset = OF(k8s_source_config, from),
     .required = true,
     .help = "connection (the sender's address) or resource_attribute."},
    TEXT(k8s_source_config, "name", name, "The resource attribute."),
    HF_FIELDS_END,
};

static const struct hf_field association_fields[] = {
    {.key = "sources",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_association_config, sources),
     .inner = source_fields,
     .inner_size = sizeof(struct k8s_source_config),
     .help = "Up to four; a rule counts when all of them have a value."},
    HF_FIELDS_END,
};

static const struct hf_field exclude_pod_fields[] = {
    {.key = "name",
     .type = HF_FIELD_STRING,
     .offset = OF(k8s_exclude_pod, name),
     .validate = check_regex,
     .help = "A regular expression that matches somewhere in the pod's name."},
    HF_FIELDS_END,
};

static const struct hf_field extract_section[] = {
    {.key = "metadata",
     .type = HF_FIELD_STRING_LIST,
     .offset = OF(k8s_config, extract.metadata),
     .choices = metadata_choices,
     .present_offset = OF(k8s_config, extract.has_metadata),
     .help = "The attributes to set, in place of the default ones: k8s.namespace.name, "
             "k8s.pod.name, k8s.pod.uid, k8s.pod.start_time, k8s.deployment.name, k8s.node.name, "
             "container.image.name, container.image.tag."},
    {.key = "labels",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_config, extract.labels),
     .inner = extract_fields,
     .inner_size = sizeof(struct k8s_extract_field),
     .help = "Labels that become attributes."},
    {.key = "annotations",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_config, extract.annotations),
     .inner = extract_fields,
     .inner_size = sizeof(struct k8s_extract_field),
     .help = "Annotations that become attributes."},
    {.key = "otel_annotations",
     .type = HF_FIELD_BOOL,
     .offset = OF(k8s_config, extract.otel_annotations),
     .help = "Take resource.opentelemetry.io/NAME annotations of pods as attributes NAME."},
    {.key = "deployment_name_from_replicaset",
     .type = HF_FIELD_BOOL,
     .offset = OF(k8s_config, extract.deployment_name_from_replicaset),
     .help = "Cut the deployment's name out of that of the ReplicaSet, which needs no watch of "
             "ReplicaSets."},
    HF_FIELDS_END,
};

static const struct hf_field filter_section[] = {
    TEXT(k8s_config, "node", filter.node, "Only pods on this node."),
    TEXT(k8s_config, "node_from_env_var", filter.node_from_env_var,
         "The environment variable that holds the node."),
    TEXT(k8s_config, "namespace", filter.namespace_name, "Only pods of this namespace."),
    {.key = "fields",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_config, filter.fields),
     .inner = filter_item_fields,
     .inner_size = sizeof(struct k8s_filter_field),
     .help = "Only pods whose fields are so."},
    {.key = "labels",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_config, filter.labels),
     .inner = filter_item_fields,
     .inner_size = sizeof(struct k8s_filter_field),
     .help = "Only pods whose labels are so."},
    HF_FIELDS_END,
};

static const struct hf_field exclude_section[] = {
    {.key = "pods",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_config, exclude.pods),
     .inner = exclude_pod_fields,
     .inner_size = sizeof(struct k8s_exclude_pod),
     .present_offset = OF(k8s_config, exclude.has_pods),
     .help = "Pods that get no attributes; jaeger-agent and jaeger-collector without the key."},
    HF_FIELDS_END,
};

const struct hf_field k8s_fields[] = {
    HF_KUBE_FIELDS,
    {.key = "passthrough",
     .type = HF_FIELD_BOOL,
     .offset = OF(k8s_config, passthrough),
     .help = "Only note the sender's address as k8s.pod.ip; the Kubernetes API is not asked."},
    {.key = "extract",
     .type = HF_FIELD_STRUCT,
     .offset = 0,
     .inner = extract_section,
     .help = "What becomes attributes."},
    {.key = "filter",
     .type = HF_FIELD_STRUCT,
     .offset = 0,
     .inner = filter_section,
     .help = "Which pods are known."},
    {.key = "pod_association",
     .type = HF_FIELD_STRUCT_LIST,
     .offset = OF(k8s_config, associations),
     .inner = association_fields,
     .inner_size = sizeof(struct k8s_association_config),
     .help = "How a resource's pod is found: the first rule whose sources all have a value "
             "decides. Without: by k8s.pod.ip, ip, the sender's address, host.name."},
    {.key = "exclude",
     .type = HF_FIELD_STRUCT,
     .offset = 0,
     .inner = exclude_section,
     .help = "Pods that get no attributes."},
    {.key = "wait_for_metadata",
     .type = HF_FIELD_BOOL,
     .offset = OF(k8s_config, wait_for_metadata),
     .help = "Start only when all objects of the cluster are known."},
    {.key = "wait_for_metadata_timeout",
     .type = HF_FIELD_DURATION,
     .offset = OF(k8s_config, wait_for_metadata_timeout_ns),
     .default_text = "10s",
     .help = "The start fails when that takes longer."},
    {.key = "watch_sync_period",
     .type = HF_FIELD_DURATION,
     .offset = OF(k8s_config, watch_sync_ns),
     .default_text = "5m",
     .help = "Accepted without effect: what is known is changed when the cluster changes."},
    {.key = "pod_delete_grace_period",
     .type = HF_FIELD_DURATION,
     .offset = OF(k8s_config, pod_delete_grace_ns),
     .default_text = "2m",
     .help = "How long a deleted pod stays known."},
    {.key = "kubelet",
     .type = HF_FIELD_STRUCT,
     .offset = OF(k8s_config, asks_kubelet),
     .inner = kubelet_fields,
     .help = "Pods of the kubelet instead of the Kubernetes API."},
    HF_FIELDS_END,
};
