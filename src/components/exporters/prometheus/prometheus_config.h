/*
 * prometheus_config: the configuration of the exporter.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "support/items/resource_conversion.h"

struct hf_tls_config;
struct hf_cors_config;

struct prometheus_config {
    const char *endpoint, *name_space;
    struct hf_string_map const_labels, response_headers;
    bool send_timestamps, enable_open_metrics, add_metric_suffixes, without_scope_info;
    uint64_t metric_expiration_ns;
    struct hf_resource_conversion conversion, constant; /* at most one is on */
    int64_t translation_strategy;
    bool translation_strategy_written;
    int64_t max_series;
    const struct hf_tls_config *tls;
    const struct hf_cors_config *cors;
    const struct prometheus_auth_config {
        const char *authenticator;
    } * auth;
};

extern const struct hf_field prometheus_fields[];
const char *prometheus_check_config(const void *config);
