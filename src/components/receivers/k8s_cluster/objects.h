/*
 * objects: what the objects of each kind say of themselves: JSON into records.
 */
#pragma once

#include <holdfast/field.h>

#include "record.h"
#include "json/json.h"

/* What the configuration wants of nodes; the metrics of these names follow those of the table:
 * first the conditions, then the allocatable resources. */
struct cluster_wanted {
    struct hf_string_list conditions, allocatables;
};

struct cluster_kind {
    void (*describe)(struct record *record, const struct cluster_wanted *wanted,
                     const struct hf_json *object);
    const char *root;   /* "/apis/apps/v1" */
    const char *name;   /* "deployments" */
    bool is_of_cluster; /* in no namespace */
    bool is_of_openshift;
    bool is_of_services; /* endpoints, which are written with their service */
    /* It is read for them alone, when one of them is wanted; NULL: always. */
    const unsigned *metrics;
    size_t metric_count;
};

#define CLUSTER_KIND_COUNT 17u
extern const struct cluster_kind cluster_kinds[CLUSTER_KIND_COUNT];

/* "DiskPressure", "ephemeral-storage" as a part of a metric's name: "disk_pressure",
 * "ephemeral_storage"; cut when there is no room. */
void cluster_snake(const char *text, char *ret_text, size_t room);
/* "registry:5000/team/app:1.2@sha256:...": "registry:5000/team/app" and "1.2". */
void cluster_image(struct hf_slice image, struct hf_slice *ret_name, struct hf_slice *ret_tag);
/* "containerd://0a1b": "0a1b". */
struct hf_slice cluster_container_id(struct hf_slice id);
