/*
 * emf_groups: the data points of a request, grouped into what becomes one log event each: those of
 * one time, one place and the same labels. Owned by the delivery's thread; all of it lives in the
 * arena until the next request.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "util/arena.h"
#include "util/hash.h"

struct emf_label {
    struct hf_slice key, value;
};

struct emf_labels {
    struct emf_label *items; /* sorted by key, each once */
    size_t count;
};

enum emf_kind {
    EMF_NUMBER = 0, /* number */
    EMF_COUNT,      /* count */
    EMF_STATISTICS, /* max, min, count, sum */
    EMF_HISTOGRAM   /* these, and values with their counts */
};

struct emf_data {
    enum emf_kind kind;
    double number, max, min, sum;
    uint64_t count;
    double *values, *counts;
    size_t value_count;
};

struct emf_metric {
    struct hf_slice name, unit;
    struct emf_data data;
    struct emf_metric *next;
};

struct emf_place {
    struct hf_slice namespace, group, stream;
    int64_t time_ms;
    uint32_t metric_kind; /* the field of Metric */
    bool is_prometheus;
};

struct emf_item {
    uint32_t item;
    struct emf_item *next;
};

struct emf_group {
    struct hf_hash key;
    struct emf_labels labels;
    struct emf_place place;
    struct emf_metric *metrics, *last;
    size_t metric_count;
    struct emf_item *items;
    uint32_t copies; /* further groups with the same key, for metrics that come again */
};

struct emf_groups {
    struct hf_arena *arena;
    struct emf_group **list; /* in the order of their making */
    size_t count, capacity;
    uint32_t *table; /* places in `list`, one added; 0: free */
    size_t table_size;
};

/* Drops what is there. */
void emf_groups_reset(struct emf_groups *groups);
void emf_groups_release(struct emf_groups *groups);

struct emf_addition {
    const struct emf_place *place;
    struct emf_labels labels;
    uint32_t part; /* of a point that is several; they do not go together */
    struct hf_slice name, unit;
    struct emf_data data;
    uint32_t item;
};

/* A metric that its group has already goes into another group. HF_NOMEM: also the arena's limit. */
HF_MUST_USE enum hf_status emf_groups_add(struct emf_groups *groups,
                                          const struct emf_addition *addition);

/* The label of that key; NULL: none. */
const struct emf_label *emf_labels_find(const struct emf_labels *labels, struct hf_slice key);
/* Sorts, and keeps the last of a key. */
void emf_labels_settle(struct emf_labels *labels);
struct hf_hash emf_labels_hash(const struct emf_labels *labels);
int emf_compare_slices(struct hf_slice a, struct hf_slice b);
