/*
 * metric_points: the points of a scrape, collected in any order and written metric by metric, for
 * receivers whose source does not come in the order of their metric_table.
 *
 * Points are kept in an arena with a limit until hf_points_write() puts those of one resource
 * behind the builder's open scope. A metric that is not enabled takes none. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "metric_table.h"
#include "util/arena.h"

#define HF_POINTS_ATTRIBUTES_MAX 8u

struct hf_points_attribute {
    const char *key; /* stays as long as the points */
    struct hf_slice text;
    bool is_integer;
    int64_t integer;
};

struct hf_points_list;

/* The struct's own; read with the functions. */
struct hf_points {
    struct hf_metric_set metrics;
    struct hf_points_list *lists; /* of each metric */
    struct hf_arena arena;
    bool failed;
};

/* The set is copied. HF_NOMEM. */
HF_MUST_USE enum hf_status hf_points_init(struct hf_points *points,
                                          const struct hf_metric_set *metrics);
/* A zeroed struct is nothing. */
void hf_points_release(struct hf_points *points);

/* A point of the metric `id`; the texts are copied. At most HF_POINTS_ATTRIBUTES_MAX attributes. */
void hf_points_int(struct hf_points *points, unsigned id, int64_t value,
                   const struct hf_points_attribute *attributes, size_t count);
void hf_points_double(struct hf_points *points, unsigned id, double value,
                      const struct hf_points_attribute *attributes, size_t count);

/* A column of an answer in rows that is one point of a metric. */
struct hf_points_column {
    unsigned id;
    const char *key, *value; /* its attribute; NULL: none */
    bool is_double;
};

/* The text as such a point, with `count` more attributes. What is no number is left out. */
void hf_points_column(struct hf_points *points, const struct hf_points_column *column,
                      struct hf_slice text, const struct hf_points_attribute *more, size_t count);

/* Forgets the points. */
void hf_points_clear(struct hf_points *points);

/* Writes the points into the open scope and forgets them; how many. `ret_failed`: points are
 * missing, because they needed more memory than there is or than the limit of 64 MiB. */
uint32_t hf_points_write(struct hf_points *points, struct hf_builder *builder, uint64_t start_ns,
                         uint64_t now_ns, bool *ret_failed);

/* ---- numbers of answers in text ---- */

/* A decimal number and nothing else; false otherwise, and when it does not fit. */
HF_MUST_USE bool hf_read_int(struct hf_slice text, int64_t *ret_number);
/* Finite, as strtod() reads it. */
HF_MUST_USE bool hf_read_double(struct hf_slice text, double *ret_number);
