/*
 * source: what one scraper of this receiver is: cpu, disk, ... Each has a file of its own, and one
 * row in hostmetrics.c.
 *
 * Its configuration begins with `struct hf_metric_choice metrics[]`, one for each metric of its
 * table, and fits HOST_CONFIG_ROOM; its keys are host_NAME_fields. open and close run on the main
 * thread, the scrape on the scraper's.
 */
#pragma once

#include <holdfast/component.h>

#include "host.h"
#include "metric.h"

struct host_source {
    const char *name;
    const struct hf_metric_row *metrics;
    size_t metric_count;
    uint64_t joined;    /* as in struct hf_metric_set */
    bool has_resources; /* it opens resources and scopes itself */
    struct hf_resource_choices (*resources)(const void *config); /* then: which; they stay */
    const char *(*check)(const void *config);
    /* NULL: its `self` is its configuration. On failure nothing is left allocated. */
    enum hf_status (*open)(const void *config, struct host *host, void **ret_self, char *reterr);
    void (*scrape)(void *self, struct host_run *run);
    void (*close)(void *self);
};

#define HOST_SCHEMA_URL "https://opentelemetry.io/schemas/1.9.0"
#define HOST_SCOPE_NAME                                                                            \
    "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/hostmetricsreceiver/"      \
    "internal/scraper/"

#define HOST_CONFIG_ROOM 2048u
#define HOST_CHECK_ROOM(type) _Static_assert(sizeof(type) <= HOST_CONFIG_ROOM, "room of its keys")

extern const struct hf_field host_cpu_fields[], host_disk_fields[], host_filesystem_fields[],
    host_load_fields[], host_memory_fields[], host_network_fields[], host_nfs_fields[],
    host_paging_fields[], host_process_fields[], host_processes_fields[], host_system_fields[];

extern const struct host_source host_cpu, host_disk, host_filesystem, host_load, host_memory,
    host_network, host_nfs, host_paging, host_process, host_processes, host_system;
