/*
 * objects_config: the keys of k8sobjects. Immutable after loading.
 */
#pragma once

#include "kubernetes/access.h"
#include "support/scrape/filter_list.h"

enum { OBJECTS_PULL = 0, OBJECTS_WATCH }; /* mode */

struct object_config {
    const char *name, *group;
    int64_t mode;
    uint64_t interval_ns, initial_delay_ns;
    const char *label_selector, *field_selector, *resource_version;
    struct hf_string_list namespaces, exclude_watch_type;
    struct hf_struct_list exclude_namespaces; /* of struct hf_filter_list_config */
};

struct objects_config {
    struct hf_kube_config kube; /* first */
    struct hf_struct_list objects;
    int64_t error_mode;
    const char *elector; /* NULL: each process reads */
    bool include_initial_state;
};

/* "ADDED" and others, by enum hf_kube_change; two more in front of NULL never become records. */
extern const char *const objects_changes[];

extern const struct hf_field objects_fields[];
/* NULL, or one sentence that names the key. */
const char *objects_check(const void *config);
