/*
 * es_points: the value of a data point as documents have it. Any thread; no state.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/slice.h>

#include "pdata/json_write.h"

struct es_point {
    struct hf_slice metric, data, bytes; /* Metric; its Gauge, Sum, ...; the data point */
    uint32_t kind;                       /* field number of the data in the metric */
    bool wants_aggregate, wants_count;   /* hints: sum and count only; a count of documents */
};

uint64_t es_point_time(const struct es_point *point);
uint64_t es_point_start(const struct es_point *point);
/* Of events that the point stands for. */
uint64_t es_point_count(const struct es_point *point);

/* NULL: it has a form; else a sentence why not. */
const char *es_point_check(const struct es_point *point);
/* The value; the point has passed the check. */
void es_point_write(const struct es_point *point, struct hf_json_writer *writer);
/* The dynamic template that gives the field its mapping. */
const char *es_point_template(const struct es_point *point);
