/*
 * es_metrics: documents of data points. Points of one resource, scope, time and set of attributes
 * are one document, whose fields are the metrics. Owned by the delivery's thread: zeroed at first,
 * es_metrics_release() at last.
 */
#pragma once

#include "es_context.h"
#include "es_points.h"

struct es_grouped_point {
    struct es_point point;
    uint32_t item, next; /* `next`: of the same document, plus 1; 0: the last */
};

struct es_group {
    uint64_t hash;
    size_t key_at, key_size;     /* in `keys` */
    size_t index_at, index_size; /* likewise: of the route */
    uint32_t first, last;        /* points, plus 1 */
    struct hf_slice resource, resource_url, scope, scope_url;
    enum es_mode mode;
    bool is_stream;
    size_t parts_at; /* in `keys`: type, dataset and namespace, each with a NUL */
};

struct es_metrics {
    struct es_grouped_point *points;
    size_t point_count, point_capacity;
    struct es_group *groups;
    size_t group_count, group_capacity;
    uint32_t *table; /* of hashes: number of the group, plus 1 */
    size_t table_size;
    struct hf_bytes keys, scope_key; /* `scope_key`: of the current resource and scope */
    struct hf_slice *slices;         /* to be sorted */
    size_t slice_count, slice_capacity;
    struct hf_bytes templates;
};

void es_metrics_begin(struct es_metrics *metrics);
/* Another resource or scope than that of the point before. */
void es_metrics_begin_scope(struct es_metrics *metrics, struct es_context *context);
/* Puts the current point of the walk into a group. */
void es_metrics_add(struct es_metrics *metrics, struct es_context *context, struct hf_slice point);
/* Writes the documents of all groups. */
void es_metrics_write(struct es_metrics *metrics, struct es_context *context);
void es_metrics_release(struct es_metrics *metrics);
