/*
 * ch_config: the configuration of the exporter clickhouse. Immutable; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "util/tls/tls.h"

/* The kinds of metrics, each of which has a table. */
enum ch_metric { CH_GAUGE = 0, CH_SUM, CH_HISTOGRAM, CH_EXPONENTIAL, CH_SUMMARY, CH_METRIC_COUNT };

struct ch_engine {
    const char *name, *params;
};

struct ch_table {
    const char *name; /* NULL: by metrics_table_name */
};

struct ch_config {
    const char *endpoint, *username, *password, *database;
    struct ch_engine database_engine, table_engine;
    struct hf_tls_config tls;
    struct hf_string_map connection_params;
    const char *logs_table, *traces_table, *metrics_table;
    struct ch_metric_tables {
        struct ch_table tables[CH_METRIC_COUNT];
    } metrics;
    uint64_t ttl_ns;
    int64_t ttl_days;
    const char *cluster_name, *compress;
    bool create_schema, async_insert, json;
};

extern const struct hf_field ch_fields[];
const char *ch_check(const void *config);
