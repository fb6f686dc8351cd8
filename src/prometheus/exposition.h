/*
 * exposition: reads what a scraped target answers, item by item: Prometheus' text format 0.0.4,
 * OpenMetrics 1.0, and the delimited protobuf messages of MetricFamily with native histograms.
 *
 * An item and its texts are valid until the next one is read, but for texts that point into the
 * body or the arena, which live as long as these do. As in Prometheus, the first mistake ends the
 * reading. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "labels.h"
#include "util/arena.h"

enum hf_expo_format { HF_EXPO_TEXT = 0, HF_EXPO_OPENMETRICS, HF_EXPO_PROTOBUF };

enum hf_expo_type {
    HF_EXPO_UNKNOWN = 0,
    HF_EXPO_COUNTER,
    HF_EXPO_GAUGE,
    HF_EXPO_HISTOGRAM,
    HF_EXPO_GAUGE_HISTOGRAM,
    HF_EXPO_SUMMARY,
    HF_EXPO_INFO,
    HF_EXPO_STATESET
};

enum hf_expo_item {
    HF_EXPO_END = 0,   /* nothing is left */
    HF_EXPO_IS_TYPE,   /* `name`, `type` */
    HF_EXPO_IS_HELP,   /* `name`, `text` */
    HF_EXPO_IS_UNIT,   /* `name`, `text` */
    HF_EXPO_IS_SAMPLE, /* `name`, `labels`, `value`, `time_ms`, `exemplars` */
    HF_EXPO_IS_NATIVE, /* `name`, `labels`, `native`, `time_ms`, `exemplars` */
    HF_EXPO_BAD        /* `error` */
};

#define HF_EXPO_EXEMPLARS_MAX 64u
#define HF_EXPO_EXEMPLAR_LABELS_MAX 32u
#define HF_EXPO_ERROR_MAX 200
#define HF_EXPO_SPANS_MAX 1024u
#define HF_EXPO_BUCKETS_MAX 65536u /* of a native histogram, each sign */

struct hf_expo_exemplar {
    struct hf_prom_label labels[HF_EXPO_EXEMPLAR_LABELS_MAX];
    size_t label_count;
    double value;
    bool has_time;
    int64_t time_ms;
};

/* One side of a native histogram: dense counts from the bucket with that index on. */
struct hf_expo_buckets {
    int32_t first; /* Prometheus' index, of the upper bound */
    const uint64_t *counts;
    size_t count;
};

struct hf_expo_native {
    int32_t schema;
    double zero_threshold, sum;
    uint64_t zero_count, count;
    struct hf_expo_buckets positive, negative;
};

struct hf_expo_reader {
    /* The item that was read last. */
    struct hf_slice name, text;
    enum hf_expo_type type;
    struct hf_prom_labels labels; /* without the name */
    double value;
    bool has_time;
    int64_t time_ms;
    bool has_created; /* a start time that is no sample of its own: protobuf */
    int64_t created_ms;
    struct hf_expo_exemplar exemplars[HF_EXPO_EXEMPLARS_MAX];
    size_t exemplar_count;
    struct hf_expo_native native;
    char error[HF_EXPO_ERROR_MAX];

    /* Protobuf: which forms of a histogram that is native are shown; set after init. */
    bool wants_native, wants_classic;

    /* The reader's own. */
    enum hf_expo_format format;
    const uint8_t *at, *end;
    struct hf_arena *arena;
    bool has_ended;                /* OpenMetrics: behind "# EOF" */
    struct hf_expo_family *family; /* protobuf: the one that is being read; in the arena */
};

/* `arena` is for texts that had to be unescaped, and for protobuf's families. */
void hf_expo_init(struct hf_expo_reader *reader, enum hf_expo_format format, struct hf_slice body,
                  struct hf_arena *arena);
enum hf_expo_item hf_expo_next(struct hf_expo_reader *reader);

/* The format by a Content-Type; false: it is none of the three. */
HF_MUST_USE bool hf_expo_format_of(struct hf_slice content_type, enum hf_expo_format *ret_format);

/* "counter", ... as the Go collector writes it into a metric's metadata. */
const char *hf_expo_type_name(enum hf_expo_type type);

/* A number as Prometheus writes it; false: it is none. */
HF_MUST_USE bool hf_expo_number(struct hf_slice text, double *ret_number);

/* ---- for src/prometheus/exposition*.c ---- */

enum hf_expo_item hf_expo_bad(struct hf_expo_reader *reader, const char *what);
enum hf_expo_item hf_expo_next_family(struct hf_expo_reader *reader);
