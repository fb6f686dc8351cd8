/*
 * telemetry: `service::telemetry` of a configuration: Holdfast's own logs, metrics and traces.
 * Immutable; lives as long as the configuration.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "util/tls.h"

struct hf_config;

/* Where own telemetry of one signal is sent, by OTLP. */
struct hf_push_config {
    bool is_http;         /* OTLP/HTTP with protobuf; else gRPC */
    const char *endpoint; /* a URL, http or https */
    struct hf_string_map headers;
    struct hf_tls_config tls;
    bool gzip;
    uint64_t timeout_ns;  /* of one request; 0: none of its own */
    uint64_t interval_ns; /* of metrics: between two requests; else how long items wait at most */
    size_t batch_items, queue_items; /* of logs and traces */
};

struct hf_push_list {
    const struct hf_push_config *const *items;
    size_t count;
};

struct hf_telemetry_config {
    enum {
        HF_TELEMETRY_DEBUG = 0,
        HF_TELEMETRY_INFO,
        HF_TELEMETRY_WARN,
        HF_TELEMETRY_ERROR
    } log_level;
    const char *log_encoding; /* "console", "json"; NULL: by the terminal */
    struct hf_string_list log_output_paths;
    struct hf_string_map initial_fields;
    struct hf_string_map resource;                  /* a NULL value takes that attribute away */
    const char *metrics_level;                      /* none, basic, normal, detailed */
    const char *metrics_address;                    /* host:port; NULL: no endpoint */
    bool type_suffix, unit_suffix, constant_labels; /* from the reader's keys */
    struct hf_push_list metrics_push, logs_push, traces_push;
};

const struct hf_telemetry_config *hf_config_telemetry(const struct hf_config *config);
