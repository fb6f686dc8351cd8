/*
 * metrics_internal: the registry's own structures, for its files only: metrics.c, which registers
 * and prints, and metrics_walk.c.
 */
#pragma once

#include <pthread.h>

#include "metrics.h"

#define HF_METRIC_BOUNDS_MAX 64u

struct hf_histogram {
    size_t bound_count;
    uint64_t *bounds;          /* in stored units */
    _Atomic uint64_t *buckets; /* bound_count + 1, each its own values only */
    _Atomic uint64_t sum;
};

/* A series with its place in the list of its family; the list is sorted by labels. */
struct entry {
    struct entry *next;
    char *labels;   /* as printed between the braces */
    bool is_in_use; /* asked for since the last sweep */
    struct hf_series series;
    struct hf_histogram histogram;
};

struct family {
    struct family *next;
    char *name, *unit, *help;
    enum hf_metric_type type;
    double scale;
    double bounds[HF_METRIC_BOUNDS_MAX];
    size_t bound_count;
    bool is_swept;
    struct entry *entries;
};

struct refresh {
    hf_metrics_refresh *call;
    void *user;
};

struct hf_metrics {
    pthread_mutex_t lock; /* of the families and entries, not of their values */
    struct family *families;
    /* Held while refreshes run, so that one that was taken off is over. They may register series.
     */
    pthread_mutex_t refresh_lock;
    struct refresh *refreshes;
    size_t refresh_count;
    pthread_mutex_t shown_lock; /* of what is borrowed below */
    const char *shown_at;
    const struct hf_metrics_style *shown_style;
};

/* Calls what sets gauges from elsewhere. */
void hf_metrics_refresh_all(struct hf_metrics *metrics);
