/*
 * container_stats: one container as metrics, of what the daemon answers to "inspect" and "stats".
 * The scraper's thread.
 */
#pragma once

#include "container_metrics.h"
#include "json/json.h"

extern const struct hf_metric_row docker_rows[];

struct docker_wanted {
    struct hf_metric_choice metrics[DOCKER_METRIC_COUNT];
    struct hf_resource_choice resources[DOCKER_RESOURCE_COUNT];
    struct hf_string_map labels, variables; /* of the container, to attributes of the resource */
};

#define DOCKER_STATE_COUNT 7u

struct docker_writer {
    const struct docker_wanted *wanted;
    struct hf_builder *builder;
    uint64_t now_ns, begun_ns;          /* Unix time; when the receiver started */
    uint32_t points;                    /* written so far */
    int64_t states[DOCKER_STATE_COUNT]; /* how many containers are in each */
};

/* `container` of /containers/ID/json, `stats` of /containers/ID/stats. */
void docker_container_write(struct docker_writer *writer, const struct hf_json *container,
                            const struct hf_json *stats);

/* After the containers: how many are in each state, as a resource without attributes. */
void docker_states_write(struct docker_writer *writer);

/* The CPUs that a container may use, by its HostConfig; 0: it has no limit, or none that can be
 * read. */
double docker_cpu_limit(const struct hf_json *host_config);
