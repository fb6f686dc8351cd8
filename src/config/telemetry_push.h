/*
 * telemetry_push: the keys of service::telemetry that send own telemetry on by OTLP: periodic
 * readers of metrics, and processors of logs and traces, in the spellings of the Go collector's
 * versions: `otlp` with a protocol, or otlp_grpc and otlp_http; headers as a map or as a list.
 * Loading thread.
 */
#pragma once

#include "check.h"

/* The bodies of the tables below. */
struct hf_push_otlp_body;
struct hf_push_exporter_body {
    const struct hf_push_otlp_body *otlp, *grpc, *http;
};

struct hf_push_periodic_body {
    int64_t interval_ms, timeout_ms;
    struct hf_push_exporter_body exporter;
};

struct hf_push_batch_body {
    int64_t delay_ms, export_timeout_ms, batch_size, queue_size;
    struct hf_push_exporter_body exporter;
};

struct hf_push_simple_body {
    struct hf_push_exporter_body exporter;
};

struct hf_push_processor_body {
    const struct hf_push_batch_body *batch;
    const struct hf_push_simple_body *simple;
};

/* Of a `periodic` reader, and of an item of `processors`. */
extern const struct hf_field hf_push_periodic_fields[], hf_push_processor_fields[];

/* What such a body, bound by the tables above, asks for. NULL: nothing. Wrong combinations are
 * reported at `place`. Memory of the configuration. */
const struct hf_push_config *hf_push_of_periodic(struct hf_build *build, struct hf_yaml_place place,
                                                 const struct hf_key_path *path,
                                                 const struct hf_push_periodic_body *body);
const struct hf_push_config *hf_push_of_processor(struct hf_build *build,
                                                  struct hf_yaml_place place,
                                                  const struct hf_key_path *path,
                                                  const struct hf_push_processor_body *body);
