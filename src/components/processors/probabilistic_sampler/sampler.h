/*
 * sampler: whether one span or log record is kept, and by what, as the Go collector decides it; a
 * kept one is told its threshold. Rules are immutable, any thread; a run belongs to one document.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "pdata/document.h"
#include "pdata/walk.h"

enum hf_sampler_mode { HF_SAMPLER_HASH = 0, HF_SAMPLER_EQUALIZING, HF_SAMPLER_PROPORTIONAL };

/* What the decision was made by. */
enum hf_sampler_policy {
    HF_SAMPLER_TRACE_ID_HASH = 0,
    HF_SAMPLER_TRACE_ID,
    HF_SAMPLER_RANDOMNESS, /* an explicit one */
    HF_SAMPLER_PRIORITY,
    HF_SAMPLER_MISSING,
    HF_SAMPLER_ATTRIBUTE, /* named as the attribute */
    HF_SAMPLER_POLICY_COUNT
};

extern const char *const hf_sampler_policy_names[HF_SAMPLER_POLICY_COUNT];

struct hf_sampler_options {
    float percentage;
    uint32_t hash_seed;
    enum hf_sampler_mode mode;
    unsigned precision;
    bool fail_closed, trace_id_of_logs;
    struct hf_slice from_attribute, priority_of_logs; /* empty: none */
};

struct hf_sampler_rules {
    struct hf_sampler_options options;
    bool is_never;
    uint64_t threshold; /* hash and equalizing */
    double ratio;       /* proportional */
};

struct hf_sampler_rules hf_sampler_rules_of(const struct hf_sampler_options *options);

struct hf_sampler_run {
    const struct hf_sampler_rules *rules;
    struct hf_document *document;
    struct hf_bytes text; /* scratch; to be released */
    bool failed;          /* out of memory */
};

struct hf_sampler_verdict {
    enum hf_sampler_policy policy;
    bool is_kept;
};

struct hf_sampler_verdict hf_sampler_judge_span(struct hf_sampler_run *run,
                                                struct hf_message *span);
struct hf_sampler_verdict hf_sampler_judge_log(struct hf_sampler_run *run,
                                               struct hf_message *record);
