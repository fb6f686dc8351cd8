/*
 * os_config: the configuration of the exporter opensearch. Immutable after loading.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "support/settings/confighttp.h"

/* The numbers follow the choices of the key `mode`. */
enum os_mode { OS_SS4O = 0, OS_ECS, OS_FLATTEN, OS_BODYMAP };

struct os_index {
    const char *pattern, *fallback, *time_format; /* NULL or "": none */
};

struct os_config {
    struct os_http {
        struct hf_http_client_config client;
    } http;
    const char *dataset, *namespace;
    struct os_index logs, traces;
    int64_t bulk_action; /* index into "create", "index" */
    const char *pipeline;
    bool document_ids;
    uint64_t request_bytes;
    struct os_mapping {
        int64_t mode;
        const char *timestamp_field;
        bool unix_timestamp, dedot;
    } mapping;
};

extern const char *const os_actions[];
extern const struct hf_field os_fields[];
/* Of the component: NULL or a sentence. */
const char *os_check(const void *config);
