/*
 * statsd: one line of the StatsD protocol, with DogStatsD's tags, container id and timestamp:
 * `name:value|type|@rate|#key:value,key|c:ID|T1700000000`. Texts point into the line. Any thread;
 * no state.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#define HF_STATSD_TAGS_MAX 128u

enum hf_statsd_type {
    HF_STATSD_COUNTER = 0, /* c */
    HF_STATSD_GAUGE,       /* g */
    HF_STATSD_HISTOGRAM,   /* h */
    HF_STATSD_TIMING,      /* ms */
    HF_STATSD_DISTRIBUTION /* d */
};

/* "counter", "gauge", "histogram", "timing", "distribution". */
const char *hf_statsd_type_name(enum hf_statsd_type type);

struct hf_statsd_tag {
    struct hf_slice key, value; /* the value may be empty */
};

struct hf_statsd_line {
    struct hf_slice name;
    enum hf_statsd_type type;
    double value;     /* finite */
    bool is_change;   /* it was written with a sign: a gauge is changed by it */
    double rate;      /* as written; 0: none */
    uint64_t time_ns; /* 0: none */
    struct hf_statsd_tag tags[HF_STATSD_TAGS_MAX]; /* in the order of the line; the container id is
                                                      container.id */
    size_t tag_count;
};

/* NULL, or what is wrong, in a few words. `simple_tags`: a tag may have no value. */
const char *hf_statsd_read(struct hf_slice text, bool simple_tags, struct hf_statsd_line *ret_line);
