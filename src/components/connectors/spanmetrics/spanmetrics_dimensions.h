/*
 * spanmetrics_dimensions: the configured dimensions, compiled, and their values for one span.
 *
 * Each name has a slot, whichever lists it stands in. The values of a resource are looked up once
 * for all its spans; those of a span are noted while its attributes go by. Owned by one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/slice.h>
#include <holdfast/status.h>

#include "pdata/attributes.h"
#include "spanmetrics_config.h"
#include "util/arena.h"
#include "util/compress/compress.h"

struct hf_regex;

enum spanmetrics_metric {
    SPANMETRICS_CALLS = 0,
    SPANMETRICS_DURATION,
    SPANMETRICS_EVENTS,
    SPANMETRICS_METRIC_COUNT
};

struct spanmetrics_named {
    size_t slot;
    struct hf_slice fallback; /* the bytes of an AnyValue */
    bool has_fallback;
};

struct spanmetrics_list {
    struct spanmetrics_named *named;
    size_t named_count;
    struct hf_regex **globs;
    size_t glob_count;
};

/* One attribute: its name, and the bytes of its AnyValue. */
struct spanmetrics_pair {
    struct hf_slice key, value;
};

/* Some attributes: their values by slot, and all of them where globs ask for them. */
struct spanmetrics_values {
    struct hf_slice *slots; /* data NULL: not there */
    struct spanmetrics_pair *pairs;
    size_t pair_count, pair_room;
};

struct spanmetrics_dimensions {
    struct spanmetrics_list common;
    struct spanmetrics_list more[SPANMETRICS_METRIC_COUNT];
    struct hf_slice *names; /* of the slots */
    size_t slot_count;
    bool has_globs;
    struct hf_arena arena; /* of the fallbacks */
};

/* HF_NOMEM. `config` outlives them. Starts zeroed. */
HF_MUST_USE enum hf_status spanmetrics_dimensions_init(struct spanmetrics_dimensions *dimensions,
                                                       const struct spanmetrics_config *config);
void spanmetrics_dimensions_release(struct spanmetrics_dimensions *dimensions);

/* Has this metric no dimensions of its own? */
bool spanmetrics_is_common(const struct spanmetrics_dimensions *dimensions,
                           enum spanmetrics_metric metric);

/* Starts zeroed; HF_NOMEM. */
HF_MUST_USE enum hf_status spanmetrics_values_init(struct spanmetrics_values *values,
                                                   const struct spanmetrics_dimensions *dimensions);
void spanmetrics_values_release(struct spanmetrics_values *values);
void spanmetrics_values_clear(struct spanmetrics_values *values,
                              const struct spanmetrics_dimensions *dimensions);
/* Notes one KeyValue (of several of a name the first counts). HF_NOMEM. */
HF_MUST_USE enum hf_status spanmetrics_values_note(struct spanmetrics_values *values,
                                                   const struct spanmetrics_dimensions *dimensions,
                                                   struct hf_slice pair);
/* Puts those of `over` in place of those of the same name. HF_NOMEM. */
HF_MUST_USE enum hf_status spanmetrics_values_lay(struct spanmetrics_values *values,
                                                  const struct spanmetrics_dimensions *dimensions,
                                                  const struct spanmetrics_values *over);

/*
 * Shows the dimensions of a metric that are there: those of `span`, or else of `outer`, or else the
 * default. HF_NOMEM, or what `show` says.
 */
struct spanmetrics_show {
    enum hf_status (*show)(struct spanmetrics_show *show, struct hf_slice name,
                           struct hf_slice value);
};
HF_MUST_USE enum hf_status
spanmetrics_dimensions_each(const struct spanmetrics_dimensions *dimensions,
                            enum spanmetrics_metric metric, struct spanmetrics_values *span,
                            struct spanmetrics_values *outer, struct spanmetrics_show *show);
