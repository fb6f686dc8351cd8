/*
 * ottl_groups: lists of OTTL texts as users write them in `transform` and `filter`: plain texts, or
 * groups {context, conditions, statements, error_mode}; and what is said and counted of their
 * errors at run time.
 *
 * Immutable after opening, except for the errors, which are a meeting place. Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <holdfast/field.h>
#include <holdfast/node.h>
#include <holdfast/status.h>

#include "ottl/ottl.h"

struct hf_ottl_group {
    struct hf_ottl *ottl;
    enum hf_ottl_error_mode error_mode;
    bool shares_cache;
    char *name;         /* its key */
    const char **texts; /* conditions, then statements; the configuration's */
};

struct hf_ottl_groups {
    struct hf_ottl_group *items;
    size_t count, capacity;
};

/* How one key is read. */
struct hf_ottl_group_rules {
    const char *key;
    bool are_statements; /* or else conditions */
    /* Each plain condition is about what it names alone; statements belong together. */
    bool infers_each;
    unsigned contexts, functions; /* as in struct hf_ottl_source */
    enum hf_ottl_error_mode error_mode;
};

/* Appends what `value` says. HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. */
HF_MUST_USE enum hf_status hf_ottl_groups_read(struct hf_ottl_groups *groups,
                                               const struct hf_value *value,
                                               const struct hf_ottl_group_rules *rules,
                                               char *reterr);
/* Appends one group of conditions of one context. Errors as above. */
HF_MUST_USE enum hf_status hf_ottl_groups_add(struct hf_ottl_groups *groups,
                                              struct hf_string_list conditions,
                                              enum hf_path_context context,
                                              const struct hf_ottl_group_rules *rules,
                                              char *reterr);
void hf_ottl_groups_release(struct hf_ottl_groups *groups);

/* ---- errors at run time ---- */

struct hf_ottl_errors;

/* Counters of every text, and the log's pace. NULL: out of memory. */
struct hf_ottl_errors *hf_ottl_errors_new(const struct hf_node *node,
                                          const struct hf_ottl_groups *groups);
void hf_ottl_errors_free(struct hf_ottl_errors *errors);

/* Counts one error of a text, and logs it once a minute unless `is_silent`. */
void hf_ottl_errors_meet(struct hf_ottl_errors *errors, const char *text, const char *error,
                         bool is_silent);
