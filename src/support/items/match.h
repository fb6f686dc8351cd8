/*
 * match: the `include` and `exclude` of a processor: which spans, data points and log records are
 * meant. The kinds of criteria that are given must all hold; of the entries of one, any may, except
 * attributes and resources, which all must.
 *
 * Criteria that are about another signal than the pipeline's are errors for traces and logs and
 * ignored for metrics, as in the Go collector. Compiled once, immutable after; any thread, each
 * batch with a memory of its own.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/batch.h>
#include <holdfast/field.h>
#include <holdfast/status.h>

#include "pdata/edit.h"

enum hf_match_type { HF_MATCH_STRICT = 0, HF_MATCH_REGEXP };

struct hf_match_attribute {
    const char *key;
    struct hf_value value; /* NONE: any value */
};

struct hf_match_library {
    const char *name, *version; /* version NULL: any */
};

struct hf_match_severity {
    int64_t min;
    bool match_undefined;
};

struct hf_match_config {
    int64_t match_type;
    struct hf_string_list services, span_names, span_kinds;
    struct hf_string_list log_bodies, log_severity_texts, metric_names;
    const struct hf_match_severity *log_severity_number; /* NULL: not asked for */
    struct hf_struct_list attributes, resources, libraries;
};

extern const struct hf_field hf_match_fields[];
extern const struct hf_field hf_match_attribute_fields[]; /* of its lists of attributes */

struct hf_match;

/*
 * Compiles `config`, which must outlive the result, for the pipelines of `signals`
 * (HF_SIGNAL_BIT()s; 0 while they are not known). `name` is its key, for messages. HF_INVALID with
 * one sentence in `reterr` (HF_ERROR_MAX bytes); HF_NOMEM.
 */
HF_MUST_USE enum hf_status hf_match_new(const char *name, const struct hf_match_config *config,
                                        unsigned signals, struct hf_match **ret_match,
                                        char *reterr);
void hf_match_free(struct hf_match *match);

/* For a component's `check`: NULL, or what is wrong, valid until the thread's next call. */
const char *hf_match_check(const char *name, const struct hf_match_config *config);

/* What was found out about the resource and the scope, which many items share. Zeroed before a
 * batch; hf_match_forget() after it. */
struct hf_match_memory {
    uint32_t element, group; /* the place's, of which it is known */
    bool resource_matches, scope_matches;
    struct hf_bytes text; /* scratch */
};

/* Does the place match? */
bool hf_match_is(const struct hf_match *match, const struct hf_edit_place *place,
                 struct hf_match_memory *memory);
void hf_match_forget(struct hf_match_memory *memory);
