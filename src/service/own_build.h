/*
 * own_build: own telemetry as Export requests: the registry's metrics, lines of the log, spans. No
 * state; any thread.
 */
#pragma once

#include <holdfast/field.h>
#include <holdfast/node.h>

#include "pdata/build.h"
#include "util/metrics/metrics.h"
#include "util/own_spans.h"

/* The attributes of the process, with those of service::telemetry::resource. */
struct hf_own_resource {
    const char *instance;                 /* service.instance.id */
    const struct hf_string_map *resource; /* a NULL value takes an attribute away */
};

/* Opens the resource and a scope in the builder. */
void hf_own_build_head(struct hf_builder *builder, const struct hf_own_resource *resource);

/* All series, as they are now. */
void hf_own_build_metrics(struct hf_builder *builder, struct hf_metrics *metrics,
                          uint64_t start_unix_ns, uint64_t now_unix_ns);

struct hf_own_log_line {
    uint64_t time_unix_ns;
    enum hf_log_level level;
    const char *component, *message;
    const char *fields; /* members of a JSON object without its braces */
};

void hf_own_build_line(struct hf_builder *builder, const struct hf_own_log_line *line);
void hf_own_build_span(struct hf_builder *builder, const struct hf_span_name *name,
                       const struct hf_own_span *span);
