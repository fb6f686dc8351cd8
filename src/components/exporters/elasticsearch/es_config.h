/*
 * es_config: the configuration of the exporter elasticsearch. Immutable after loading.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>
#include <holdfast/status.h>

#include "support/settings/confighttp.h"

/* The numbers follow es_mode_names. */
enum es_mode { ES_NONE = 0, ES_ECS, ES_OTEL, ES_RAW, ES_BODYMAP, ES_MODE_COUNT };
extern const char *const es_mode_names[];

struct es_switch {
    bool enabled;
};

struct es_config {
    struct hf_http_client_config http;
    struct hf_string_list endpoints;
    const char *cloudid;
    const char *user, *password, *api_key;
    const char *indexes[3]; /* by signal; NULL or "": by data stream */
    struct es_switch dynamic_indexes[3];
    struct es_switch dynamic_id, dynamic_span_id, dynamic_pipeline; /* of logs, spans, logs */
    const char *pipeline;
    struct es_mapping {
        const char *mode;
        struct hf_string_list allowed_modes;
    } mapping;
    struct es_logstash {
        bool enabled;
        const char *prefix_separator, *date_format;
    } logstash;
    struct es_retry {
        struct hf_string_list on_status;
    } retry;
    struct es_flush {
        uint64_t bytes;
    } flush;
    bool document_ids;
};

/* The mode of a name in any case, "" and "no" being none. False: there is no such mode. */
HF_MUST_USE bool es_mode_of(struct hf_slice name, enum es_mode *ret_mode);

extern const struct hf_field es_fields[];

/* Of the component: NULL or a sentence. */
const char *es_check(const void *config);
