/*
 * config: the keys of the processor.
 */
#pragma once

#include <holdfast/field.h>

#include "kubernetes/access.h"

struct k8s_extract_field {
    const char *tag_name, *key, *key_regex, *from;
};

struct k8s_filter_field {
    const char *key, *value, *op;
};

struct k8s_source_config {
    const char *from, *name;
};

struct k8s_association_config {
    struct hf_struct_list sources;
};

struct k8s_exclude_pod {
    const char *name;
};

struct k8s_config {
    struct hf_kube_config kube; /* first */
    bool passthrough;
    struct {
        struct hf_string_list metadata;
        bool has_metadata;
        struct hf_struct_list labels, annotations; /* struct k8s_extract_field */
        bool otel_annotations, deployment_name_from_replicaset;
    } extract;
    struct {
        const char *node, *node_from_env_var, *namespace_name;
        struct hf_struct_list fields, labels; /* struct k8s_filter_field */
    } filter;
    struct hf_struct_list associations; /* struct k8s_association_config */
    struct {
        struct hf_struct_list pods; /* struct k8s_exclude_pod */
        bool has_pods;
    } exclude;
    bool wait_for_metadata;
    uint64_t wait_for_metadata_timeout_ns;
    uint64_t pod_delete_grace_ns, watch_sync_ns;
    bool asks_kubelet;
};

extern const struct hf_field k8s_fields[];

/* NULL, or one sentence that names the key. */
const char *k8s_config_check(const void *config);
