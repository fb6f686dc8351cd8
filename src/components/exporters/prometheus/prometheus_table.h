/*
 * prometheus_table: the last value of each series, by metric family. Labels are kept as they are
 * printed, sorted and escaped, and are the key of a series in its family. Not locked: its owner's
 * lock guards it (prometheus.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "prometheus/names.h"
#include "prometheus_index.h"
#include "util/hash.h"

struct prometheus_exemplar {
    double value;
    uint64_t time_ns;
    uint8_t trace_id[16], span_id[8];
    bool has_trace, has_span;
};

/* A bucket (its upper bound, its own count) or a quantile. */
struct prometheus_pair {
    double at;
    union {
        double value;
        uint64_t count;
    };
};

struct prometheus_value {
    bool is_integer;
    int64_t integer;
    double number;  /* gauge, counter */
    uint64_t count; /* histogram, summary */
    double sum;
    uint64_t start_ns, time_ns;
    struct prometheus_pair *pairs; /* histogram, summary: ascending */
    size_t pair_count;
    struct prometheus_exemplar *exemplars; /* NULL, or one for each bucket, or one of a counter */
};

struct prometheus_series {
    struct prometheus_family *family;
    uint64_t hash;
    struct hf_hash source; /* prometheus_table_know() */
    size_t place;          /* in the family */
    uint64_t updated_ns;   /* Unix time */
    struct prometheus_value value;
    char *extra; /* more labels, which are not in the key; NULL: none */
    uint32_t labels_size;
    bool is_quoted; /* a label's name is in quotes */
    bool has_source;
    char labels[];
};

struct prometheus_family {
    struct hf_slice name; /* follow the struct */
    char *help;
    enum hf_prom_kind kind;
    bool is_classic; /* the name needs no quotes */
    bool is_info;    /* target_info: without the constant labels */
    bool is_sorted;
    struct prometheus_series **series;
    size_t count, capacity;
};

struct prometheus_table {
    struct prometheus_family **families; /* by name */
    size_t family_count, family_capacity;
    struct prometheus_index by_labels, by_source;
    size_t series_max;
    uint64_t refused; /* points of series over the limit */
};

void prometheus_table_init(struct prometheus_table *table, size_t series_max);

/* The family of that name, made if need be. HF_EXISTS: it is there with another kind. HF_NOMEM. */
HF_MUST_USE enum hf_status prometheus_table_family(struct prometheus_table *table,
                                                   struct hf_slice name, enum hf_prom_kind kind,
                                                   struct hf_slice help,
                                                   struct prometheus_family **ret_family);

/* NULL: none. */
struct prometheus_series *prometheus_table_find(const struct prometheus_table *table,
                                                const struct prometheus_family *family,
                                                struct hf_slice labels);
/* The series, made if need be: its `updated_ns` is 0 then. HF_FULL: there are too many. HF_NOMEM.
 */
HF_MUST_USE enum hf_status prometheus_table_series(struct prometheus_table *table,
                                                   struct prometheus_family *family,
                                                   struct hf_slice labels,
                                                   struct prometheus_series **ret_series);
/*
 * The series whose labels were made of what has that hash; NULL: not known. It is said by
 * prometheus_table_know(), for the last of them that a series has come from: labels need not be
 * made again then.
 */
struct prometheus_series *prometheus_table_known(const struct prometheus_table *table,
                                                 struct hf_hash source);
void prometheus_table_know(struct prometheus_table *table, struct prometheus_series *series,
                           struct hf_hash source);
void prometheus_table_remove(struct prometheus_table *table, struct prometheus_series *series);

/* Where the family of that name stands, or would stand. */
size_t prometheus_table_place(const struct prometheus_table *table, struct hf_slice name);
/* Sorts the family's series by their labels, unless they are. */
void prometheus_family_sort(struct prometheus_family *family);
/* In a sorted family: the place of the first series whose labels are behind those. */
size_t prometheus_family_behind(const struct prometheus_family *family, struct hf_slice labels);

/* Removes the series that were last updated before. */
void prometheus_table_expire(struct prometheus_table *table, uint64_t before_ns);
void prometheus_table_clear(struct prometheus_table *table);

/* Takes over the pairs and exemplars of `value`; those of the series are freed. */
void prometheus_series_put(struct prometheus_series *series, struct prometheus_value *value);

/*
 * Adds a delta to what is there: a delta that starts where the last one ended. Otherwise it
 * replaces the value. A delta that ends no later than the last one is in it already, and is
 * ignored. Takes over `value` as above.
 */
void prometheus_series_add(struct prometheus_series *series, struct prometheus_value *value);
