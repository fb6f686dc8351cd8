/*
 * influx_parts: points of lines before they are put together. For src/encodings/influx only. All
 * of it lives in the arena of the request.
 */
#pragma once

#include "influx.h"
#include "influx_line.h"

/* A number of a metric, or a part of a histogram or summary. */
enum influx_part {
    INFLUX_GAUGE = 0,
    INFLUX_SUM,
    INFLUX_BOUND, /* of a bucket or a quantile, which schema 1 does not tell */
    INFLUX_BUCKET,
    INFLUX_QUANTILE,
    INFLUX_PART_COUNT,
    INFLUX_PART_SUM,
    INFLUX_PART_MIN,
    INFLUX_PART_MAX
};

/* The tags of one line, sorted into what they become. */
struct influx_tags {
    const struct hf_influx_tag *resource, *attributes;
    size_t resource_count, attribute_count;
    struct hf_slice scope_name, scope_version;
    uint64_t resource_hash, scope_hash, attribute_hash;
    bool is_delta;
};

struct influx_point {
    const struct influx_tags *tags;
    struct hf_slice name;
    uint64_t metric_hash; /* of the name, what kind of metric it is, and its temporality */
    uint64_t time_ns, start_ns;
    uint32_t order;
    enum influx_part part;
    bool is_integer;
    int64_t integer;
    double number, bound;
};

struct influx_work {
    const struct hf_influx_options *options;
    struct hf_builder *builder;
    struct hf_influx_result *result;
    struct hf_arena arena;
    struct hf_influx_line *line;
    struct influx_point *points;
    size_t point_count, point_capacity;
    char *reterr;
};

/* influx_resource.c */
bool hf_influx_is_resource(struct hf_slice key);

/* influx_schema.c: appends the points of `work->line`. NULL, or why the line is wrong; HF_NOMEM and
 * HF_TOO_LARGE in `*ret_status`. */
const char *influx_add_line(struct influx_work *work, enum hf_status *ret_status);

/* influx_write.c: writes all points. HF_TOO_LARGE, HF_NOMEM. */
HF_MUST_USE enum hf_status influx_write_points(struct influx_work *work);
