/*
 * tail_config: the keys of tail_sampling, and what no single one can tell. Immutable; any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <holdfast/field.h>

/* The order is that of `type`: the simple ones first, then what may stand in fewer places. */
enum hf_sampling_tail_type {
    HF_TAIL_ALWAYS = 0,
    HF_TAIL_STATUS_CODE,
    HF_TAIL_LATENCY,
    HF_TAIL_PROBABILISTIC,
    HF_TAIL_STRING,
    HF_TAIL_NUMERIC,
    HF_TAIL_BOOLEAN,
    HF_TAIL_RATE,
    HF_TAIL_SPAN_COUNT,
    HF_TAIL_TRACE_STATE,
    HF_TAIL_TRACE_FLAGS,
    HF_TAIL_BYTES,
    HF_TAIL_OTTL,
    HF_TAIL_SIMPLE_COUNT,
    HF_TAIL_NOT = HF_TAIL_SIMPLE_COUNT, /* in `and` and `drop` too */
    HF_TAIL_AND,                        /* in a composite too */
    HF_TAIL_COMPOSITE,                  /* and what follows: not inside of another */
    HF_TAIL_DROP,
    HF_TAIL_TYPE_COUNT
};

/* The order is that of `sampling_strategy`. */
enum hf_sampling_tail_strategy { HF_TAIL_TRACE_COMPLETE = 0, HF_TAIL_SPAN_INGEST };

struct hf_sampling_tail_policy_config;

struct hf_sampling_tail_rate_share {
    const char *policy;
    int64_t percent;
};

/* One policy; of the sections that of its type counts. */
struct hf_sampling_tail_policy_config {
    const char *name;
    int64_t type;
    struct hf_string_list status_codes;
    int64_t threshold_ms, upper_threshold_ms;
    double sampling_percentage;
    const char *hash_salt;
    struct {
        const char *key;
        struct hf_string_list values;
        bool is_regex, invert;
        int64_t cache_max_size;
    } string;
    struct {
        const char *key;
        int64_t min, max;
        bool invert;
    } numeric;
    struct {
        const char *key;
        bool value, invert;
    } boolean;
    struct {
        int64_t spans_per_second, burst_capacity;
    } rate;
    struct {
        int64_t bytes_per_second, burst_capacity;
    } bytes;
    struct {
        int64_t error_mode;
        struct hf_string_list span, spanevent;
    } ottl;
    struct {
        int64_t min, max;
    } spans;
    struct {
        const char *key;
        struct hf_string_list values;
    } trace_state;
    struct hf_struct_list all_of;                            /* and, drop */
    const struct hf_sampling_tail_policy_config *not_policy; /* not */
    struct {
        int64_t max_total_spans_per_second;
        struct hf_string_list order;
        struct hf_struct_list policies, shares;
    } composite;
};

struct hf_sampling_tail_config {
    uint64_t decision_wait_ns, decision_wait_after_root_ns;
    int64_t num_traces, expected_new_traces_per_sec, num_shards, strategy;
    uint64_t maximum_trace_size_bytes;
    bool block_on_overflow, drop_pending_on_shutdown;
    struct hf_struct_list policies; /* of struct hf_sampling_tail_policy_config */
    struct {
        int64_t sampled_cache_size, non_sampled_cache_size;
    } decision_cache;
    bool sample_on_first_match;
};

/* At most so many policies that look at single spans: each has a bit, ottl_condition two. */
#define HF_TAIL_BITS_MAX 64u

extern const struct hf_field hf_sampling_tail_fields[];

/* NULL, or one sentence with the policy's name; the thread's, until the next call. */
const char *hf_sampling_tail_check(const void *config);
