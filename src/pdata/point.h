/*
 * point: a data point's values as a plain struct, for what calculates with them and keeps them:
 * numbers, histograms, exponential histograms. Attributes and exemplars are not part of it.
 *
 * Lists are in an arena, or the reader's. Written it is an OTLP data point of its kind without
 * attributes, so that it can be stored and read again. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "message.h"
#include "util/arena.h"
#include "wire.h"

/* Of a summary: its count and sum alone. */
enum hf_point_kind {
    HF_POINT_NUMBER = 0,
    HF_POINT_HISTOGRAM,
    HF_POINT_EXPONENTIAL,
    HF_POINT_SUMMARY
};

struct hf_point_buckets {
    int32_t offset;
    uint64_t *counts;
    size_t count;
};

struct hf_point {
    enum hf_point_kind kind;
    uint64_t start_ns, time_ns;
    uint32_t flags;
    bool is_double, has_number; /* NUMBER */
    int64_t integer;
    double number;
    uint64_t count; /* the others */
    bool has_sum, has_min, has_max;
    double sum, min, max;
    uint64_t *counts; /* HISTOGRAM */
    double *bounds;
    size_t count_count, bound_count;
    int32_t scale; /* EXPONENTIAL */
    uint64_t zero_count;
    double zero_threshold;
    struct hf_point_buckets positive, negative;
};

/* The kind of the points of a Sum, Gauge, ...; false: of a Summary, or none. */
HF_MUST_USE bool hf_point_kind_of(const struct hf_message *data, enum hf_point_kind *ret_kind);

/* Reads the bytes of a data point. HF_NOMEM; HF_CORRUPT: they are malformed. */
HF_MUST_USE enum hf_status hf_point_read(struct hf_slice bytes, enum hf_point_kind kind,
                                         struct hf_arena *arena, struct hf_point *ret_point);

/* Appends the fields of the point. */
void hf_point_write(const struct hf_point *point, struct hf_wire_writer *writer);

/* Sets the fields of a data point of that kind, but for its attributes and exemplars. */
void hf_point_set(const struct hf_point *point, struct hf_message *message);

/* Copies the lists to an arena. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_point_own(struct hf_point *point, struct hf_arena *arena);
