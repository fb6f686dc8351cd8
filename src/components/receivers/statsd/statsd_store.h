/*
 * statsd_store: what the lines of an interval add up to, by sender, name, type and tags. Everything
 * is in one arena that is reset when an interval has been handed over. Owned by the reader's
 * thread.
 */
#pragma once

#include "pdata/build_metrics.h"
#include "statsd_config.h"
#include "support/items/distribution.h"
#include "support/state/state_file.h"
#include "util/arena.h"
#include "util/hash.h"

#define STATSD_SENDER_MAX 128u
#define STATSD_SENDER_BUCKETS 4096u
#define STATSD_BYTES_MAX ((size_t)256 << 20)
#define STATSD_STATE_MAGIC "HFSTATD1"

enum statsd_shape {
    STATSD_SUM = 0,
    STATSD_LAST,   /* a gauge */
    STATSD_POINTS, /* each value is a point of a gauge */
    STATSD_SUMMARY,
    STATSD_EXPLICIT,
    STATSD_EXPONENTIAL,
    STATSD_SHAPES
};

struct statsd_value {
    double value, weight;
    uint64_t time_ns;
};

/* Values one by one; in the order in which they came. */
struct statsd_values {
    struct statsd_values *next;
    uint32_t count;
    struct statsd_value items[31];
};

struct statsd_sender {
    struct statsd_sender *next, *bucket;
    char text[STATSD_SENDER_MAX]; /* its address; empty: all senders */
    struct hf_hash hash;
    struct statsd_series *first, **end;
};

struct statsd_series {
    struct statsd_series *next, *bucket;
    struct hf_hash key;
    enum statsd_shape shape;
    enum hf_statsd_type type;
    struct hf_slice name;
    struct hf_slice tags; /* pairs as the store writes them, sorted, without repeats */
    uint64_t time_ns;     /* of a gauge; of a counter with a timestamp of its own, or 0 */
    int64_t integer;      /* a counter */
    double number;        /* a gauge, a counter that is a float */
    bool is_float;
    uint64_t count; /* of values, but for summaries: weighted */
    double weight, sum, min, max;
    struct statsd_values *first_values, *last_values;
    size_t value_count;
    const double *bounds;
    size_t bound_count;
    uint64_t *counts; /* bound_count + 1 */
    struct hf_distribution_form form;
    struct hf_distribution *positive, *negative; /* the former has the zeros; NULL: none yet */
};

struct statsd_store {
    const struct statsd_config *config;
    const struct statsd_rules *rules;
    struct hf_arena arena;
    size_t distribution_bytes; /* beside the arena */
    struct statsd_series **table;
    size_t table_size, count;
    struct statsd_sender *senders[STATSD_SENDER_BUCKETS];
    struct statsd_sender *first, **end;
    struct statsd_sender *recent; /* whom the last line came from */
    uint64_t begun_ns;            /* Unix time of the interval's begin */
    uint64_t random;
};

/* HF_NOMEM. */
HF_MUST_USE enum hf_status statsd_store_init(struct statsd_store *store,
                                             const struct statsd_config *config,
                                             const struct statsd_rules *rules, uint64_t now_ns);
void statsd_store_release(struct statsd_store *store);
/* A new interval. */
void statsd_store_clear(struct statsd_store *store, uint64_t now_ns);

/* The sender of that address. NULL: no memory. */
struct statsd_sender *statsd_store_sender(struct statsd_store *store, const char *address);
/* statsd_fold.c. HF_FULL: the interval has to end first, nothing was added. HF_TOO_LARGE: the tags,
 * nothing was added. */
HF_MUST_USE enum hf_status statsd_store_add(struct statsd_store *store,
                                            struct statsd_sender *sender,
                                            const struct hf_statsd_line *line, uint64_t now_ns);

/* statsd_build.c: writes all of a sender as metrics; a resource and a scope of their own. */
void statsd_store_build(const struct statsd_store *store, const struct statsd_sender *sender,
                        struct hf_builder *builder, uint64_t now_ns);

/* statsd_state.c: the store to a file, and from it into an empty store. The reader's status says
 * whether it could be read; if not, the store has to be cleared. */
void statsd_store_save(const struct statsd_store *store, struct hf_state_writer *writer);
void statsd_store_load(struct statsd_store *store, struct hf_state_reader *reader);

/* ---- for statsd_state.c ---- */

struct statsd_identity {
    enum statsd_shape shape;
    enum hf_statsd_type type;
    struct hf_slice name, tags;
    const double *bounds; /* EXPLICIT */
    size_t bound_count;
    uint32_t size_max; /* EXPONENTIAL */
    bool is_float;     /* SUM */
};

/* Finds it or makes it; texts and bounds are copied. NULL: no room. */
struct statsd_series *statsd_store_need(struct statsd_store *store, struct statsd_sender *sender,
                                        const struct statsd_identity *identity, bool *ret_is_new);
/* False: no memory. */
bool statsd_series_put(struct statsd_store *store, struct statsd_series *series,
                       struct statsd_value value);
