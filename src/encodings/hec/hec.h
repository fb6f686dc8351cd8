/*
 * hec: bodies of Splunk's HTTP Event Collector as log records and metrics. Any thread; no state.
 *
 * A body of events is JSON objects, one after another or in one list. `host`, `source`,
 * `sourcetype` and `index` become attributes of the resource, `fields` attributes of the record or
 * point. An event with values of metrics in its fields, or with the event "metric", is a metric;
 * any other one is a log record.
 */
#pragma once

#include "pdata/build.h"

#define HF_HEC_ERROR_MAX 256
#define HF_HEC_EVENT_BYTES_MAX ((size_t)16 << 20) /* of one event's text */

/* Splunk's numbers for what is wrong with a request. */
enum hf_hec_code {
    HF_HEC_SUCCESS = 0,
    HF_HEC_NO_DATA = 5,
    HF_HEC_INVALID_FORMAT = 6,
    HF_HEC_EVENT_REQUIRED = 12,
    HF_HEC_EVENT_BLANK = 13,
    HF_HEC_FIELDS = 15,
    /* Not Splunk's: there is no pipeline for it. */
    HF_HEC_NO_METRICS = 100,
    HF_HEC_NO_LOGS = 101,
};

/* The attributes that the metadata of events become. */
struct hf_hec_keys {
    const char *source, *sourcetype, *index, *host;
};

struct hf_hec_options {
    struct hf_hec_keys keys;
    struct hf_slice token; /* an attribute of the resource; empty: none */
    uint64_t now_ns;
};

/* Of a raw body: what its query says; empty: nothing. */
struct hf_hec_raw {
    struct hf_slice source, sourcetype, index, host;
    uint64_t time_ns;
    bool splits_lines;
};

struct hf_hec_fault {
    enum hf_hec_code code;
    size_t event; /* its number, from 0 */
    char text[HF_HEC_ERROR_MAX];
};

/* Appends the events to the builder of their signal; NULL: there is no pipeline for it. HF_INVALID
 * or HF_TOO_LARGE with `reterr`, HF_NOMEM: the builders may have a part of them. */
HF_MUST_USE enum hf_status hf_hec_read(struct hf_slice body, const struct hf_hec_options *options,
                                       struct hf_builder *logs, struct hf_builder *metrics,
                                       struct hf_hec_fault *reterr);

/* Appends a raw body: a record per line, or one. */
void hf_hec_read_raw(struct hf_slice body, const struct hf_hec_raw *raw,
                     const struct hf_hec_options *options, struct hf_builder *logs);

/* A time in seconds, or in milli-, micro- or nanoseconds where it is too large for seconds, as
 * nanoseconds; 0: none, or not one that fits. */
uint64_t hf_hec_time_ns(double time);
