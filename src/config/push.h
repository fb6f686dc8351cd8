/*
 * push: where own telemetry is sent, as service::telemetry says. Immutable once loaded.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/field.h>

#include "util/tls/tls.h"

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
