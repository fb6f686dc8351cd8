/*
 * remote_internal: a request of remote write while it is read. For src/prometheus/remote_*.c only.
 * All of it lives in the arena of the request.
 */
#pragma once

#include "exposition.h"
#include "labels.h"
#include "remote_write.h"
#include "table.h"

/* Fields of both versions, where they agree. */
enum { SERIES_LABELS = 1, SERIES_SAMPLES = 2 };
enum { SAMPLE_VALUE = 1, SAMPLE_TIME = 2, SAMPLE_START = 3 };
enum { EXEMPLAR_LABELS = 1, EXEMPLAR_VALUE = 2, EXEMPLAR_TIME = 3 };
enum { HISTOGRAM_SUM = 3, HISTOGRAM_SCHEMA = 4, HISTOGRAM_RESET = 14, HISTOGRAM_TIME = 15 };

enum { SERIES_METADATA = 5 };           /* version 2 */
enum { KEPT_NAME = 1, KEPT_VALUE = 2 }; /* a label that is remembered */

#define REMOTE_ARENA_LEAST ((size_t)1 << 20)
#define REMOTE_CUSTOM_SCHEMA (-53) /* buckets with bounds of their own */

/* What a metric holds; a series of native histograms may need two. */
enum remote_kind { REMOTE_NUMBER = 0, REMOTE_EXPONENTIAL, REMOTE_EXPLICIT, REMOTE_KINDS };

/* One TimeSeries. */
struct remote_piece {
    struct remote_piece *next;
    struct hf_slice wire;
};

/* All TimeSeries of the same labels. */
struct remote_series {
    struct remote_piece *pieces, *last_piece;
    bool has[REMOTE_KINDS]; /* is in a metric of that kind */
};

struct remote_node {
    struct remote_node *next;
    struct remote_series *series;
};

struct remote_about {
    enum hf_expo_type type;
    struct hf_slice help, unit;
};

struct remote_metric {
    struct remote_metric *next;
    struct hf_slice name;
    enum remote_kind kind;
    struct remote_about about;
    struct remote_node *nodes, *last_node;
};

struct remote_scope {
    struct remote_scope *next;
    uint64_t hash;
    struct hf_prom_label *labels; /* otel_scope_..., with the prefix */
    size_t label_count;
    struct remote_metric *metrics, *last_metric;
};

struct remote_resource {
    struct remote_resource *next;
    struct hf_slice job, instance, info; /* `info`: labels as remote_memory keeps them */
    struct remote_scope *scopes;
};

struct remote_work {
    const struct hf_prom_remote_options *options;
    struct hf_builder *builder;
    struct hf_prom_remote_result *result;
    struct hf_arena arena, scratch; /* of the request, of one point */
    struct hf_prom_table table;     /* resources, scopes, metrics, series */
    struct hf_slice *symbols;       /* version 2 */
    size_t symbol_count;
    struct remote_resource *resources, *last_resource;
    struct hf_prom_labels labels; /* of the series that is looked at */
    char *reterr;
};

/* The numbers of fields that the versions do not share. */
struct remote_numbers {
    uint32_t series, exemplars, histograms;
};

static inline struct remote_numbers remote_numbers(const struct remote_work *work)
{
    return work->options->is_2 ? (struct remote_numbers){5, 4, 3}
                               : (struct remote_numbers){1, 3, 4};
}

/* ---- remote_work.c ---- */

/* A sentence for `work->reterr`; HF_INVALID. */
enum hf_status remote_invalid(struct remote_work *work, const char *why);
/* Counts something that is not written; `name` of its metric. */
void remote_refuse(struct remote_work *work, struct hf_slice name, const char *what);
/* Zeroed memory of the request. NULL: remote_no_room() tells why, as HF_NOMEM or HF_TOO_LARGE. */
void *remote_take(struct remote_work *work, size_t size);
enum hf_status remote_no_room(struct remote_work *work);
bool remote_is_scope_label(struct hf_slice name);
bool remote_is_attribute(struct hf_slice name);
/* Reads labels of a series or an exemplar into `work->labels`: NULL, or what is wrong. */
const char *remote_read_labels(struct remote_work *work, struct hf_slice message, uint32_t number);

/* ---- remote_about.c ---- */

uint64_t remote_target_key(struct hf_slice job, struct hf_slice instance);
/* `work->labels` are those of target_info. */
HF_MUST_USE enum hf_status remote_keep_info(struct remote_work *work,
                                            struct remote_resource *resource);
/* Version 1: metadata of a family. */
HF_MUST_USE enum hf_status remote_keep_family(struct remote_work *work, struct hf_slice family);
HF_MUST_USE enum hf_status remote_about_1(struct remote_work *work, struct hf_slice name,
                                          struct remote_about *ret_about);
/* NULL, or what is wrong. */
const char *remote_about_2(const struct remote_work *work, struct hf_slice series,
                           struct remote_about *ret_about);

/* ---- remote_tree.c: what `work->labels` belong to ---- */

struct remote_key {
    struct remote_scope *scope;
    struct hf_slice name;
    enum remote_kind kind;
    struct remote_about about;
};

HF_MUST_USE enum hf_status remote_find_resource(struct remote_work *work,
                                                struct remote_resource **ret);
HF_MUST_USE enum hf_status remote_find_scope(struct remote_work *work,
                                             struct remote_resource *resource,
                                             struct remote_scope **ret);
HF_MUST_USE enum hf_status remote_add_piece(struct remote_work *work,
                                            const struct remote_resource *resource,
                                            struct hf_slice wire, struct remote_series **ret);
/* Puts the series into the metric, if it is not there. */
HF_MUST_USE enum hf_status remote_add_node(struct remote_work *work, const struct remote_key *key,
                                           struct remote_series *series);

/* ---- remote_points.c ---- */
/* What of a native histogram this makes: REMOTE_KINDS: nothing, and `*ret_why` says why. */
enum remote_kind remote_kind_of(struct hf_slice histogram, const char **ret_why);

/* Writes the metric's points. HF_TOO_LARGE, HF_NOMEM. */
HF_MUST_USE enum hf_status remote_write_points(struct remote_work *work,
                                               const struct remote_metric *metric);
