/*
 * summary: the kubelet's /stats/summary as metrics. The scraper's thread.
 */
#pragma once

#include <stdarg.h>

#include "cpu_usage.h"
#include "pods.h"
#include "stats_metrics.h"
#include "json/json.h"

enum { KUBELET_CONTAINER = 1, KUBELET_POD = 2, KUBELET_NODE = 4, KUBELET_VOLUME = 8 };

extern const struct hf_metric_row kubelet_rows[];

/* What is wanted; part of the configuration. */
struct kubelet_wanted {
    struct hf_metric_choice metrics[KUBELET_METRIC_COUNT];
    struct hf_resource_choice resources[KUBELET_RESOURCE_COUNT];
};

struct kubelet_summary {
    const struct kubelet_wanted *wanted;
    unsigned groups; /* KUBELET_... */
    bool has_container_ids, has_volume_types;
    bool all_node_interfaces, all_pod_interfaces;
    struct hf_builder *builder;
    uint64_t now_ns, begun_ns;     /* Unix time; when the receiver started */
    const struct hf_json *pods;    /* of /pods; NULL: not asked for */
    double node_cpus, node_memory; /* capacity; 0: not known */
    struct hf_between *cpu_usage;
    /*
     * The spec of the persistent volume behind a claim. False: it could not be found out, as was
     * logged. `*ret_spec` NULL: it was not asked for.
     */
    bool (*claim)(void *user, struct hf_slice space, struct hf_slice name,
                  const struct hf_json **ret_spec);
    /* A container or volume is left out. */
    void (*left_out)(void *user, const char *sentence);
    void *user;
    uint32_t points; /* written so far */
    struct hf_build_point point;
};

/* Writes all of it. False: it is no summary. */
HF_MUST_USE bool kubelet_summary_write(struct kubelet_summary *summary, const struct hf_json *json);
