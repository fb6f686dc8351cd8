/*
 * telemetry: `service::telemetry` of a configuration: Holdfast's own logs, metrics and traces.
 * Immutable; lives as long as the configuration.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "push.h"

struct hf_config;

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
