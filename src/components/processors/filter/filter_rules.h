/*
 * filter_rules: the configuration of the processor, in all its forms, and what is compiled of it
 * for one signal. Immutable after compiling; any thread.
 */
#pragma once

#include <holdfast/batch.h>
#include <holdfast/field.h>
#include <holdfast/status.h>

#include "filter_legacy.h"
#include "support/items/ottl_groups.h"

struct hf_filter_both_spans {
    const struct hf_match_config *include, *exclude;
};

struct hf_filter_traces {
    struct hf_string_list resource, span, spanevent;
};

struct hf_filter_all_metrics {
    struct hf_string_list resource, metric, datapoint;
    const struct hf_filter_metrics_config *include, *exclude;
};

struct hf_filter_all_logs {
    struct hf_string_list resource, log_record;
    const struct hf_filter_logs_config *include, *exclude;
};

struct hf_filter_profiles {
    struct hf_string_list resource, profile;
};

struct hf_filter_config {
    int64_t error_mode;
    struct hf_filter_traces traces;
    struct hf_filter_all_metrics metrics;
    struct hf_filter_all_logs logs;
    struct hf_filter_profiles profiles;
    struct hf_filter_both_spans spans;
    struct hf_value trace_conditions, metric_conditions, log_conditions, profile_conditions;
};

/* The keys of struct hf_filter_config. */
extern const struct hf_field hf_filter_fields[];

/* What is asked of one signal. */
struct hf_filter_rules {
    struct hf_ottl_groups groups;
    enum hf_ottl_error_mode error_mode; /* of expressions */
    unsigned levels; /* that some group is about, a bit each by enum hf_path_context */
    struct hf_filter_rule include, exclude;
    struct hf_ottl_errors *errors;
    struct hf_series *filtered;
};

/*
 * HF_INVALID with one sentence in `reterr` (HF_ERROR_MAX); HF_NOMEM. Release the rules also then;
 * `config` outlives them.
 */
HF_MUST_USE enum hf_status hf_filter_rules_compile(const struct hf_filter_config *config,
                                                   enum hf_signal signal,
                                                   struct hf_filter_rules *rules, char *reterr);
void hf_filter_rules_release(struct hf_filter_rules *rules);
