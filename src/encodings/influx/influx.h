/*
 * influx: lines of InfluxDB's line protocol as OTLP metrics. Any thread; no state.
 *
 * Which schema a line has is told by its measurement and fields, as the Go collector's receiver
 * does: Telegraf's Prometheus schema 1 (the measurement is the metric; fields gauge, counter, or
 * sum, count and bounds) and 2 (measurement `prometheus`, the fields are the metrics, tags le and
 * quantile); of all others each field is a gauge MEASUREMENT_FIELD. Tags with names of the semantic
 * conventions of resources become the resource, otel.library.name and .version the scope, all
 * others attributes. Lines of one histogram or summary and time are put together.
 */
#pragma once

#include "pdata/build.h"

#define HF_INFLUX_ERROR_MAX 256

struct hf_influx_options {
    uint64_t unit_ns; /* of the lines' times */
    uint64_t now_ns;  /* of lines without one */
};

struct hf_influx_result {
    size_t refused;                /* lines */
    size_t ignored;                /* fields of texts and truth values, which metrics do not have */
    char why[HF_INFLUX_ERROR_MAX]; /* of the first refused line */
};

/*
 * Appends the points; a line that is wrong costs no other. HF_TOO_LARGE, with a sentence in
 * `reterr` (HF_INFLUX_ERROR_MAX): what becomes of it does not fit the builder's limit, or there are
 * too many fields for the size; the builder may have a part of it. HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_influx_read(struct hf_slice body,
                                          const struct hf_influx_options *options,
                                          struct hf_builder *builder,
                                          struct hf_influx_result *ret_result, char *reterr);

/* The unit that a request's `precision` names; false: it names none. "": nanoseconds. */
HF_MUST_USE bool hf_influx_unit(const char *precision, uint64_t *ret_ns);
